"""The rules on files, below the centre's own folders and nowhere else."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from mpc.products.models import Product
from mpc.runs.models import ACTIVE, Run, RunArtifact


# --- Files of runs ---------------------------------------------------------------------------------------------------
def drop_artifact(artifact: RunArtifact) -> None:
    """Remove the file of an artifact whose row is gone, unless another artifact of the run shares it."""
    if RunArtifact.objects.filter(run=artifact.run_id, attempt=artifact.attempt, path=artifact.path).exists():
        return
    folder = Path(settings.MPC_RUNS_DIR) / str(artifact.run_id) / str(artifact.attempt)
    place = folder / artifact.path
    if place.resolve().is_relative_to(folder.resolve()):
        with contextlib.suppress(FileNotFoundError):
            place.unlink()
        _remove_empty(place.parent, Path(settings.MPC_RUNS_DIR))


def drop_run(run_id: int) -> None:
    """Remove all files of a run that is gone."""
    shutil.rmtree(Path(settings.MPC_RUNS_DIR) / str(run_id), ignore_errors=True)


def due_orphans(before: datetime) -> int:
    return sum(1 for _ in _orphans(before))


def remove_orphans(before: datetime) -> Iterator[int]:
    """Files below the folder of runs that no row names: what a killed worker or a broken disk left behind."""
    for place in _orphans(before):
        with contextlib.suppress(FileNotFoundError):
            place.unlink()
        _remove_empty(place.parent, Path(settings.MPC_RUNS_DIR))
        yield 1


def _orphans(before: datetime) -> Iterator[Path]:
    root = Path(settings.MPC_RUNS_DIR)
    if not root.is_dir():
        return
    for entry in sorted(os.scandir(root), key=lambda e: e.name):
        if not entry.is_dir(follow_symlinks=False):
            if _age_of(Path(entry.path)) < before.timestamp():
                yield Path(entry.path)
            continue
        # The state first: a run that ends at this moment has its rows when it is seen as ended.
        run_id = int(entry.name) if entry.name.isdecimal() else 0
        if run_id and Run.objects.filter(pk=run_id, state__in=ACTIVE).exists():
            continue
        named = {
            f"{attempt}/{path}"
            for attempt, path in RunArtifact.objects.filter(run=run_id).values_list("attempt", "path")
        }
        for place in _files_below(Path(entry.path)):
            if place.relative_to(entry.path).as_posix() not in named and _age_of(place) < before.timestamp():
                yield place


# --- Uploads ---------------------------------------------------------------------------------------------------------
def due_uploads(before: datetime) -> int:
    return sum(1 for _ in _uploads(before))


def remove_uploads(before: datetime) -> Iterator[int]:
    """Uploads that no product came of and no waiting run will look at."""
    for place in _uploads(before):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)
        yield 1


def _uploads(before: datetime) -> Iterator[Path]:
    """Entries of the folder of uploads, each with all that is below it."""
    root = Path(settings.MPC_UPLOADS_DIR)
    if not root.is_dir():
        return
    old = [p for p in sorted(root.iterdir()) if _newest_below(p) < before.timestamp()]
    if not old:
        return
    # One look at the inventory for all of them; it may hold many more products than there are old uploads.
    below = f"{root}{os.sep}"
    taken = Product.objects.filter(path__startswith=below).values_list("path", flat=True)
    kept = {path[len(below) :].split(os.sep)[0] for path in taken.iterator(chunk_size=2000)}
    for place in old:
        if place.name not in kept and not _is_wanted(place):
            yield place


def _is_wanted(place: Path) -> bool:
    """Whether a product or a run that is not over names it now: asked last, for much may have happened since."""
    if Product.objects.filter(Q(path=str(place)) | Q(path__startswith=f"{place}{os.sep}")).exists():
        return True
    for params in Run.objects.filter(state__in=ACTIVE).values_list("params", flat=True).iterator(chunk_size=500):
        values = params.values() if isinstance(params, dict) else ()
        if any(isinstance(v, str) and (v == str(place) or v.startswith(f"{place}{os.sep}")) for v in values):
            return True
    return False


# --- Places ----------------------------------------------------------------------------------------------------------
def _files_below(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(here) / name for name in sorted(names))


def _newest_below(place: Path) -> float:
    """When something in it was last written (seconds since the epoch)."""
    if place.is_symlink() or not place.is_dir():
        return _age_of(place)
    return max([_age_of(place), *(_age_of(file) for file in _files_below(place))])


def _age_of(place: Path) -> float:
    try:
        return place.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")  # gone, so nobody needs to remove it


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove folders that became empty, up to the root."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
