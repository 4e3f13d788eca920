"""The cleaning: all rules one after the other, once a day by the sweeper, or by hand."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from mpc.accounts import audit, policy
from mpc.accounts.actors import local_actor
from mpc.housekeeping.models import Cleaning
from mpc.housekeeping.retention import Rule, all_rules

# The sweeper's other steps wait while this one works, so it takes turns with them.
TURN_S = 5.0
# A cleaning without a sign of life for so long lost its process.
ABANDONED = timedelta(minutes=15)


def clean_now(actor: Any) -> dict[str, int]:
    """Apply every rule now; hands back what was removed, by rule. Raises PermissionDenied."""
    policy.require(actor, "site.maintain")
    counts: Counter[str] = Counter()
    for name, gone in _steps(timezone.now()):
        counts[name] += gone
    return _record(actor, counts)


def due_now() -> list[tuple[Rule, int]]:
    """Every rule with how much it would remove now; 0 where things are kept for ever."""
    now = timezone.now()
    return [(rule, rule.due(before) if (before := rule.before(now)) else 0) for rule in all_rules()]


def _steps(now: datetime) -> Iterator[tuple[str, int]]:
    for rule in all_rules():
        before = rule.before(now)
        if before is not None:
            for gone in rule.remove(before):
                yield rule.name, gone


def _record(actor: Any, counts: Counter[str]) -> dict[str, int]:
    removed = {name: gone for name, gone in counts.items() if gone}
    audit.record(actor, "site.housekeeping", after=removed, label="old data removed" if removed else "nothing was old")
    return removed


class DailyCleaning:
    """The step of the sweeper: begins once a day, after the hour of the settings; some seconds of it a turn."""

    def __init__(self) -> None:
        self._row: Cleaning | None = None
        self._going: Iterator[tuple[str, int]] = iter(())
        self._counts: Counter[str] = Counter()

    def __call__(self) -> None:
        now = timezone.now()
        if self._row is None:
            self._row = begin(now)
            if self._row is None:
                return
            self._going, self._counts = _steps(now), Counter()
        try:
            finished = self._turn()
        except BaseException:
            self._row = None  # taken up anew, by this process or another, when the row counts as abandoned
            raise
        if finished:
            self._row = None

    def _turn(self) -> bool:
        row = self._row
        until = time.monotonic() + TURN_S
        for name, gone in self._going:
            self._counts[name] += gone
            if time.monotonic() > until:
                Cleaning.objects.filter(pk=row.pk).update(seen_at=timezone.now(), counts=dict(self._counts))
                return False
        removed = _record(local_actor(), self._counts)
        Cleaning.objects.filter(pk=row.pk).update(seen_at=timezone.now(), finished_at=timezone.now(), counts=removed)
        return True


def begin(now: datetime) -> Cleaning | None:
    """Today's cleaning for whoever is first to ask for it; None when it is too early, done, or under way elsewhere."""
    if now.hour < settings.MPC_HOUSEKEEPING_HOUR:
        return None
    row, created = Cleaning.objects.get_or_create(day=now.date(), defaults={"started_at": now, "seen_at": now})
    if created:
        return row
    if row.finished_at is not None or now - row.seen_at < ABANDONED:
        return None
    taken = Cleaning.objects.filter(pk=row.pk, finished_at=None, seen_at=row.seen_at).update(seen_at=now)
    return row if taken else None
