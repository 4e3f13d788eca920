"""Digests of a product's files against its manifest, each computed once, whichever thread asks first."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from mpc.msi.container import Container, ContainerError
from mpc.msi.safe import ManifestEntry, hash_member


class Digests:
    """Of the files that the manifest lists with a digest and that are there."""

    def __init__(self, container: Container, entries: Iterable[ManifestEntry]) -> None:
        self._container = container
        self._entries = {
            entry.path: entry
            for entry in entries
            if entry.checksum and entry.checksum_name and container.exists(entry.path)
        }
        self._locks = {path: threading.Lock() for path in self._entries}
        self._measured: dict[str, str] = {}

    @property
    def entries(self) -> tuple[ManifestEntry, ...]:
        """What is to be compared, in the order of the manifest."""
        return tuple(self._entries.values())

    def measured(self, path: str) -> str:
        """The file's own digest in hexadecimal, by the algorithm that the manifest names.

        Raises:
            ContainerError: the file cannot be read.
            ValueError: the algorithm is not known.
        """
        with self._locks[path]:
            if path not in self._measured:
                algorithm = self._entries[path].checksum_name or ""
                self._measured[path] = hash_member(self._container, path, algorithm)
            return self._measured[path]

    def agrees(self, path: str) -> bool:
        """Whether the manifest lists this file with a digest, and the file has it."""
        if path not in self._entries:
            return False
        try:
            return self.measured(path) == self._entries[path].checksum
        except (ContainerError, ValueError):
            return False
