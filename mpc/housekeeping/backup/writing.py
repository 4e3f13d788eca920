"""Writing a backup: one look at the database, then the files, into one archive."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from mpc.housekeeping.backup import format as form
from mpc.housekeeping.backup import tables
from mpc.housekeeping.backup.format import About, BackupError, Manifest
from mpc.monitoring.models import ArchivedMonth
from mpc.runs.models import RunArtifact

# Rows of one fetch: few, for a row may hold a histogram or all metadata of a product.
FETCH = 200
# Most of the bytes are compressed images already; the rest shrinks enough at this level.
COMPRESSION = 3
Say = Callable[[str], object]


@dataclass(frozen=True)
class Written:
    """What is in a backup that was written. ``missing`` artifacts stand in the database, but their file is gone."""

    path: Path
    size: int
    sha256: str
    rows: int
    files: int
    missing: int


def write_backup(path: Path, *, overwrite: bool = False, say: Say = lambda text: None) -> Written:
    """Write everything into ``path``, which appears there when it is whole and on the disk, readable by its owner only.

    Raises BackupError: the file exists already, or it could not be written.
    """
    if path.exists() and not overwrite:
        raise BackupError(f"{path} exists already: give another name, or --overwrite.")
    if not path.parent.is_dir():
        raise BackupError(f"There is no folder {path.parent}.")
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            hashed = _HashingWriter(raw)
            with tables.snapshot() as connection:
                manifest = _write(hashed, connection, say)
            raw.flush()
            os.fsync(raw.fileno())
        aside.replace(path)
    except OSError as error:
        raise BackupError(f"The backup could not be written: {error}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()
    rows, files = sum(manifest.rows.values()), sum(manifest.files.values())
    return Written(path, hashed.size, hashed.hexdigest(), rows, files, manifest.missing)


def _write(out: IO[bytes], connection: BaseDatabaseWrapper, say: Say) -> Manifest:
    all_models = tables.all_models()
    about = About(
        made=timezone.now().isoformat(),
        software_version=settings.MPC_SOFTWARE_VERSION,
        git_commit=settings.MPC_GIT_COMMIT,
        database=connection.vendor,
        uploads=str(settings.MPC_UPLOADS_DIR),
        migrations=tables.migrations_of(connection),
        tables=tuple(tables.table_of(model) for model in all_models.values()),
    )
    archive = _Archive(out)
    archive.add(form.ABOUT, about.as_bytes())
    rows, last_ids = {}, {}
    for table, model in all_models.items():
        rows[table] = _add_table(archive, connection, model)
        last_ids[table] = tables.last_id(connection, model)
        if rows[table]:
            say(f"{table}: {rows[table]} rows")
    # The artifacts of the same look; uploads as they lie there now, for they only ever appear whole and stay.
    files: Counter[str] = Counter(dict.fromkeys(form.ROOMS, 0))
    sizes: Counter[str] = Counter(dict.fromkeys(form.ROOMS, 0))
    missing = 0
    for room, name, place in _files(connection):
        size = archive.add_file(form.file_name(room, name), place)
        if size is None:
            if room == "measurements":
                raise BackupError(f"The archived measurements {name} are not there (or came back just now): try again.")
            missing += room == "runs"
            continue
        files[room] += 1
        sizes[room] += size
    for room in form.ROOMS:
        say(f"{room}: {files[room]} files, {sizes[room] / 1e6:.1f} MB")
    return archive.close(rows=rows, last_ids=last_ids, files=dict(files), bytes=dict(sizes), missing=missing)


def _add_table(archive: _Archive, connection: BaseDatabaseWrapper, model: type[models.Model]) -> int:
    names = [field.attname for field in tables.fields_of(model)]
    rows = models.QuerySet(model, using=connection.alias).order_by("pk").values_list(*names)
    part, count, number = io.BytesIO(), 0, 0
    for row in rows.iterator(chunk_size=FETCH):
        part.write(json.dumps([form.encode(value) for value in row], separators=(",", ":")).encode() + b"\n")
        count += 1
        if part.tell() >= form.PART_BYTES:
            number += 1
            archive.add(form.part_name(model._meta.db_table, number), part.getvalue())
            part = io.BytesIO()
    if part.tell():
        archive.add(form.part_name(model._meta.db_table, number + 1), part.getvalue())
    return count


def _files(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str, Path]]:
    """Room, name within it, and place of every file that belongs to the state of the centre."""
    artifacts = RunArtifact.objects.using(connection.alias).order_by("run_id", "attempt", "path")
    before = None
    for run, attempt, path in artifacts.values_list("run_id", "attempt", "path").iterator(chunk_size=FETCH):
        name = f"{run}/{attempt}/{path}"
        if name != before:  # two artifacts may share a file
            yield "runs", name, Path(settings.MPC_RUNS_DIR) / name
        before = name
    # Of the same look, too; a month that came back meanwhile has its file no more, and then the backup says it misses.
    for name in ArchivedMonth.objects.using(connection.alias).values_list("file", flat=True):
        yield "measurements", name, Path(settings.MPC_MEASUREMENTS_DIR) / name
    uploads = Path(settings.MPC_UPLOADS_DIR)
    for folder, folders, names in os.walk(uploads):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):  # what begins with a dot is still being received
                place = Path(folder) / name
                yield "uploads", place.relative_to(uploads).as_posix(), place


class _Archive:
    """The tar file, with the indexes that it writes about itself."""

    def __init__(self, out: IO[bytes]) -> None:
        self._gzip = gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=COMPRESSION, mtime=0)
        self._tar = tarfile.TarFile.open(fileobj=self._gzip, mode="w|", format=tarfile.PAX_FORMAT)
        self._pending: list[str] = []
        self._indexes: dict[str, str] = {}
        self._members = 0

    def add(self, name: str, content: bytes) -> None:
        self._put(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, place: Path) -> int | None:
        """Size of the file; None when it is not there (any more) or no plain file."""
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            if place.is_symlink() or place.is_dir():
                return None
            raise BackupError(f"{place} cannot be read: {error}") from error
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                return None
            form.what_is(name)
            try:
                self._put(name, file, facts.st_size)
            except OSError as error:
                if file.tell() < facts.st_size and os.fstat(file.fileno()).st_size < facts.st_size:
                    raise BackupError(f"{place} became shorter while it was read: try again.") from error
                raise
            return facts.st_size

    def close(self, **facts: Any) -> Manifest:
        self._write_index()
        manifest = Manifest(members=self._members, indexes=self._indexes, **facts)
        self._put(form.MANIFEST, io.BytesIO(text := manifest.as_bytes()), len(text))
        self._tar.close()
        self._gzip.close()
        return manifest

    def _put(self, name: str, source: IO[bytes], size: int) -> str:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
        hashed = _HashingReader(source)
        self._tar.addfile(entry, hashed)
        self._tar.members.clear()  # tarfile would remember every member for ever
        digest = hashed.hexdigest()
        if not isinstance(kind := form.what_is(name), form.Other) or kind.name == form.ABOUT:
            self._members += 1
            self._pending.append(json.dumps({"name": name, "size": size, "sha256": digest}))
            if len(self._pending) >= form.INDEX_EVERY:
                self._write_index()
        return digest

    def _write_index(self) -> None:
        if self._pending:
            text = "".join(f"{line}\n" for line in self._pending).encode()
            self._pending.clear()
            name = form.index_name(len(self._indexes) + 1)
            self._indexes[name] = self._put(name, io.BytesIO(text), len(text))


class _HashingReader(io.RawIOBase):
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        self._digest.update(piece)
        return piece

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


class _HashingWriter(io.RawIOBase):
    """Counts and hashes what goes to the disk, so that the file need not be read again."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._out.write(data)
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
