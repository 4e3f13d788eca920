"""Making the folder of an attempt, in the child as in the supervisor. No Django here."""

from __future__ import annotations

import contextlib
from pathlib import Path


def make_folder(folder: Path) -> Path:
    """Make it with what is above it. Raises OSError when that cannot be done."""
    for _ in range(10):
        # An earlier attempt may remove the run's empty folder between the two steps of a mkdir.
        with contextlib.suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            return folder
    raise FileNotFoundError(f"the folder {folder} cannot be made")
