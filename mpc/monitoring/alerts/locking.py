"""One alert for what happens to one unit at one time, however many processes look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_at_a_time(unit: str) -> Iterator[None]:
    """A transaction in which no other process opens or extends alerts of this unit. SQLite has one writer anyway, and
    its transactions take the lock when they begin."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"monitoring.alerts:{unit}"])
        yield
