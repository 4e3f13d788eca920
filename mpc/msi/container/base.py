"""What both kinds of container share: limits, the error and the interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

MAX_MEMBERS = 20_000
MAX_TOTAL_BYTES = 20 * 10**9
MAX_RATIO = 200
RATIO_FROM_BYTES = 10**6
"""Members below this size may be compressed by any ratio (an empty mask compresses very well)."""
MAX_READ_BYTES = 512 * 2**20
"""Default limit of :meth:`Container.read`, which holds a whole member in memory."""
CHUNK = 1 << 20

NOT_PRODUCT = ("__MACOSX/", ".DS_Store", "._")


class ContainerError(Exception):
    """The container cannot be trusted or read; the text says what is wrong and where."""


@dataclass(frozen=True)
class Limits:
    """What a container may hold at most.

    ``max_ratio`` is uncompressed to compressed size, for members of at least ``ratio_from`` bytes.
    """

    max_members: int = MAX_MEMBERS
    max_total: int = MAX_TOTAL_BYTES
    max_ratio: int = MAX_RATIO
    ratio_from: int = RATIO_FROM_BYTES


DEFAULT_LIMITS = Limits()


class Container(ABC):
    """Members of a product by their path relative to the product's root, with "/" between the parts.

    Attributes:
        kind: "folder" or "zip".
        path: the folder or the zip, absolute.
        root: path of the product's folder inside a zip ("" when the product lies at its top); "" for a folder.
    """

    kind: str
    path: Path
    root: str

    def __init__(self, path: Path, root: str, sizes: dict[str, int]) -> None:
        self.path = path
        self.root = root
        self._sizes = dict(sorted(sizes.items()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 - a folder has nothing to release
        """Release the file; idempotent."""

    def names(self) -> tuple[str, ...]:
        """All members (files, not folders), sorted."""
        return tuple(self._sizes)

    def exists(self, name: str) -> bool:
        return name in self._sizes

    def size(self, name: str) -> int:
        """Bytes of the member, uncompressed.

        Raises:
            ContainerError: there is no such member.
        """
        try:
            return self._sizes[name]
        except KeyError:
            raise ContainerError(f"{self.path.name}: there is no member {name!r}") from None

    def total_size(self) -> int:
        """Bytes of all members, uncompressed."""
        return sum(self._sizes.values())

    def read(self, name: str, limit: int = MAX_READ_BYTES) -> bytes:
        """The whole member.

        Raises:
            ContainerError: it is absent, larger than ``limit``, truncated or damaged.
        """
        size = self.size(name)
        if size > limit:
            raise ContainerError(f"{self.path.name}: {name} has {size} bytes, more than the {limit} that may be read")
        with self.open(name) as stream:
            data = stream.read(limit + 1)
        if len(data) != size:
            raise ContainerError(f"{self.path.name}: {name} gives {len(data)} bytes where its directory says {size}")
        return data

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """A binary stream of the member; reading a damaged one raises ContainerError."""

    @abstractmethod
    def gdal_path(self, name: str) -> str:
        """Where GDAL finds the member: the plain path, or one below ``/vsizip/``."""

    @abstractmethod
    def checksum(self, progress: Callable[[int], None] | None = None) -> str:
        """``sha256:...`` of the product; ``progress`` is called with the bytes read so far."""


def is_foreign(name: str) -> bool:
    """What operating systems leave behind is no part of a product."""
    return any(part.startswith(NOT_PRODUCT) for part in (name, name.rsplit("/", 1)[-1]))
