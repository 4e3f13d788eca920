"""What holds a product: a folder or a zip, read in place and never unpacked.

A container is checked when it is opened, before anything in it is believed: its names (no way out of its root), its
size, its compression (no bomb), its kinds of members. What fails is a :class:`ContainerError` that says what and where.
"""

from __future__ import annotations

import os
from pathlib import Path

from mpc.msi.container.archive import ZipContainer, open_zip
from mpc.msi.container.base import (
    CHUNK,
    DEFAULT_LIMITS,
    MAX_MEMBERS,
    MAX_RATIO,
    MAX_READ_BYTES,
    MAX_TOTAL_BYTES,
    RATIO_FROM_BYTES,
    Container,
    ContainerError,
    Limits,
)
from mpc.msi.container.folder import FolderContainer, open_folder

__all__ = [
    "CHUNK",
    "DEFAULT_LIMITS",
    "MAX_MEMBERS",
    "MAX_RATIO",
    "MAX_READ_BYTES",
    "MAX_TOTAL_BYTES",
    "RATIO_FROM_BYTES",
    "Container",
    "ContainerError",
    "FolderContainer",
    "Limits",
    "ZipContainer",
    "open_container",
]


def open_container(path: Path | str, limits: Limits = DEFAULT_LIMITS) -> Container:
    """Open a product's folder or zip and check that it may be trusted.

    Raises:
        ContainerError: it does not exist, is neither folder nor zip, or breaks a rule: an absolute name or one with
            "..", a backslash, a drive or a NUL; a duplicate; an encrypted or special member; a symbolic link that
            leaves the root (in a zip: any link); more members, bytes or compression than ``limits``.
    """
    where = Path(os.path.abspath(path))
    if where.is_dir():
        return open_folder(where, limits)
    if not where.exists():
        raise ContainerError(f"{where} does not exist")
    if not where.is_file():
        raise ContainerError(f"{where} is neither a folder nor a file")
    if not os.access(where, os.R_OK):
        raise ContainerError(f"{where} may not be read: permission denied")
    return open_zip(where, limits)
