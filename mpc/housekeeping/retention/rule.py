"""What a rule is, and the two ways in which rows go: a chunk at a time, each its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, QuerySet

# No transaction deletes more rows: on SQLite everybody else waits for it.
CHUNK = 5000


@dataclass(frozen=True)
class Rule:
    """``due`` counts what is older than a time, ``remove`` takes it away, and says after each step how much it was.

    ``setting`` names the days; a rule without one has its own ``days``.
    """

    name: str
    title: str
    due: Callable[[datetime], int]
    remove: Callable[[datetime], Iterator[int]]
    setting: str = ""
    days: int = 0

    def kept_days(self) -> int | None:
        """For how many days things are kept; None: for ever."""
        if not self.setting:
            return self.days
        return getattr(settings, self.setting) or None

    def before(self, now: datetime) -> datetime | None:
        """What is older than this goes; None: nothing does."""
        days = self.kept_days()
        return None if days is None else now - timedelta(days=days)


def remove_rows(rows: QuerySet) -> Iterator[int]:
    """Delete these rows, at most ``CHUNK`` a transaction. Nothing may hang below them that is deleted with them."""
    model = rows.model
    while True:
        some = rows.order_by().values("pk")[:CHUNK]
        with transaction.atomic():
            gone, _ = models.QuerySet(model).filter(pk__in=some).delete()
        if not gone:
            return
        yield gone


def not_needed(rows: QuerySet) -> QuerySet:
    """Those rows that no row elsewhere holds on to (a foreign key that protects what it leads to)."""
    for relation in rows.model._meta.related_objects:
        if relation.on_delete in (models.PROTECT, models.RESTRICT):
            holding = models.QuerySet(relation.related_model).filter(**{relation.field.name: OuterRef("pk")})
            rows = rows.filter(~Exists(holding))
    return rows
