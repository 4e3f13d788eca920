"""Whether the schedule was kept: which of its entries should have run in a stretch of time, and did.

What an entry of the task ``runs.request`` did is seen by the runs that the schedule asked for; of any other only the
time of its last turn is kept, which says nothing of the days before it.
"""

from __future__ import annotations

import enum
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django_celery_beat.models import PeriodicTask

from mpc.runs.models import Run, Trigger
from mpc.runs.tasks import request

DUE_MOST = 2000
"""More due times than a stretch is counted with; an entry that is due each second is due often enough."""


class Fate(enum.StrEnum):
    KEPT = "kept"
    MISSED = "missed"
    FEWER = "fewer"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Turn:
    """What became of one entry that was due. ``due`` is how often (None: cannot be told), ``done`` how often it ran
    (None: not kept), ``first_due`` and ``last_due`` when."""

    entry: str
    kind: str
    fate: Fate
    words: str
    due: int | None = None
    done: int | None = None
    last_due: datetime | None = None
    last_run_at: datetime | None = None


def turns(start: datetime, end: datetime) -> list[Turn]:
    """The entries that were due in ``start <= t < end`` (UTC), by name. Two queries.

    ``end`` may lie in the past only: what is not due yet cannot be missed.
    """
    entries = list(
        PeriodicTask.objects.filter(enabled=True)
        .exclude(task__startswith="celery.")
        .select_related("interval", "crontab", "solar", "clocked")
        .order_by("name")
    )
    asked = Counter[str]()
    if any(entry.task == request.name for entry in entries):
        runs = Run.objects.filter(trigger=Trigger.SCHEDULE, requested_at__gte=start, requested_at__lt=end)
        asked.update(dict(runs.order_by().values_list("kind").annotate(n=Count("pk"))))
    return [turn for entry in entries if (turn := _turn(entry, start, end, asked)) is not None]


def missed(found: Iterable[Turn]) -> list[Turn]:
    return [turn for turn in found if turn.fate in (Fate.MISSED, Fate.FEWER, Fate.REFUSED)]


def _turn(entry: PeriodicTask, start: datetime, end: datetime, asked: Counter[str]) -> Turn | None:
    kind = _kind(entry)
    facts: dict[str, Any] = {"entry": entry.name, "kind": kind, "last_run_at": entry.last_run_at}
    times = due_times(entry, start, end)
    if times is None:
        return Turn(fate=Fate.UNKNOWN, words="its times cannot be reckoned", **facts)
    if not times:
        return None
    facts |= {"due": len(times), "last_due": times[-1]}
    if entry.task == request.name:
        return Turn(**_of_runs(entry, times, asked[kind]), **facts)
    last = entry.last_run_at
    if last is None or last < times[0] - _SLACK:
        return Turn(fate=Fate.MISSED, words="it did not run", **facts)
    if last >= end + _SLACK:
        return Turn(fate=Fate.UNKNOWN, words="it ran later; whether it did on that day is not kept", **facts)
    return Turn(fate=Fate.KEPT, words="it ran", **facts)


_SLACK = timedelta(minutes=2)


def _of_runs(entry: PeriodicTask, times: list[datetime], done: int) -> dict[str, Any]:
    if done == 0:
        if entry.last_run_at is not None and entry.last_run_at >= times[0] - _SLACK:
            words = "it had its turn, but no run came of it: it was refused, or an equal one was under way"
            return {"fate": Fate.REFUSED, "words": words, "done": 0}
        return {"fate": Fate.MISSED, "words": "it did not run", "done": 0}
    if entry.crontab_id is not None and done < len(times) < DUE_MOST:
        return {"fate": Fate.FEWER, "words": f"{done} of {len(times)} runs were asked for", "done": done}
    return {"fate": Fate.KEPT, "words": "it ran", "done": done}


def _kind(entry: PeriodicTask) -> str:
    try:
        given = json.loads(entry.kwargs or "{}")
        found = given.get("kind") or next(iter(json.loads(entry.args or "[]")), "")
    except (ValueError, AttributeError, TypeError):
        return ""
    return str(found)


def due_times(entry: PeriodicTask, start: datetime, end: datetime) -> list[datetime] | None:
    """When an entry is due in ``start <= t < end``; None where that cannot be reckoned (the sun's times)."""
    if entry.start_time and entry.start_time > start:
        start = entry.start_time
    if entry.expires and entry.expires < end:
        end = entry.expires
    if start >= end or (entry.one_off and entry.last_run_at is not None and entry.last_run_at < start):
        return []
    if entry.crontab_id is not None:
        return _by_crontab(entry.crontab, start, end)
    if entry.interval_id is not None:
        return _by_interval(entry, start, end)
    if entry.clocked_id is not None:
        return [entry.clocked.clocked_time] if start <= entry.clocked.clocked_time < end else []
    return None


def _by_crontab(row: Any, start: datetime, end: datetime) -> list[datetime]:
    rule, zone = row.schedule, row.timezone
    found: list[datetime] = []
    day = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end and len(found) < DUE_MOST:
        # celery counts Sunday as 0, Python's isoweekday as 7
        fits = day.isoweekday() % 7 in rule.day_of_week and day.day in rule.day_of_month
        if fits and day.month in rule.month_of_year:
            times = (day.replace(hour=h, minute=m) for h in sorted(rule.hour) for m in sorted(rule.minute))
            found += [time for time in times if start <= time < end]
        day = (day + timedelta(days=1)).replace(hour=0)
    return found[:DUE_MOST]


def _by_interval(entry: PeriodicTask, start: datetime, end: datetime) -> list[datetime]:
    """An interval counts from the turn before; where none is kept before the stretch it is taken from its start."""
    period = entry.interval.schedule.run_every
    if period <= timedelta(0):
        return []
    last = entry.last_run_at
    time = last + period if last is not None and last + period > start and last < start else start + period
    if time >= end:
        return [last] if last is not None and start <= last < end else []
    count = min(-((time - end) // period), DUE_MOST)
    return [time + n * period for n in range(count)]
