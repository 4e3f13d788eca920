"""Ways to hurt a product. Each takes a good one apart and puts it together again, wrong in one thing."""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import rasterio
from lxml import etree

from processors.simulator.products import WrittenProduct

Edit = Callable[[bytes], bytes]


def copy_of(written: WrittenProduct, folder: Path) -> Path:
    """The product as a folder of its own that may be changed."""
    return Path(shutil.copytree(written.path, folder / written.path.name))


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def edit(folder: Path, pattern: str, change: Edit, *, sealed: bool = True) -> Path:
    """Change one file. ``sealed`` describes it anew in the manifest, so that only the content tells."""
    path = only(folder, pattern)
    path.write_bytes(change(path.read_bytes()))
    if sealed:
        seal(folder)
    return path


def seal(folder: Path) -> None:
    """Let the manifest describe the files as they are."""
    manifest = folder / "manifest.safe"
    tree = etree.parse(manifest)
    for stream in tree.iter("byteStream"):
        path = folder / stream.find("fileLocation").get("href").removeprefix("./")
        checksum = stream.find("checksum")
        if path.is_file() and checksum is not None:
            data = path.read_bytes()
            algorithm = {"MD5": hashlib.md5, "SHA3-256": hashlib.sha3_256}[checksum.get("checksumName")]
            stream.set("size", str(len(data)))
            checksum.text = algorithm(data).hexdigest()
    tree.write(manifest, xml_declaration=True, encoding="UTF-8")


def zip_of(
    folder: Path,
    target: Path,
    *,
    instead: Mapping[str, bytes] | None = None,
    extra: Mapping[str | zipfile.ZipInfo, bytes] | None = None,
    root: str | None = None,
) -> Path:
    """The folder as a zip; members whose path ends like a key of ``instead`` get its content, ``extra`` come on top."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            data = next((new for end, new in (instead or {}).items() if name.endswith(end)), None)
            archive.writestr(f"{root or folder.name}/{name}", path.read_bytes() if data is None else data)
        for member, data in (extra or {}).items():
            archive.writestr(member, data)
    return target


def replace_text(old: str, new: str) -> Edit:
    r"""An edit that replaces every match of ``old`` by ``new`` (``\g<1>`` for groups); fails when there is none."""

    def change(data: bytes) -> bytes:
        assert re.search(old.encode(), data), f"nothing matches {old}"
        return re.sub(old.encode(), new.encode(), data)

    return change


# --- JPEG 2000 -------------------------------------------------------------------------------------------------------
def tile_parts(data: bytes) -> Iterator[tuple[int, int]]:
    """(begin, end) of each tile-part of a JP2 file."""
    position = data.index(b"\xff\x4f\xff\x51") + 2
    while data[position : position + 2] != b"\xff\x90":
        position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    while data[position : position + 2] == b"\xff\x90":
        (length,) = struct.unpack_from(">I", data, position + 6)
        yield position, position + length
        position += length


def claim_size(rows: int, columns: int) -> Edit:
    """The image says that it has so many pixels, in its header box and in its codestream."""

    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        struct.pack_into(">II", changed, data.index(b"ihdr") + 4, rows, columns)
        # Xsiz and Ysiz follow the marker, its length and the capabilities.
        struct.pack_into(">II", changed, data.index(b"\xff\x4f\xff\x51") + 8, columns, rows)
        return bytes(changed)

    return change


def retile(path: Path, side: int) -> None:
    """The same pixels in tiles of ``side`` pixels a side, losslessly."""
    with rasterio.open(path) as source:
        pixels, profile = source.read(), source.profile
    profile |= {"driver": "JP2OpenJPEG", "blockxsize": side, "blockysize": side}
    with rasterio.open(path, "w", QUALITY="100", REVERSIBLE="YES", GEOJP2="NO", GMLJP2="YES", **profile) as target:
        target.write(pixels)
