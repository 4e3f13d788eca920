"""Whether the disks of the centre have room for new work. Asked before work begins; work under way goes on.

Below ``MPC_MIN_FREE_MB`` uploads are refused, workers take no run and the watched folder is left alone, each with this
reason. Nothing is lost: what was asked for waits, and begins when there is room again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

MEGABYTE = 1024 * 1024


def shortage(*, extra_bytes: int = 0) -> str:
    """Why new work has to wait, in words for people; empty while each disk of the centre has room.

    ``extra_bytes`` is what the new work is known to write. A disk that cannot be asked counts as full: whatever is
    wrong with it, work could not be kept there.
    """
    folders = (settings.MPC_DATA_DIR, settings.MPC_RUNS_DIR, settings.MPC_UPLOADS_DIR)
    return next(filter(None, (shortage_at(folder, extra_bytes) for folder in _disks(folders))), "")


def shortage_at(folder: Path, extra_bytes: int = 0) -> str:
    """The same for the one disk that ``folder`` is on."""
    floor_mb = settings.MPC_MIN_FREE_MB
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"The centre's disk cannot be used ({error}): nothing new is taken. Tell an operator."
    if free - extra_bytes >= floor_mb * MEGABYTE:
        return ""
    need = f" and {extra_bytes / MEGABYTE:.0f} MB would come" if extra_bytes else ""
    return (
        f"The centre's disk is nearly full: {free / MEGABYTE:.0f} MB are free at {folder}{need}, and {floor_mb} MB "
        "stay free. Nothing new is taken until there is room; what waits is kept. Tell an operator."
    )


def _disks(folders: Iterable[Path]) -> list[Path]:
    """The folders, or what is there of them, one for each disk."""
    found: dict[int, Path] = {}
    for folder in folders:
        there = Path(folder)
        while not there.exists() and there != there.parent:
            there = there.parent
        found.setdefault(there.stat().st_dev, there)
    return list(found.values())
