"""A product as a folder."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from mpc.msi.container.base import CHUNK, Container, ContainerError, Limits, is_foreign


class FolderContainer(Container):
    """A product as a folder."""

    kind = "folder"

    def open(self, name: str) -> IO[bytes]:
        self.size(name)
        try:
            return (self.path / name).open("rb")
        except OSError as error:
            raise ContainerError(f"{self.path.name}: {name} cannot be opened: {error.strerror}") from error

    def gdal_path(self, name: str) -> str:
        self.size(name)
        return str(self.path / name)

    def checksum(self, progress: Callable[[int], None] | None = None) -> str:
        """SHA-256 over the lines ``<sha256 of the content> <size> <name>`` of all members, sorted by name.

        It is independent of dates, permissions and the folder's own name and place. The checksum of a zip is that of
        the file, so the same product as folder and as zip has two checksums.
        """
        total = hashlib.sha256()
        done = 0
        for name in self.names():
            content = hashlib.sha256()
            with self.open(name) as stream:
                while block := stream.read(CHUNK):
                    content.update(block)
                    done += len(block)
                    if progress:
                        progress(done)
            total.update(f"{content.hexdigest()} {self.size(name)} {name}\n".encode("utf-8", "surrogateescape"))
        return f"sha256:{total.hexdigest()}"


def open_folder(folder: Path, limits: Limits) -> FolderContainer:
    root = folder.resolve()
    sizes: dict[str, int] = {}
    total = 0
    for name, entry in _walk(folder, root, limits):
        sizes[name] = entry.st_size
        total += entry.st_size
        if total > limits.max_total:
            raise ContainerError(f"{folder.name} holds more than {limits.max_total} bytes")
        if len(sizes) > limits.max_members:
            raise ContainerError(f"{folder.name} holds more than {limits.max_members} files")
    if not sizes:
        raise ContainerError(f"{folder.name} holds no file")
    return FolderContainer(folder, "", sizes)


def _walk(folder: Path, root: Path, limits: Limits) -> Iterable[tuple[str, os.stat_result]]:
    """Files below a folder; links to folders are not followed into loops since each folder is entered once."""
    seen = {root}
    stack = [("", folder)]
    while stack:
        prefix, current = stack.pop()
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError as error:
            raise ContainerError(f"{folder.name}: {prefix or 'it'} cannot be listed: {error.strerror}") from error
        if len(entries) > limits.max_members:
            raise ContainerError(f"{folder.name}: {prefix or 'it'} holds more than {limits.max_members} entries")
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if is_foreign(name):
                continue
            if not _is_text(name):
                raise ContainerError(f"{folder.name}: {name.encode(errors='surrogateescape')!r} is no name in UTF-8")
            if entry.is_symlink():
                _check_link(folder, root, name, Path(entry.path))
            try:
                status = entry.stat()
            except OSError as error:
                raise ContainerError(f"{folder.name}: {name} cannot be looked at: {error.strerror}") from error
            if stat.S_ISDIR(status.st_mode):
                target = Path(entry.path).resolve()
                if target not in seen:
                    seen.add(target)
                    stack.append((f"{name}/", Path(entry.path)))
            elif stat.S_ISREG(status.st_mode):
                yield name, status
            else:
                raise ContainerError(f"{folder.name}: {name} is no ordinary file (a device, pipe or socket)")


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _check_link(folder: Path, root: Path, name: str, path: Path) -> None:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ContainerError(f"{folder.name}: {name} is a symbolic link that leads nowhere") from error
    if not target.is_relative_to(root):
        raise ContainerError(f"{folder.name}: {name} is a symbolic link that leaves the product (to {target})")
