"""Find products below a path: zips, SAFE folders, stand-alone datastrips, flat layouts."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

_METADATA = (
    "manifest.safe", "MTD_MSIL1C.xml", "MTD_MSIL2A.xml", "MTD_DS.xml", "MTD_TL.xml", "metadata.xml", "tileInfo.json",
)  # fmt: skip
_PARTS = ("DATASTRIP", "GRANULE")
_MAX_DEPTH = 8


def looks_like_product(path: Path) -> bool:
    """Whether a file or folder presents itself as a product or datastrip (its content is judged later)."""
    if path.is_file():
        return path.suffix.lower() == ".zip"
    if not path.is_dir():
        return False
    if path.suffix.upper() == ".SAFE":
        return True
    name = path.name
    if name.startswith("S2") and ("_DS_" in name or "_MSIL1" in name or "_MSIL2" in name):
        return True
    has_parts = any((path / part).is_dir() for part in _PARTS)
    return has_parts or any((path / metadata).is_file() for metadata in _METADATA)


def discover(argument: str) -> Iterator[Path]:
    """All products that one command line argument means: a file, a product folder, a glob pattern, or a tree.

    A named file is always handed back, whatever it is called, so that the reader can say what is wrong with it.
    Folders of a tree are not entered once they are products; hidden folders are passed over.

    Raises:
        FileNotFoundError: nothing exists there and no pattern matches, or it may not be looked at.
    """
    path = Path(argument).expanduser()
    try:
        there = path.exists()
    except OSError as error:
        raise FileNotFoundError(f"cannot be looked at: {argument[:200]} ({error.strerror})") from error
    if there:
        yield from _below(path)
        return
    matches = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(argument) else []
    if not matches:
        raise FileNotFoundError(f"nothing there: {argument}")
    for match in matches:
        yield from _below(Path(match))


def _below(path: Path) -> Iterator[Path]:
    if path.is_file() or looks_like_product(path):
        yield path
        return
    base = len(path.parts)
    for folder, folders, files in os.walk(path):
        here = Path(folder)
        folders.sort()
        products = [name for name in folders if looks_like_product(here / name)]
        yield from (here / name for name in products)
        yield from (here / name for name in sorted(files) if name.lower().endswith(".zip"))
        deep = len(here.parts) - base >= _MAX_DEPTH
        folders[:] = [] if deep else [n for n in folders if n not in products and not n.startswith(".")]
