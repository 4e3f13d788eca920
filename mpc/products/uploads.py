"""Files that people send: checked by name and size, set down in a folder of their own, then taken in by a run."""

from __future__ import annotations

import re
import shutil
import uuid
import zipfile
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from mpc import disk
from mpc.accounts import audit, policy
from mpc.jobs import request_work
from mpc.products import services

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,199}\.zip", re.IGNORECASE)


class UploadRefused(ValueError):
    """The file was not kept; the text says why."""


def receive(upload: UploadedFile, *, actor: Any) -> Any:
    """Keep an uploaded zip and ask for its intake; hands back the run that judges it.

    Raises:
        PermissionDenied: the actor may not upload.
        UploadRefused: no zip, too large, or no room on the disk. The refusal stands in the list of arrivals.
    """
    policy.require(actor, "products.upload")
    name = Path(upload.name or "").name
    try:
        check_name(name)
        check_size(name, upload.size or 0)
        check_archive(name, upload)
        upload.seek(0)
        check_room(name, upload.size or 0)
        path = _keep(upload, name)
    except OSError as error:
        reason = f"{name} could not be written to the centre's disk ({error.strerror or error}); nothing was kept"
        services.refuse(name, reason, actor=actor, trigger="upload")
        raise UploadRefused(reason) from error
    except UploadRefused as refusal:
        services.refuse(name or "unnamed file", str(refusal), actor=actor, trigger="upload")
        raise
    return ask_for_intake(path, name, upload.size or 0, actor=actor)


def ask_for_intake(path: Path, name: str, size: int, *, actor: Any) -> Any:
    """An uploaded file lies at ``path``, whole: note who sent it and hand back the run that takes it in."""
    audit.record(actor, "products.uploaded", after={"name": name, "size": size}, label=name)
    return request_work(
        "products.ingest",
        actor=actor,
        params={"path": str(path), "source": name, "trigger": "upload"},
        trigger="arrival",
    )


# --- What is taken; each raises UploadRefused ------------------------------------------------------------------------
def check_name(name: str) -> None:
    if not _SAFE_NAME.fullmatch(name):
        raise UploadRefused(
            f"“{services.as_text(name[:80])}” is not the name of a zip that can be taken: send a product as NAME.zip "
            "with letters, digits, dots, hyphens and underscores in its name"
        )


def check_size(name: str, size: int) -> None:
    if size > settings.MPC_UPLOAD_LIMIT_MB * 1024 * 1024:
        raise UploadRefused(f"{name} has {size / 1e6:.0f} MB; at most {settings.MPC_UPLOAD_LIMIT_MB} MB are taken")


def check_archive(name: str, file: Path | IO[bytes] | UploadedFile) -> None:
    if not zipfile.is_zipfile(file):
        raise UploadRefused(
            f"{name} is not a readable zip archive: it has no directory of its content. It may have been cut short on "
            "the way; compare its size with the original and send it again"
        )


def check_room(name: str, size: int) -> None:
    """Whether the disks have room for ``size`` bytes more."""
    Path(settings.MPC_UPLOADS_DIR).mkdir(parents=True, exist_ok=True)
    if reason := disk.shortage(extra_bytes=size):
        raise UploadRefused(f"{reason} Nothing of {name} was kept: send it again then")


# --- Where it is kept ------------------------------------------------------------------------------------------------
def discard(path: Path) -> None:
    """Remove an uploaded file that was not taken in, with its folder; what lies elsewhere is left alone."""
    folder = path.parent
    if folder.parent.resolve() == Path(settings.MPC_UPLOADS_DIR).resolve():
        shutil.rmtree(folder, ignore_errors=True)


def _keep(upload: UploadedFile, name: str) -> Path:
    """Write aside, then rename: a file under its own name is always whole."""
    folder = settings.MPC_UPLOADS_DIR / uuid.uuid4().hex
    folder.mkdir(parents=True)
    aside = folder / ".incoming"
    try:
        with aside.open("wb") as file:
            for chunk in upload.chunks(1 << 20):
                file.write(chunk)
    except OSError:
        discard(aside)
        raise
    return aside.rename(folder / name)
