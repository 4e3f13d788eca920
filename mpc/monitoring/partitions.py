"""Months of the table of measurements on PostgreSQL; on SQLite there are none and nothing here does anything.

A value whose month has no partition goes to the default one, so nothing is ever refused for its time. A step of the
sweeper looks there each minute, makes the month and moves its values into it; and it makes the months ahead.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import OperationalError, connection, transaction

from mpc.jobs import every
from mpc.monitoring.rollups.times import month_start, next_month

logger = logging.getLogger(__name__)

TABLE = "monitoring_measurement"
DEFAULT = f"{TABLE}_default"
FIRST_LIGHT = date(2015, 6, 1)
AHEAD = 3
"""Months from now for which there are partitions; times before first light or beyond stay in the default one."""
AT_ONCE = 6
LOOK_EVERY_S = 60.0
LOCK_WAIT = "3s"


def partitioned() -> bool:
    return connection.vendor == "postgresql"


def partition_of(month: date) -> str:
    return f"{TABLE}_{month:%Y_%m}"


def months_there() -> set[date]:
    """First days of the months that have a partition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = %s::regclass AND c.relname <> %s",
            [TABLE, DEFAULT],
        )
        names = [name for (name,) in cursor.fetchall()]
    return {datetime.strptime(name[len(TABLE) + 1 :], "%Y_%m").replace(tzinfo=UTC).date() for name in names}


def months_ahead(today: date) -> list[date]:
    """This month and those to come for which there is to be a partition."""
    months = [month_start(today)]
    while len(months) <= AHEAD:
        months.append(next_month(months[-1]))
    return months


def months_waiting(today: date) -> list[date]:
    """Months that have values in the default partition and can have one of their own, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('month', time AT TIME ZONE 'UTC') FROM {DEFAULT} "  # noqa: S608 - our names
            "WHERE time >= %s AND time < %s",
            [FIRST_LIGHT, next_month(months_ahead(today)[-1])],
        )
        return sorted(row[0].date() for row in cursor.fetchall())


def make_partitions(months: Iterable[date]) -> list[date]:
    """Make the partitions of these months that are not there, with what of them lies in the default one.

    Each is made in a transaction of its own: the month's values move, then the filled table is attached. A wait for
    the tables that it refers to ends after a few seconds (raises OperationalError), so that nobody waits for us long.
    """
    if not partitioned():
        return []
    made = []
    for month in sorted(set(months) - months_there()):
        _make(month)
        made.append(month)
    return made


@transaction.atomic
def _make(month: date) -> None:
    name, low, high = partition_of(month), f"{month} 00:00:00+00", f"{next_month(month)} 00:00:00+00"
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
        # In the order in which a writer takes them, so that neither has what the other wants.
        cursor.execute("LOCK TABLE runs_run, products_product, monitoring_series IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        within = f"time >= '{low}' AND time < '{high}'"
        cursor.execute(
            f"WITH moved AS (DELETE FROM {DEFAULT} WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM moved"  # noqa: S608 - our names
        )
        # So that attaching need not look at the rows again.
        cursor.execute(f"ALTER TABLE {name} ADD CONSTRAINT {name}_within CHECK ({within})")
        cursor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')")
        cursor.execute(f"ALTER TABLE {name} DROP CONSTRAINT {name}_within")


class KeepMonths:
    """The step: months ahead once a day, and whatever waits in the default partition each time."""

    def __init__(self) -> None:
        self._done_on: date | None = None

    def __call__(self) -> None:
        if not partitioned():
            return
        today = datetime.now(UTC).date()
        wanted = months_waiting(today)[:AT_ONCE]
        if self._done_on != today:
            wanted += months_ahead(today)
        try:
            made = make_partitions(wanted)
        except OperationalError as error:
            logger.warning("the months of the measurements wait for the next turn: %s", str(error).strip())
            return
        if made:
            logger.info("made the months %s of the measurements", ", ".join(f"{month:%Y-%m}" for month in made))
        self._done_on = today


every(LOOK_EVERY_S, "monitoring.partitions")(KeepMonths())
