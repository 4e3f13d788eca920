"""A product inside a zip, read in place."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from mpc.msi.container.base import CHUNK, Container, ContainerError, Limits, is_foreign

PRODUCT_FOLDERS = frozenset(
    {"GRANULE", "DATASTRIP", "IMG_DATA", "QI_DATA", "AUX_DATA", "REP_INFO", "HTML", "R10M", "R20M", "R60M"}
)

# What zipfile raises for damage: of the directory, the member's header (bad names too), its data or its check sum.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    UnicodeError,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
)
_DRIVE = re.compile(r"[A-Za-z]:")


class ZipContainer(Container):
    """A product inside a zip."""

    kind = "zip"

    def __init__(self, path: Path, archive: zipfile.ZipFile, root: str, sizes: dict[str, int]) -> None:
        super().__init__(path, root, sizes)
        self._archive = archive

    def close(self) -> None:
        self._archive.close()

    def _inner(self, name: str) -> str:
        self.size(name)
        return f"{self.root}/{name}" if self.root else name

    def open(self, name: str) -> IO[bytes]:
        inner = self._inner(name)
        try:
            stream = self._archive.open(inner)
        except _UNREADABLE as error:
            raise ContainerError(f"{self.path.name}: {inner} cannot be opened: {error}") from error
        return _CheckedStream(stream, f"{self.path.name}: {inner}")  # type: ignore[return-value]

    def gdal_path(self, name: str) -> str:
        path = str(self.path)
        if not _balanced(path):
            return f"/vsizip/{path}/{self._inner(name)}"  # by its suffix
        # GDAL takes the braces as the limits of the archive's own path, whatever its suffix is.
        return f"/vsizip/{{{self.path}}}/{self._inner(name)}"

    def checksum(self, progress: Callable[[int], None] | None = None) -> str:
        """SHA-256 of the zip file itself."""
        total = hashlib.sha256()
        done = 0
        with self.path.open("rb") as stream:
            while block := stream.read(CHUNK):
                total.update(block)
                done += len(block)
                if progress:
                    progress(done)
        return f"sha256:{total.hexdigest()}"


class _CheckedStream:
    """A member of a zip as it is read: what zlib, the CRC or the end of the file say becomes a ContainerError."""

    def __init__(self, stream: IO[bytes], what: str) -> None:
        self._stream = stream
        self._what = what

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except _UNREADABLE as error:
            raise ContainerError(f"{self._what} is damaged: {error or 'it ends too early'}") from error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._stream.seek(offset, whence)
        except _UNREADABLE as error:
            raise ContainerError(f"{self._what} is damaged: {error or 'it ends too early'}") from error

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _balanced(path: str) -> bool:
    """Whether each brace of a path has its partner, as GDAL counts them."""
    depth = 0
    for sign in path:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0


def open_zip(path: Path, limits: Limits) -> ZipContainer:
    try:
        archive = zipfile.ZipFile(path)
    except (*_UNREADABLE, zipfile.LargeZipFile, ValueError) as error:
        raise ContainerError(f"{path.name} is no readable zip ({_zip_reason(path, error)})") from error
    try:
        sizes = _check_members(path, archive.infolist(), limits)
        root = _single_root(sizes)
    except BaseException:
        archive.close()
        raise
    inside = f"{root}/" if root else ""
    # What lies beside the SAFE folder (a checksum file, a licence) is no part of the product.
    members = {name.removeprefix(inside): size for name, size in sizes.items() if name.startswith(inside)}
    return ZipContainer(path, archive, root, members)


def _zip_reason(path: Path, error: Exception) -> str:
    if path.stat().st_size == 0:
        return "the file is empty"
    with path.open("rb") as stream:
        begins_like_zip = stream.read(2) == b"PK"
    if begins_like_zip:
        return f"it begins like a zip but its directory is missing or damaged, as in an interrupted transfer: {error}"
    return f"it does not begin like a zip: {error}"


def _check_members(path: Path, members: list[zipfile.ZipInfo], limits: Limits) -> dict[str, int]:
    if len(members) > limits.max_members:
        raise ContainerError(f"{path.name} holds {len(members)} members, more than {limits.max_members}")
    sizes: dict[str, int] = {}
    total = 0
    for member in members:
        # ZipInfo.filename is cut at a NUL and has the system's separators; the original tells what was written.
        name = member.orig_filename
        _check_name(path, name)
        _check_kind(path, member)
        if member.is_dir():
            continue
        if name in sizes:
            raise ContainerError(f"{path.name} holds {name!r} twice: which one is meant cannot be told")
        total += member.file_size
        if total > limits.max_total:
            raise ContainerError(f"{path.name} unpacks to more than {limits.max_total} bytes (reached at {name!r})")
        if member.file_size >= limits.ratio_from and member.file_size > limits.max_ratio * member.compress_size:
            raise ContainerError(
                f"{path.name}: {name!r} unpacks from {member.compress_size} to {member.file_size} bytes,"
                f" more than {limits.max_ratio} fold, like a zip bomb"
            )
        sizes[name] = member.file_size
    packed = sum(member.compress_size for member in members)
    if packed > path.stat().st_size:
        raise ContainerError(
            f"{path.name}: its members take {packed} bytes by its directory, but the file has {path.stat().st_size}:"
            " it is truncated, or members overlap as in a zip bomb"
        )
    sizes = {name: size for name, size in sizes.items() if not is_foreign(name)}
    if not sizes:
        raise ContainerError(f"{path.name} is a zip without any file")
    return sizes


def _check_name(path: Path, name: str) -> None:
    shown = repr(name if len(name) <= 200 else name[:200] + "...")
    if "\0" in name:
        raise ContainerError(f"{path.name}: the member {shown} has a NUL in its name")
    if "\\" in name:
        raise ContainerError(f"{path.name}: the member {shown} has a backslash in its name")
    if name.startswith("/") or _DRIVE.match(name):
        raise ContainerError(f"{path.name}: the member {shown} has an absolute name")
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        raise ContainerError(f"{path.name}: the member {shown} climbs out of the archive by '..'")
    if "" in parts or "." in parts:
        raise ContainerError(f"{path.name}: the member {shown} has an empty part or '.' in its name")


def _check_kind(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.orig_filename
    if member.flag_bits & 0x1:
        raise ContainerError(f"{path.name}: the member {name!r} is encrypted; products are not")
    mode = member.external_attr >> 16
    if stat.S_ISLNK(mode):
        raise ContainerError(f"{path.name}: the member {name!r} is a symbolic link; products hold none")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ContainerError(f"{path.name}: the member {name!r} is no ordinary file (a device, pipe or socket)")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ContainerError(
            f"{path.name}: the member {name!r} is compressed by method {member.compress_type};"
            " only stored and deflated members can be read in place"
        )


def _single_root(names: Iterable[str]) -> str:
    """The folder that holds the whole product: the one SAFE folder, or the deepest folder that holds everything.

    "" when there is none. The folders of a product's own parts are never taken for it.
    """
    paths = [name.split("/")[:-1] for name in names]
    safes = {"/".join(path[: _safe_depth(path)]) for path in paths if _safe_depth(path)}
    if len(safes) == 1:
        return safes.pop()
    common: list[str] = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1 or parts[0].upper() in PRODUCT_FOLDERS:
            break
        common.append(parts[0])
    return "/".join(common)


def _safe_depth(path: list[str]) -> int:
    """How many parts of the path lead to its SAFE folder; 0 when it has none."""
    return next((depth for depth, part in enumerate(path, start=1) if part.upper().endswith(".SAFE")), 0)
