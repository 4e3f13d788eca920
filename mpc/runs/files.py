"""Files of runs: ``<MPC_RUNS_DIR>/<run>/<attempt>/``. They count from the moment that their rows are committed."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from django.conf import settings

from mpc.runs import folders
from mpc.runs.models import RunArtifact
from mpc.runs.queue import Fence


def folder_of(fence: Fence) -> Path:
    return Path(settings.MPC_RUNS_DIR) / str(fence.run_id) / str(fence.attempt)


def path_of(artifact: RunArtifact) -> Path:
    """Where an artifact's file is. Raises FileNotFoundError when it is gone or leads out of its run's folder."""
    folder = folder_of(Fence(artifact.run_id, artifact.attempt)).resolve()
    path = (folder / artifact.path).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise FileNotFoundError(f"the file of artifact “{artifact.name}” is gone")
    return path


def make_folder(fence: Fence) -> Path:
    return folders.make_folder(folder_of(fence))


def drop(fence: Fence) -> None:
    """Remove the files of an attempt that does not count."""
    folder = folder_of(fence)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()  # only when empty


def drop_all(run_id: int) -> None:
    """Remove all files of a run that ended without results."""
    shutil.rmtree(Path(settings.MPC_RUNS_DIR) / str(run_id), ignore_errors=True)


def drop_others(fence: Fence) -> None:
    """Remove what other attempts of the run left, and this one's folder when nothing is in it."""
    folder = folder_of(fence)
    with contextlib.suppress(OSError):
        folder.rmdir()  # only when empty
    with contextlib.suppress(OSError):
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        folder.parent.rmdir()
