"""What the detectors saw becomes rows, inside the transaction that closes the run.

A change that is found again is the same row: same series, detector, mode and kind, and intervals that overlap. One that
is not found any more gets ``gone_at`` and stays. What follows for alerts is judged afterwards, series by series
(``Watch.judged``), so that this transaction stays short.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from mpc.jobs import Outcome, request_work
from mpc.monitoring.detecting.inputs import moment
from mpc.monitoring.detecting.plain import Found, Seen, Verdict
from mpc.monitoring.models import ChangePoint, Series, Watch, WatchMark

TEXT, REASON, FAILED = 300, 200, 300
NUMBERS = ("magnitude", "magnitude_uncertainty", "score", "before", "after")
_KEPT = (
    *("version", "time", "interval_start", "interval_end", *NUMBERS),
    *("text", "points_after", "gone_at"),
)


def store(run: Any, outcome: Outcome) -> None:
    """The job's ``finish``: changes, what was seen of each series, and the marks that are done with."""
    seen: Sequence[Seen] = outcome.results["seen"]
    start: float = outcome.results["start"]
    resting: dict[int, list[str]] = outcome.results["resting"]
    now = timezone.now()
    # Locked in one order: values of these series that are written meanwhile come after, with a mark of their own.
    locked = Series.objects.select_for_update().filter(pk__in=[s.series for s in seen]).order_by("pk")
    alive = set(locked.values_list("pk", flat=True))
    kept = [s for s in seen if s.series in alive]
    store_changes(kept, start, resting, now)
    Watch.objects.bulk_create(
        [_watch(s, run, now) for s in kept],
        update_conflicts=True,
        unique_fields=["series"],
        update_fields=[f.name for f in Watch._meta.fields if not f.primary_key],
    )
    WatchMark.objects.filter(series__in=alive, pk__lte=outcome.results["marks"]).delete()
    params = dict(run.params)
    if seen and not params.get("everything"):
        transaction.on_commit(lambda: _go_on(run.kind, params, run.requested_by))


def _go_on(kind: str, params: dict[str, Any], actor: Any) -> None:
    """The next batch, where more is marked than one run takes."""
    from mpc.monitoring.detecting.inputs import batch
    from mpc.monitoring.detecting.work import DetectParams

    if batch(DetectParams(**params)):
        request_work(kind, actor=actor, params=params, trigger="schedule")


def _watch(seen: Seen, run: Any, now: datetime) -> Watch:
    too_little = sorted({v.detector for v in seen.verdicts if v.too_little})
    failed = "; ".join(sorted({f"{v.detector}: {v.failed}" for v in seen.verdicts if v.failed}))
    return Watch(
        series_id=seen.series,
        looked_at=now,
        count=seen.count,
        by_day=seen.by_day,
        newest=None if seen.newest is None else moment(seen.newest),
        too_little=", ".join(too_little)[:REASON],
        failed=failed[:FAILED],
        breaches=[
            {
                "requirement": b.requirement,
                "since": moment(b.since).isoformat(),
                "value": b.value,
                "uncertainty": b.uncertainty,
                "limit": b.limit,
                "side": b.side,
                "back": b.back,
            }
            for b in seen.breaches
        ],
        back={str(part): points for part, points in seen.back.items()},
        run_id=run.pk,
        judged=False,
    )


def store_changes(seen: Iterable[Seen], start: float, resting: dict[int, list[str]], now: datetime) -> None:
    """Bring the rows of some series to what was seen of them. A change from before ``start`` (days), of which nothing
    was looked at, stays as it is; so does one of a detector that failed, had too little data or rests."""
    seen = list(seen)
    rows: dict[int, dict[tuple[str, str], list[ChangePoint]]] = defaultdict(lambda: defaultdict(list))
    for row in ChangePoint.objects.filter(series__in=[s.series for s in seen]).order_by("id"):
        rows[row.series_id][row.detector, row.mode].append(row)
    new: list[ChangePoint] = []
    changed: list[ChangePoint] = []
    horizon = moment(start)
    for one in seen:
        silent = {(v.detector, v.mode) for v in one.verdicts if v.failed or v.too_little}
        silent |= {(detector, "live") for detector in resting.get(one.series, ())}
        spoken = {(v.detector, v.mode): v for v in one.verdicts if not v.failed and not v.too_little}
        there = rows[one.series]
        for detector, mode in sorted(there.keys() | spoken.keys()):
            if (detector, mode) in silent:
                continue
            verdict = spoken.get((detector, mode), Verdict(detector, "", mode))
            more, other = _matched(one.series, verdict, there[detector, mode], horizon, now)
            new += more
            changed += other
    ChangePoint.objects.bulk_create(new, batch_size=500)
    ChangePoint.objects.bulk_update(changed, _KEPT, batch_size=200)


def _matched(
    series: int, verdict: Verdict, rows: Sequence[ChangePoint], horizon: datetime, now: datetime
) -> tuple[list[ChangePoint], list[ChangePoint]]:
    """New rows, and rows that changed."""
    free = list(rows)
    new, changed = [], []
    for found in verdict.found:
        values = _values(found, verdict.version)
        row = _same(found.kind, values, free)
        if row is None:
            new.append(
                ChangePoint(
                    series_id=series,
                    detector=verdict.detector,
                    mode=verdict.mode,
                    kind=found.kind,
                    found_at=now,
                    **values,
                )
            )
            continue
        free.remove(row)
        values["gone_at"] = None
        if any(getattr(row, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            changed.append(row)
    for row in free:
        if row.gone_at is None and row.time >= horizon:
            row.gone_at = now
            changed.append(row)
    return new, changed


def _values(found: Found, version: str) -> dict[str, Any]:
    numbers = {name: getattr(found, name) for name in NUMBERS}
    times = {name: moment(getattr(found, name)) for name in ("time", "interval_start", "interval_end")}
    return {"version": version, **times, **numbers, "text": found.text[:TEXT], "points_after": found.points_after}


def _same(kind: str, values: dict[str, Any], rows: Sequence[ChangePoint]) -> ChangePoint | None:
    """The row of this change: of those whose interval overlaps, one that is not gone, then the nearest in time."""
    near = [
        row
        for row in rows
        if row.kind == kind
        and row.interval_start <= values["interval_end"]
        and values["interval_start"] <= row.interval_end
    ]
    return min(near, key=lambda row: (row.gone_at is not None, abs(row.time - values["time"])), default=None)
