"""The least that quality control of a tile costs: decoding its bands and detector footprints, hashing its files.

    python bench/floors/tile.py FOLDER THREADS

rasterio, hashlib and nothing else. Each thread has a dataset of its own and takes the largest file that is left, so
that all cores are at work until the end; files are hashed in between. A process of its own, as the work of the centre
has one.
"""

from __future__ import annotations

import hashlib
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rasterio

# one array a thread, blocks of one row of tiles: more cache would only hold what is never asked for again
CACHE_BYTES = 128 << 20


def images_of(folder: Path) -> list[Path]:
    """The thirteen bands and the thirteen detector footprints of a compact product."""
    bands = folder.glob("GRANULE/*/IMG_DATA/*_B??.jp2")
    return [*bands, *folder.glob("GRANULE/*/QI_DATA/MSK_DETFOO_*.jp2")]


def listed_files(folder: Path) -> list[Path]:
    """Every file that the manifest names."""
    text = (folder / "manifest.safe").read_text(encoding="utf-8")
    return [folder / name.removeprefix("./") for name in re.findall(r'<fileLocation[^>]*href="([^"]+)"', text)]


def decode(path: Path) -> None:
    with rasterio.open(path) as image:
        image.read()


def hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha3_256").hexdigest()


def look_through(folder: Path, threads: int) -> tuple[int, int]:
    """Decode and hash everything; how many images, how many files."""
    images, files = images_of(folder), listed_files(folder)
    work = [(decode, path) for path in sorted(images, key=lambda path: path.stat().st_size, reverse=True)]
    work += [(hash_file, path) for path in sorted(files, key=lambda path: path.stat().st_size, reverse=True)]
    with rasterio.Env(GDAL_NUM_THREADS="1", GDAL_CACHEMAX=CACHE_BYTES), ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(task, path) for task, path in work]:
            done.result()
    return len(images), len(files)


if __name__ == "__main__":
    print(*look_through(Path(sys.argv[1]), int(sys.argv[2])))
