"""Restoring a backup: all is read, compared and set aside; then one transaction replaces what was there."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Value
from django.db.models.functions import Concat, Substr

from mpc.accounts import audit
from mpc.accounts.models import User
from mpc.housekeeping.backup import format as form
from mpc.housekeeping.backup import tables
from mpc.housekeeping.backup.format import About, BackupError, BadArchive, StoredFile, TablePart
from mpc.housekeeping.backup.reading import Archive
from mpc.products.models import Product
from mpc.runs import services
from mpc.runs.models import Run, State

Say = Callable[[str], object]
# Values of one statement: below what either database takes at once.
PARAMETERS = 20_000
ROWS = 500


@dataclass(frozen=True)
class Restored:
    """What was restored, and from when it is."""

    made: str
    software_version: str
    rows: int
    files: int


def restore(path: Path, *, replace: bool = False, actor_name: str = "", say: Say = lambda text: None) -> Restored:
    """Make the database and the files what they were when the backup was written.

    The backup may come from the other kind of database. Whatever is wrong with it is found before anything that is
    there is touched, and the database changes in one transaction: either all of the backup is there afterwards, or what
    was there before. ``replace``: also where something is there, which is gone then. The site has to be stopped.

    Raises BackupError, with the reason.
    """
    about = Archive(path).read_about()
    fresh = not tables.migrations_of(connection)
    _check_place(about, fresh=fresh, replace=replace)
    exchange = _Exchange()
    exchange.forget_killed(say)
    try:
        say("reading and comparing everything")
        archive = _set_aside(path, about, exchange)
        if fresh:
            say("making the tables")
            call_command("migrate", verbosity=0, interactive=False)
            _check_schema(about)
        try:
            with _one_change():
                _load(path, about, archive.manifest.last_ids, say)
                _relocate(about.uploads)
                restored = Restored(
                    about.made, about.software_version,
                    sum(archive.manifest.rows.values()), sum(archive.manifest.files.values()),
                )  # fmt: skip
                _audit(path, restored, actor_name)
                _check_references()
                exchange.forward()
        except BaseException:
            exchange.back()
            raise
    except DatabaseError as error:
        raise BackupError(f"The database does not take the backup, nothing was changed: {error}") from error
    except OSError as error:
        raise BackupError(f"The files could not be set down, nothing was changed: {error}") from error
    finally:
        exchange.clean()
    ContentType.objects.clear_cache()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return restored


# --- Before ----------------------------------------------------------------------------------------------------------
def _check_place(about: About, *, fresh: bool, replace: bool) -> None:
    if fresh:
        return
    _check_schema(about)
    alive = list(services.live_workers().values_list("name", flat=True))
    if alive:
        raise BackupError(
            f"The site is running (worker {', '.join(alive)}): stop it first. A worker that was killed counts as "
            f"running for {settings.MPC_WORKER_LOST_S:.0f} s."
        )
    filled = tables.filled_tables(connection)
    if filled and not replace:
        raise BackupError(
            f"The database is not empty ({', '.join(filled[:5])}{' ...' if len(filled) > 5 else ''} have rows). "
            "With --replace everything in it is replaced by the backup, and so are the uploads and the files of runs."
        )


def _check_schema(about: About) -> None:
    here, there = set(tables.migrations_of(connection)), set(about.migrations)
    if here != there:
        lacking = ", ".join(f"{app} {name}" for app, name in sorted(there - here)[:5])
        ahead = ", ".join(f"{app} {name}" for app, name in sorted(here - there)[:5])
        differs = "; ".join(
            filter(None, (lacking and f"not applied here: {lacking}", ahead and f"applied only here: {ahead}"))
        )
        raise BackupError(
            f"The backup was written by version {about.software_version} with another state of the tables ({differs}). "
            "Install that version, restore, and upgrade then."
        )
    known = {table: tables.table_of(model) for table, model in tables.all_models().items()}
    for table in about.tables:
        if known.get(table.name) != table:
            raise BackupError(f"The table {table.name} of the backup has other columns than the one here.")
    if missing := known.keys() - {table.name for table in about.tables}:
        raise BackupError(f"The backup holds no table {', '.join(sorted(missing))}.")


def _set_aside(path: Path, about: About, exchange: _Exchange) -> Archive:
    """Read the whole archive, set its files down beside their place, and know afterwards that all of it is right."""
    archive = Archive(path)
    width = {table.name: len(table.columns) for table in about.tables}
    for member in archive.members():
        if isinstance(member.what, StoredFile):
            exchange.keep(member.what, member.content)
            continue
        for row in member.rows():
            if len(row) != width.get(member.what.table):
                raise BadArchive(f"A row of the table {member.what.table} does not fit its columns.")
            archive.count_row(member.what.table)
    if archive.about != about:
        raise BadArchive(f"{path} changed while it was read.")
    return archive


# --- The change ------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def _one_change() -> Iterator[None]:
    """One transaction in which rows may refer to rows that come later."""
    with connection.constraint_checks_disabled(), transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '30s'")  # somebody still reads or writes
        yield


def _load(path: Path, about: About, last_ids: dict[str, int], say: Say) -> None:
    known = tables.all_models()
    with connection.cursor() as cursor:
        # Past the models: the audit lets nobody change it, and here it is not changed but put back.
        for statement in connection.ops.sql_flush(no_style(), list(known), reset_sequences=False):
            cursor.execute(statement)
        parts = (member for member in Archive(path).members())
        for member in parts:
            if not isinstance(member.what, TablePart):
                break  # the files come after all tables, and are set aside already
            if member.what.number == 1:
                say(f"loading {member.what.table}")
            _insert(cursor, known[member.what.table], member.rows())
        parts.close()
    for table, model in known.items():
        tables.set_last_id(connection, model, last_ids.get(table, 0))


def _insert(cursor: Any, model: type[models.Model], rows: Iterator[list[Any]]) -> None:
    fields = tables.fields_of(model)
    quote = connection.ops.quote_name
    into = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(quote(f.column) for f in fields)}) VALUES "  # noqa: S608 - names of our own models
    one = f"({', '.join(['%s'] * len(fields))})"
    at_once = max(1, min(ROWS, PARAMETERS // len(fields)))
    chunk: list[list[Any]] = []

    def flush() -> None:
        if connection.vendor == "sqlite":
            cursor.executemany(into + one, chunk)
        elif chunk:
            cursor.execute(into + ", ".join([one] * len(chunk)), [value for row in chunk for value in row])
        chunk.clear()

    for row in rows:
        try:
            chunk.append([f.get_db_prep_save(form.decode(v, f), connection) for f, v in zip(fields, row, strict=True)])
        except (ValidationError, ValueError, TypeError) as error:
            raise BadArchive(f"A row of {model._meta.db_table} holds a value that does not fit: {error}") from error
        if len(chunk) >= at_once:
            flush()
    flush()


def _check_references() -> None:
    try:
        connection.check_constraints()
    except DatabaseError as error:
        raise BadArchive(f"The rows of the backup do not fit together: {error}") from error


def _relocate(uploads_then: str) -> None:
    """Uploads lie where this centre keeps them; what names their place is made to."""
    now = str(settings.MPC_UPLOADS_DIR)
    if now == uploads_then:
        return
    below = f"{uploads_then}/"
    moved = Product.objects.filter(path__startswith=below)
    moved.update(path=Concat(Value(now), Substr("path", len(uploads_then) + 1)))
    waiting = Run.objects.exclude(state=State.SUCCEEDED).filter(params__path__startswith=below)
    for run in waiting.only("params", "request_key").iterator(chunk_size=200):
        run.params["path"] = now + run.params["path"][len(uploads_then) :]
        run.request_key = run.request_key.replace(below, f"{now}/")
        run.save(update_fields=["params", "request_key"])


def _audit(path: Path, restored: Restored, actor_name: str) -> None:
    actor = User.objects.filter(username=actor_name or settings.LOCAL_ACTOR).first()
    after = {"file": path.name, "made": restored.made, "rows": restored.rows, "files": restored.files}
    audit.record(actor, "site.restore", after=after, label=path.name)


# --- Files -----------------------------------------------------------------------------------------------------------
class _Exchange:
    """The files of the backup, set down beside their place and put there by renaming."""

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex[:12]
        self._places = {
            "uploads": Path(settings.MPC_UPLOADS_DIR),
            "runs": Path(settings.MPC_RUNS_DIR),
            "measurements": Path(settings.MPC_MEASUREMENTS_DIR),
        }
        self._moved: list[str] = []

    def _new(self, room: str) -> Path:
        place = self._places[room]
        return place.with_name(f".{place.name}-restored-{self._id}")

    def _old(self, room: str) -> Path:
        place = self._places[room]
        return place.with_name(f".{place.name}-replaced-{self._id}")

    def forget_killed(self, say: Say) -> None:
        """Remove what a restore that was killed had set down; what it had put aside of the old files is only named."""
        for place in self._places.values():
            for left in place.parent.glob(f".{place.name}-restored-*"):
                shutil.rmtree(left, ignore_errors=True)
            for left in place.parent.glob(f".{place.name}-replaced-*"):
                say(f"an earlier restore was killed; the files that it replaced are in {left}")

    def keep(self, what: StoredFile, content: Any) -> None:
        """Set one file down. Raises BadArchive when its name leads out of its room or comes a second time."""
        root = self._new(what.room)
        root.mkdir(parents=True, exist_ok=True)
        place = root / what.path
        if not place.resolve().is_relative_to(root.resolve()):
            raise BadArchive(f"“{what.path}” of the archive leads out of its folder.")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as file:
                shutil.copyfileobj(content, file, 1 << 20)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadArchive(f"The archive holds “{what.path}” twice.") from error

    def forward(self) -> None:
        """Put the files in place, the old ones aside."""
        for room, place in self._places.items():
            self._new(room).mkdir(parents=True, exist_ok=True)
            self._moved.append(room)
            with contextlib.suppress(FileNotFoundError):
                place.rename(self._old(room))
            self._new(room).rename(place)

    def back(self) -> None:
        """Undo ``forward``, as far as it came."""
        while self._moved:
            room = self._moved.pop()
            place = self._places[room]
            if not self._new(room).exists():
                place.rename(self._new(room))
            with contextlib.suppress(FileNotFoundError):
                self._old(room).rename(place)

    def clean(self) -> None:
        """Remove what is aside: the new files after ``back``, else the old ones."""
        for room in self._places:
            shutil.rmtree(self._new(room), ignore_errors=True)
            shutil.rmtree(self._old(room), ignore_errors=True)
