"""What should have been there on the day and was not: turns of the schedule, workers, arrivals, values of series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from mpc.monitoring.digests.content import Cell, Day, Grid, Link, Section, cell, fact, grid, grids
from mpc.monitoring.digests.making import first_moment
from mpc.monitoring.digests.sections.words import count, listed
from mpc.monitoring.models import ChangePoint, DetectorMode
from mpc.products.models import Product
from mpc.runs import punctuality
from mpc.runs.models import QueueState, Worker
from mpc.runs.punctuality import Fate, Turn

UNITS_SEEN_DAYS = 30
"""A unit of which something came within so many days is one of which something is expected."""

SILENT = Link("monitoring:changes", {}, {"kind": "silence", "mode": "live", "gone": "false"})

WORKER_GAP = timedelta(minutes=10)
"""Shorter times without a worker are restarts."""


def what_was_missing(day: Day) -> Section:
    turns = punctuality.turns(day.start, day.end)
    late = punctuality.missed(turns)
    workers = WorkerDay.of(day)
    units, silent_units = expected_units(day.start, day.end)
    silent = silent_series(day.end)
    lost = _lost_time(workers.gaps)
    gaps = [f"{turn.entry}: {turn.words}" for turn in turns if turn.fate == Fate.UNKNOWN]
    if not units:
        gaps.append(
            f"No product came within the {UNITS_SEEN_DAYS} days before, so nothing says that one was due of any unit."
        )
    if not turns:
        gaps.append("The schedule had no entry that was due.")
    known = bool(units or turns or workers.any)
    said = listed(
        (
            f"{count(len(late), 'turn')} of the schedule missed" if late else "",
            f"nothing came of {listed(u.unit for u in silent_units)}" if silent_units else "",
            f"{count(len(silent), 'series', 'series')} fell silent" if silent else "",
            f"no worker for {lost}" if workers.gaps else "",
            f"no worker for the queue {listed(workers.unserved)}" if workers.unserved and workers.any else "",
        )
    )
    return Section(
        key="missing",
        title="What did not run or arrive",
        sign="failed" if said else "passed" if known else "not_checked",
        summary=said or ("everything that was due was there" if known else "nothing is known to have been due"),
        facts=(
            fact("Entries of the schedule that were due", len(turns)),
            fact("of them missed or incomplete", len(late)),
            fact("Units of which something was expected", len(units), Link("products:list")),
            fact("Series that are silent", len(silent), SILENT),
            fact("Time without a worker", lost or ("none" if known else "not known"), Link("runs:workers")),
        ),
        tables=grids(_late(late, day), _units(silent_units, day), _silent(silent), _gaps(workers)),
        gaps=tuple(gaps),
    )


# --- The schedule ----------------------------------------------------------------------------------------------------
def _late(late: Sequence[Turn], day: Day) -> Grid:
    rows = [
        [
            cell(turn.entry, _asked(turn, day)),
            turn.kind,
            turn.words,
            "" if turn.due is None else turn.due,
            turn.last_due,
            turn.last_run_at,
        ]
        for turn in late
    ]
    columns = ("Entry", "Kind of run", "What became of it", "Due", "Last due (UTC)", "Last turn (UTC)")
    return grid("Schedule", columns, rows)


def _asked(turn: Turn, day: Day) -> Link | None:
    return Link("runs:list", {}, day.query("since", "until", kind=turn.kind, trigger="schedule")) if turn.kind else None


# --- Units -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class UnitWait:
    """A unit of which nothing came; ``last`` is when something did."""

    unit: str
    last: datetime


def expected_units(start: datetime, end: datetime) -> tuple[list[str], list[UnitWait]]:
    """The units of which something came within 30 days before ``end``, and those of which nothing came since ``start``.
    One query."""
    since = end - timedelta(days=UNITS_SEEN_DAYS)
    rows = Product.objects.filter(taken_in__gte=since, taken_in__lt=end).order_by()
    newest = dict(rows.values_list("unit").annotate(last=Max("taken_in")))
    units = sorted(unit for unit in newest if unit)
    return units, [UnitWait(unit, newest[unit]) for unit in units if newest[unit] < start]


def _units(waiting: Sequence[UnitWait], day: Day) -> Grid:
    rows = [
        [
            Cell(w.unit, Link("products:list", {}, {"unit": w.unit}), is_unit=True),
            w.last,
            f"{(day.end - w.last) / timedelta(days=1):.1f} days",
        ]
        for w in waiting
    ]
    return grid("Units of which nothing came", ("Unit", "Last arrival (UTC)", "Before the end of the day"), rows)


# --- Series ----------------------------------------------------------------------------------------------------------
def silent_series(end: datetime, limit: int | None = None) -> list[ChangePoint]:
    """What the live detectors called silent by ``end`` and had not taken back by then, the newest first."""
    found = ChangePoint.objects.filter(kind="silence", mode=DetectorMode.LIVE, found_at__lt=end)
    still = found.filter(gone_at__isnull=True) | found.filter(gone_at__gte=end)
    return list(still.select_related("series__metric").order_by("-time", "-pk")[:limit])


def _silent(silent: Sequence[ChangePoint]) -> Grid:
    rows = [
        [
            cell(change.series.metric.name, Link("monitoring:trend", {"code": change.series.metric_id})),
            change.series.part,
            change.time,
            change.text,
        ]
        for change in silent
    ]
    return grid(
        "Series that fell silent",
        ("Metric", "Series", "Silent since (UTC)", "What the detector says"),
        rows,
        SILENT,
    )


# --- Workers ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class WorkerDay:
    """When no worker was alive, and which queues none served. ``any``: at least one was there."""

    gaps: tuple[tuple[datetime, datetime], ...]
    unserved: tuple[str, ...]
    any: bool

    @classmethod
    def of(cls, day: Day) -> WorkerDay:
        there = list(Worker.objects.filter(started_at__lt=day.end, last_seen_at__gte=day.start).order_by("started_at"))
        served = {name for worker in there for name in worker.queues}
        queues = QueueState.objects.order_by("name").values_list("name", flat=True)
        began = max(day.start, first_moment() or day.end)
        spans = [(max(w.started_at, day.start), min(w.stopped_at or w.last_seen_at, day.end)) for w in there]
        return cls(
            gaps=tuple(holes(spans, min(began, day.end), day.end)),
            unserved=tuple(name for name in queues if name not in served),
            any=bool(there),
        )


def holes(
    spans: Sequence[tuple[datetime, datetime]], start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """The times of at least ten minutes between ``start`` and ``end`` that no span covers; spans by their beginning."""
    found = []
    covered = start
    for begin, stop in [*spans, (end, end)]:
        if begin - covered >= WORKER_GAP:
            found.append((covered, begin))
        covered = max(covered, stop)
    return found


def _lost_time(gaps: Sequence[tuple[datetime, datetime]]) -> str:
    minutes = round(sum((stop - begin for begin, stop in gaps), timedelta()) / timedelta(minutes=1))
    if not minutes:
        return ""
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def _gaps(workers: WorkerDay) -> Grid:
    rows = [["all queues", begin, stop] for begin, stop in workers.gaps]
    if workers.any:
        rows += [[name, "the whole day", ""] for name in workers.unserved]
    return grid("No worker", ("Queue", "From (UTC)", "To (UTC)"), rows, Link("runs:workers"))
