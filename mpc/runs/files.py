"""Files of runs: ``<MPC_RUNS_DIR>/<run>/<attempt>/``. They count from the moment that their rows are committed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from mpc.jobs import Artifact
from mpc.runs.models import RunArtifact
from mpc.runs.queue import Fence


class BadArtifact(Exception):
    """The work named a file that is not there or not its own."""


@dataclass(frozen=True)
class KeptFile:
    artifact: Artifact
    size: int
    sha256: str


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
    folder = folder_of(fence)
    for _ in range(10):
        # An earlier attempt may remove the run's empty folder between the two steps of a mkdir.
        with contextlib.suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            return folder
    raise FileNotFoundError(f"the folder {folder} cannot be made")


def check(fence: Fence, artifacts: Sequence[Artifact]) -> list[KeptFile]:
    """Sizes and checksums of the files, which are on the disk for good afterwards. Raises BadArtifact."""
    folder = folder_of(fence).resolve()
    kept = []
    names: set[str] = set()
    for artifact in artifacts:
        path = folder / artifact.path
        if not path.resolve().is_relative_to(folder) or path.is_symlink() or not path.is_file():
            raise BadArtifact(f"the work names the artifact “{artifact.path}”, which is no file in its folder")
        if artifact.name in names:
            raise BadArtifact(f"the work names two artifacts “{artifact.name}”")
        names.add(artifact.name)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        kept.append(KeptFile(artifact, path.stat().st_size, digest))
    return kept


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
