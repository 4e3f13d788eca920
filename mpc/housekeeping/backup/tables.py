"""The database as a backup sees it: which tables there are, what they hold, and one unchanging look at all of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

from mpc.housekeeping.backup.format import Table

SNAPSHOT = "snapshot"
# What a database holds that was only made ready: rows of the migrations, and of the housekeeping about itself.
MADE_BY_SETUP = frozenset(
    {
        "django_content_type",
        "auth_permission",
        "housekeeping_cleaning",
        "housekeeping_heartbeat",
        "runs_queuestate",
        "runs_deployment",
        # The detectors as delivered, and the weekly drill.
        "monitoring_detectorsetting",
        "monitoring_historicaldetectorsetting",
        "django_celery_beat_crontabschedule",
        "django_celery_beat_periodictask",
        "django_celery_beat_periodictasks",
        # The centre's own tables, and the matrix that is reckoned from them.
        "monitoring_metric",
        "monitoring_historicalmetric",
        "monitoring_requirement",
        "monitoring_historicalrequirement",
        "monitoring_requirementlimit",
        "monitoring_historicalrequirementlimit",
        "monitoring_missionevent",
        "monitoring_historicalmissionevent",
        "monitoring_compliance",
    }
)


def all_models() -> dict[str, type[models.Model]]:
    """Every model with a table of its own, by the table's name, those that others refer to first."""
    found = {
        m._meta.db_table: m
        for m in apps.get_models(include_auto_created=True)
        if m._meta.managed and not m._meta.proxy and not m._meta.swapped
    }
    ordered: dict[str, type[models.Model]] = {}

    def put(table: str, above: tuple[str, ...]) -> None:
        if table in ordered or table in above:
            return
        for field in fields_of(found[table]):
            if field.remote_field and field.remote_field.model._meta.db_table in found:
                put(field.remote_field.model._meta.db_table, (*above, table))
        ordered[table] = found[table]

    for table in sorted(found):
        put(table, ())
    return ordered


def fields_of(model: type[models.Model]) -> list[models.Field]:
    """The fields that a row is written with."""
    return [f for f in model._meta.concrete_fields if not f.generated]


def table_of(model: type[models.Model]) -> Table:
    return Table(model._meta.db_table, tuple(f.column for f in fields_of(model)))


def counting_field(model: type[models.Model]) -> models.Field | None:
    """The field whose numbers the database gives, if there is one."""
    return model._meta.pk if isinstance(model._meta.pk, models.AutoField) else None


def migrations_of(connection: BaseDatabaseWrapper) -> tuple[tuple[str, str], ...]:
    """The software's migrations that were applied, sorted; none for a database without any table of ours.

    What an app that is gone has left in the list says nothing about the tables that there are.
    """
    loader = MigrationLoader(connection)
    return tuple(sorted(loader.applied_migrations.keys() & loader.disk_migrations.keys()))


def filled_tables(connection: BaseDatabaseWrapper) -> list[str]:
    """Tables with rows that somebody put there."""
    there = set(connection.introspection.table_names())
    return [
        table
        for table, model in all_models().items()
        if table in there
        and table not in MADE_BY_SETUP
        and models.QuerySet(model, using=connection.alias).order_by().exists()
    ]


# --- One look --------------------------------------------------------------------------------------------------------
@contextmanager
def snapshot() -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own in a transaction that reads the database as it is now, while others go on writing.

    SQLite in WAL mode keeps a reader's view for as long as its (deferred) transaction; PostgreSQL does so at the level
    REPEATABLE READ.
    """
    settings = copy.deepcopy(connections[DEFAULT_DB_ALIAS].settings_dict)
    settings["CONN_MAX_AGE"] = 0
    if settings["ENGINE"].endswith("postgresql"):
        from django.db.backends.postgresql.psycopg_any import IsolationLevel

        settings["OPTIONS"]["isolation_level"] = IsolationLevel.REPEATABLE_READ
    else:
        settings["OPTIONS"]["transaction_mode"] = "DEFERRED"
    connections.settings[SNAPSHOT] = settings
    try:
        connection = connections[SNAPSHOT]
        with transaction.atomic(using=SNAPSHOT):
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
            yield connection
    finally:
        connections[SNAPSHOT].close()
        del connections[SNAPSHOT]
        del connections.settings[SNAPSHOT]


# --- Identifiers -----------------------------------------------------------------------------------------------------
def last_id(connection: BaseDatabaseWrapper, model: type[models.Model]) -> int:
    """The highest identifier that the table has ever given (0 before the first); removed rows count."""
    field = counting_field(model)
    if field is None:
        return 0
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = _sequence(cursor, connection, table, field.column)
            cursor.execute(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608 - from the catalogue
            value, called = cursor.fetchone()
            return value if called else 0
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        return row[0] if row else 0


def set_last_id(connection: BaseDatabaseWrapper, model: type[models.Model], recorded: int) -> None:
    """Let the table go on after the recorded identifier, or after its highest where that is higher."""
    field = counting_field(model)
    if field is None:
        return
    table = model._meta.db_table
    highest = models.QuerySet(model, using=connection.alias).aggregate(highest=models.Max("pk"))["highest"] or 0
    last = max(recorded, highest)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = _sequence(cursor, connection, table, field.column)
            cursor.execute("SELECT setval(%s, %s, %s)", [sequence, max(last, 1), last > 0])
            return
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
        if last:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])


def _sequence(cursor: object, connection: BaseDatabaseWrapper, table: str, column: str) -> str:
    cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [connection.ops.quote_name(table), column])
    return cursor.fetchone()[0]
