"""The watched folder: what lies there complete and has not been looked at yet."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from mpc.msi.discover import discover
from mpc.msi.safe import ContainerError, SafeError, open_safe, read_manifest
from mpc.msi.xmlio import XmlProblem
from mpc.products.models import Intake
from mpc.products.services import as_text

PATIENCE_S = float(settings.MPC_INBOX_PATIENCE_S)
"""A copy may pause. What cannot be shown to be whole is taken, as it is, when nothing changed for so long."""

_PARTIAL = (".part", ".partial", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class _State:
    """How a path looked, and since when (monotonic) it looks like that."""

    fingerprint: str
    since: float


_seen: dict[Path, _State] = {}


def forget() -> None:
    """Begin anew, as a new process does."""
    _seen.clear()


def fingerprint_of(path: Path) -> str:
    """Total size, number of files and newest time of a file or tree: equal as long as nothing is written."""
    if path.is_file():
        facts = path.stat()
        return f"{facts.st_size}-1-{facts.st_mtime_ns}"
    size = count = newest = 0
    for folder, _, files in os.walk(path):
        for name in files:
            facts = os.lstat(os.path.join(folder, name))
            size, count, newest = size + facts.st_size, count + 1, max(newest, facts.st_mtime_ns)
    return f"{size}-{count}-{newest}"


def complete_arrivals(folder: Path) -> Iterator[tuple[Path, str]]:
    """Products that did not change since the last look, are whole, and which no intake has judged in this state.

    Names that begin with a dot or end like a partial copy are passed over.
    """
    if not folder.is_dir():
        return
    now = time.monotonic()
    present: dict[Path, _State] = {}
    for path in _products_in(folder):
        try:
            fingerprint = fingerprint_of(path)
        except OSError:
            continue  # moved away while we looked, or not ours to read yet
        known = _seen.get(path)
        present[path] = known if known and known.fingerprint == fingerprint else _State(fingerprint, now)
    resting = [path for path, state in present.items() if _seen.get(path) is state]
    _seen.clear()
    _seen.update(present)
    for path in resting:
        state = present[path]
        if Intake.objects.filter(source=as_text(path), fingerprint=state.fingerprint).exists():
            continue
        if now - state.since >= PATIENCE_S or is_whole(path):
            yield path, state.fingerprint


def _products_in(folder: Path) -> Iterator[Path]:
    for child in sorted(folder.iterdir()):
        if child.exists() and (child.is_dir() or child.suffix.lower() == ".zip"):
            yield from (p for p in discover(str(child)) if not _is_partial(p))


def _is_partial(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower().endswith(_PARTIAL)


def is_whole(path: Path) -> bool:
    """Whether nothing is missing by the product's own word: the directory of a zip, the manifest of a folder."""
    if path.is_file():
        return zipfile.is_zipfile(path)
    try:
        with open_safe(path) as safe:
            entries = read_manifest(safe)
            return bool(entries) and all(
                safe.container.exists(entry.path) and entry.size in (None, safe.container.size(entry.path))
                for entry in entries
            )
    except (ContainerError, SafeError, XmlProblem, OSError):
        return False
