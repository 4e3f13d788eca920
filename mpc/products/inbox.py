"""The watched folder: what lies there complete and has not been looked at yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mpc.msi.discover import discover
from mpc.products.models import Intake

_seen: dict[Path, str] = {}
_PARTIAL = (".part", ".partial", ".tmp", ".crdownload", ".filepart")


def fingerprint_of(path: Path) -> str:
    """Total size, number of files and newest time of a file or tree: equal as long as nothing is written."""
    if path.is_file():
        facts = path.stat()
        return f"{facts.st_size}-1-{facts.st_mtime_ns}"
    size = count = newest = 0
    for folder, _, files in os.walk(path):
        for name in files:
            facts = os.stat(os.path.join(folder, name))
            size, count, newest = size + facts.st_size, count + 1, max(newest, facts.st_mtime_ns)
    return f"{size}-{count}-{newest}"


def complete_arrivals(folder: Path) -> Iterator[tuple[Path, str]]:
    """Products whose fingerprint is the same as at the last look and which no intake has judged in this state.

    Names that begin with a dot or end like a partial copy are passed over.
    """
    if not folder.is_dir():
        return
    present: dict[Path, str] = {}
    for path in discover(str(folder)):
        if path == folder or path.name.startswith(".") or path.name.lower().endswith(_PARTIAL):
            continue
        try:
            present[path] = fingerprint_of(path)
        except FileNotFoundError:
            continue  # moved away while we looked
    stable = [(p, f) for p, f in present.items() if _seen.get(p) == f]
    _seen.clear()
    _seen.update(present)
    for path, fingerprint in stable:
        if not Intake.objects.filter(source=str(path), fingerprint=fingerprint).exists():
            yield path, fingerprint
