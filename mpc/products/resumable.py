"""Uploads in pieces: they survive a lost connection, a closed browser and a restart of the web server.

The idea is that of the tus protocol 1.0: an upload is made with its name and size, each piece says at which offset it
belongs, and whoever lost the thread asks how far it came. The row says how many bytes count; a piece counts when it is
on the disk. What a killed process wrote beyond that is written over by the next piece.

One writer at a time: it takes a lease in the row, renews it while bytes come, and writes only under a lock of the file
while the lease is its own. A writer whose lease went to another, because it slept or its connection hung, writes
nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from mpc.accounts import policy
from mpc.jobs import every
from mpc.products import services, uploads
from mpc.products.models import Upload
from mpc.products.uploads import UploadRefused

OPEN_AT_ONCE = 5
"""Uploads that one person may have under way."""
OPEN_DAYS = 2
"""How long an upload that nobody continues is kept open; less where failed uploads are kept for less."""
LEASE_S = 20.0
"""After so long without a sign of life another may write."""
RENEW_S = 2.0
BLOCK = 1 << 20
HASH_BLOCK = 1 << 23

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LEFT_NOTHING = (Upload.State.REFUSED, Upload.State.CANCELLED, Upload.State.EXPIRED)


class TooManyOpen(UploadRefused):
    """The person has as many uploads under way as one may have."""


class Busy(Exception):
    """Somebody else writes this upload at this moment; it can be tried again soon."""


class NotOpen(Exception):
    """The upload is over: complete, refused, cancelled or expired."""

    def __init__(self, upload: Upload) -> None:
        super().__init__(f"This upload is over: {upload.get_state_display()}. {upload.message}".strip())


class WrongOffset(Exception):
    """The piece does not belong where the upload goes on; ``offset`` says where it does."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"The upload goes on at byte {offset}: send the piece that begins there.")
        self.offset = offset


class TooLong(Exception):
    """The piece would reach beyond the announced size; nothing of it was kept."""


class CutShort(Exception):
    """Less came than the piece announced; ``offset`` is how far the upload came. What came is kept."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"The connection ended before the piece did; the upload goes on at byte {offset}.")
        self.offset = offset


class Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


# --- Places ----------------------------------------------------------------------------------------------------------
def folder_of(upload: Upload) -> Path:
    return Path(settings.MPC_UPLOADS_DIR) / upload.pk.hex


def _incoming(upload: Upload) -> Path:
    return folder_of(upload) / ".incoming"


def _whole(upload: Upload) -> Path:
    return folder_of(upload) / upload.name


def offset_of(upload: Upload) -> int:
    """How many bytes are here for certain: those that the row counts and the disk has."""
    if upload.state != Upload.State.OPEN:
        return upload.received
    return min(upload.received, max(_size_of(_incoming(upload)), _size_of(_whole(upload))))


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


# --- Making, finding, giving up ---------------------------------------------------------------------------------------
def create(*, actor: Any, name: str, size: int, sha256: str = "") -> Upload:
    """Begin an upload of ``size`` bytes; ``sha256`` (64 hexadecimal digits) is proved at the end where it is given.

    Raises:
        PermissionDenied: the actor may not upload.
        UploadRefused: no name of a zip, too large, no room. The refusal stands in the list of arrivals.
        TooManyOpen: the person has OPEN_AT_ONCE uploads under way.
    """
    policy.require(actor, "products.upload")
    name, sha256 = Path(name).name, sha256.strip().lower()
    try:
        uploads.check_name(name)
        if size <= 0:
            raise UploadRefused(f"{name} is announced with {size} bytes: there is nothing to send")
        uploads.check_size(name, size)
        if sha256 and not _SHA256.fullmatch(sha256):
            raise UploadRefused("a SHA-256 has 64 hexadecimal digits")
        uploads.check_room(name, size + _bytes_to_come())
    except UploadRefused as refusal:
        services.refuse(name or "unnamed file", str(refusal), actor=actor, trigger="upload")
        raise
    with transaction.atomic():
        # The person's row is locked, so that two requests at once do not both take the last place.
        get_user_model().objects.select_for_update().get(pk=actor.pk)
        if open_uploads(actor).count() >= OPEN_AT_ONCE:
            raise TooManyOpen(
                f"You have {OPEN_AT_ONCE} uploads under way; finish or cancel one before you begin another"
            )
        return Upload.objects.create(actor=actor, name=name, size=size, sha256=sha256, touched=timezone.now())


def _bytes_to_come() -> int:
    """What the open uploads will still write: the room is theirs."""
    rows = Upload.objects.filter(state=Upload.State.OPEN).values_list("size", "received")
    return sum(size - received for size, received in rows)


def open_uploads(actor: Any) -> Any:
    return Upload.objects.filter(actor=actor, state=Upload.State.OPEN)


def find(pk: uuid.UUID | str, actor: Any) -> Upload:
    """The upload, for the person who began it and nobody else. Raises PermissionDenied, Upload.DoesNotExist."""
    policy.require(actor, "products.upload")
    return Upload.objects.get(pk=pk, actor=actor)


def cancel(upload: Upload, *, actor: Any) -> None:
    """Give an upload up; nothing of it is kept. Raises PermissionDenied, Upload.DoesNotExist, NotOpen."""
    find(upload.pk, actor)
    _close(upload, Upload.State.CANCELLED)


def _close(upload: Upload, state: str) -> None:
    still = Upload.objects.filter(pk=upload.pk, state=Upload.State.OPEN)
    if not still.update(state=state, touched=timezone.now(), writer=None):
        upload.refresh_from_db()
        raise NotOpen(upload)
    shutil.rmtree(folder_of(upload), ignore_errors=True)


# --- The lease -------------------------------------------------------------------------------------------------------
@dataclass
class _Lease:
    """The right to write one upload. ``renewed`` is of the monotonic clock."""

    pk: uuid.UUID
    writer: uuid.UUID = field(default_factory=uuid.uuid4)
    renewed: float = 0.0

    def rows(self) -> Any:
        return Upload.objects.filter(pk=self.pk, state=Upload.State.OPEN, writer=self.writer)

    def renew(self) -> None:
        """Raises Busy when the lease is another's, or the upload is over."""
        now = time.monotonic()
        if now - self.renewed < RENEW_S:
            return
        if not self.rows().update(writer_seen=timezone.now()):
            raise Busy("Another connection has taken this upload over, or it was cancelled.")
        self.renewed = now


@contextlib.contextmanager
def _leased(upload: Upload) -> Iterator[_Lease]:
    lease, now = _Lease(upload.pk), timezone.now()
    is_open = Upload.objects.filter(pk=upload.pk, state=Upload.State.OPEN)
    began = time.monotonic()
    taken = is_open.filter(writer=None).update(writer=lease.writer, writer_seen=now) or is_open.filter(
        writer_seen__lt=now - timedelta(seconds=LEASE_S)
    ).update(writer=lease.writer, writer_seen=now)
    upload.refresh_from_db()
    if not taken:
        if upload.state != Upload.State.OPEN:
            raise NotOpen(upload)
        raise Busy("Another connection is sending this upload at this moment; try again in some seconds.")
    lease.renewed = began
    try:
        yield lease
    finally:
        if (
            not lease.rows().update(writer=None)
            and Upload.objects.filter(pk=lease.pk, state__in=_LEFT_NOTHING).exists()
        ):
            # It was given up while we wrote: what we may have written since goes too.
            shutil.rmtree(folder_of(upload), ignore_errors=True)


# --- Pieces ----------------------------------------------------------------------------------------------------------
def append(upload: Upload, source: Source, *, actor: Any, offset: int, length: int) -> Upload:
    """Write the piece of ``length`` bytes that belongs at ``offset``; the last one completes the upload.

    An empty piece at the end completes what a killed process could not. Hands back the fresh upload: complete with its
    run, refused with the reason, or open.

    Raises:
        PermissionDenied, Upload.DoesNotExist: not the person who began it.
        NotOpen, Busy, WrongOffset, TooLong: nothing was written.
        CutShort: the connection ended early; what came is kept.
        UploadRefused: the disk takes no more; what came before is kept.
    """
    upload = find(upload.pk, actor)
    with _leased(upload) as lease:
        right = offset_of(upload)
        if offset != right:
            raise WrongOffset(right)
        if offset + length > upload.size:
            raise TooLong(
                f"{upload.name} was announced with {upload.size} bytes; a piece of {length} bytes at {offset} "
                "reaches beyond. Nothing of it was kept"
            )
        if length:
            try:
                came = _write(upload, lease, source, offset, length)
            except _DiskFailed as error:
                raise UploadRefused(
                    f"the centre's disk takes no more ({error}); what came before is kept. Tell an operator, and go on "
                    "when there is room"
                ) from error
            if came < length:
                raise CutShort(offset + came)
        if offset + length == upload.size:
            _settle(upload, lease)
    upload.refresh_from_db()
    return upload


class _DiskFailed(Exception):
    pass


def _write(upload: Upload, lease: _Lease, source: Source, offset: int, length: int) -> int:
    """Write what comes, at most ``length`` bytes; hands back how much came and is on the disk."""
    position, end = offset, offset + length
    try:
        folder_of(upload).mkdir(parents=True, exist_ok=True)
        descriptor = os.open(_incoming(upload), os.O_RDWR | os.O_CREAT, 0o640)
    except OSError as error:
        raise _DiskFailed(error.strerror or str(error)) from error
    try:
        with _locked(descriptor):
            lease.renew()
            os.ftruncate(descriptor, offset)
        while position < end:
            try:
                block = source.read(min(BLOCK, end - position))
            except OSError:  # the connection broke: what came before stands
                break
            if not block:
                break
            try:
                with _locked(descriptor):
                    lease.renew()
                    position += _write_at(descriptor, block, position)
            except OSError as error:
                _count(upload, lease, descriptor, position)
                raise _DiskFailed(error.strerror or str(error)) from error
        _count(upload, lease, descriptor, position)
    finally:
        os.close(descriptor)
    return position - offset


def _write_at(descriptor: int, block: bytes, position: int) -> int:
    done = 0
    while done < len(block):
        done += os.pwrite(descriptor, block[done:], position + done)
    return done


def _count(upload: Upload, lease: _Lease, descriptor: int, position: int) -> None:
    """What is on the disk counts from now on."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise _DiskFailed(error.strerror or str(error)) from error
    if not lease.rows().update(received=position, touched=timezone.now(), writer_seen=timezone.now()):
        raise Busy("Another connection has taken this upload over, or it was cancelled.")
    upload.received = position


@contextlib.contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


# --- The end ---------------------------------------------------------------------------------------------------------
def _settle(upload: Upload, lease: _Lease) -> None:
    """All bytes are here: prove them, give the file its name and ask for its intake. Can be done again after a kill."""
    place = _incoming(upload) if _incoming(upload).exists() else _whole(upload)
    try:
        if upload.sha256:
            _prove(upload, lease, place)
        uploads.check_archive(upload.name, place)
    except UploadRefused as refusal:
        with transaction.atomic():
            if lease.rows().update(state=Upload.State.REFUSED, message=str(refusal), writer=None):
                services.refuse(upload.name, str(refusal), actor=upload.actor, trigger="upload")
        return  # the folder goes with the lease
    os.replace(place, _whole(upload))
    with transaction.atomic():
        if not lease.rows().update(state=Upload.State.COMPLETE, touched=timezone.now()):
            raise Busy("Another connection has taken this upload over, or it was cancelled.")
        run = uploads.ask_for_intake(_whole(upload), upload.name, upload.size, actor=upload.actor)
        Upload.objects.filter(pk=upload.pk).update(run=run.pk, run_page=run.get_absolute_url(), writer=None)


def _prove(upload: Upload, lease: _Lease, place: Path) -> None:
    digest = hashlib.sha256()
    with place.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
            lease.renew()
    if digest.hexdigest() != upload.sha256:
        raise UploadRefused(
            f"{upload.name} came with the SHA-256 {digest.hexdigest()}, not with the announced {upload.sha256}: it was "
            "damaged on the way or is another file. Nothing of it was kept; send it again"
        )


# --- What nobody continues -------------------------------------------------------------------------------------------
@every(3600.0, "products.uploads")
def expire() -> None:
    """Close uploads that nobody continued for OPEN_DAYS, and forget those that were over long ago."""
    days = settings.MPC_KEEP_UPLOAD_DAYS
    now = timezone.now()
    before = now - timedelta(days=min(OPEN_DAYS, days or OPEN_DAYS))
    for upload in Upload.objects.filter(state=Upload.State.OPEN, touched__lt=before).order_by("touched")[:500]:
        with contextlib.suppress(NotOpen):  # it was continued or cancelled at this moment
            _expire(upload, before)
    if days:
        over = Upload.objects.exclude(state=Upload.State.OPEN).filter(touched__lt=now - timedelta(days=days))
        Upload.objects.filter(pk__in=list(over.values_list("pk", flat=True)[:500])).delete()


def _expire(upload: Upload, before: datetime) -> None:
    quiet = Upload.objects.filter(pk=upload.pk, touched__lt=before)
    if quiet.filter(Q(writer=None) | Q(writer_seen__lt=before)).exists():
        _close(upload, Upload.State.EXPIRED)
