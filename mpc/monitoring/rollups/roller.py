"""The roller: takes marks in small batches and reckons their days, and the months of those, anew.

One batch is one transaction. It locks its series in the order of their keys, as every writer of measurements does. Who
has the lock of a series sees all its values and marks, for their writers have ended; so what is reckoned then is true,
and exactly the marks that were seen are taken away. One that is written later stays for the next batch. A roller that
is killed leaves its marks; two rollers at once wait for one another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db import transaction

from mpc.monitoring.limits import Limits
from mpc.monitoring.models import DirtyBucket, Measurement, Resolution, Rollup, Series
from mpc.monitoring.rollups.statistics import Buckets, Integers
from mpc.monitoring.rollups.storing import add_buckets, put_buckets
from mpc.monitoring.rollups.times import day_number, day_of, month_start, next_month, utc_day
from mpc.monitoring.rollups.values import (
    Values,
    bucket_key,
    buckets_of,
    joined,
    outside_of,
    read_values,
    series_and_day,
)

FEWEST, MOST = 20, 4000
"""Marks of one batch; as many as take about ``AIM_S`` seconds."""
AIM_S = 0.4
MONTHS_AT_ONCE = 12
SPAN_VALUES = 40_000
"""Values of one transaction of a rebuild, as far as one month of one series allows."""


# --- Batches of marks ------------------------------------------------------------------------------------------------
@dataclass
class Roller:
    """Rolls batch after batch; the size of a batch follows how long the last one took."""

    size: int = 400

    def roll_all(self, *, for_s: float = float("inf")) -> int:
        """Take marks until none is left or the time is over; hands back how many were taken."""
        end = time.monotonic() + for_s
        taken = 0
        while (found := self.roll()) and time.monotonic() < end:
            taken += found
        return taken + found

    def roll(self) -> int:
        """Take one batch; 0 when there was no mark."""
        began = time.monotonic()
        taken = roll_batch(self.size)
        took = time.monotonic() - began
        if taken:
            factor = 0.5 if took > 2 * AIM_S else 1.5 if took < AIM_S / 2 else 1.0
            self.size = int(min(MOST, max(FEWEST, self.size * factor)))
        return taken


def roll_batch(limit: int) -> int:
    """One batch of at most ``limit`` marks, oldest first; hands back how many were taken away."""
    marks = list(DirtyBucket.objects.order_by("pk").values_list("series_id", "day")[:limit])
    whole = sorted({series for series, day in marks if day is None})
    if whole:
        return sum(_spell_out(series) for series in whole[:MONTHS_AT_ONCE])
    months = list(dict.fromkeys(month_start(day) for _, day in marks))[:MONTHS_AT_ONCE]
    places = {(series, day) for series, day in marks if month_start(day) in months}
    return _roll_days(places) if places else 0


@transaction.atomic
def _spell_out(series: int) -> int:
    """Put a mark on each day of a series instead of the mark on all of it."""
    if not Series.objects.select_for_update(no_key=True).filter(pk=series).exists():
        return 0
    seen = list(DirtyBucket.objects.filter(series=series, day=None).values_list("pk", flat=True))
    if not seen:
        return 0
    days = set(Rollup.objects.filter(series=series).values_list("start", flat=True))
    # What is hidden may have been counted.
    days |= set(Measurement.objects.filter(series=series).order_by().values_list("time__date", flat=True).distinct())
    DirtyBucket.objects.bulk_create([DirtyBucket(series_id=series, day=d) for d in sorted(days)], batch_size=1000)
    DirtyBucket.objects.filter(pk__in=seen).delete()
    return len(seen)


@transaction.atomic
def _roll_days(places: set[tuple[int, date]]) -> int:
    keys = sorted({series for series, _ in places})
    locked = list(Series.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))
    days = {day for _, day in places}
    there = DirtyBucket.objects.filter(series__in=keys, day__in=days).values_list("pk", "series_id", "day")
    seen = [(pk, series, day) for pk, series, day in there if (series, day) in places]
    if not seen:
        return 0
    wanted = sorted({(series, day_number(day)) for _, series, day in seen})
    series_keys = np.array([s for s, _ in wanted], dtype=np.int64)
    day_keys = np.array([d for _, d in wanted], dtype=np.int64)
    months = day_keys.astype("datetime64[D]").astype("datetime64[M]")
    values = joined([_of_month(months, series_keys, month) for month in np.unique(months)])
    outside = outside_of(values, locked, Limits.load(sorted({s.metric_id for s in locked})))
    first_days = months.astype("datetime64[D]").astype(np.int64)
    for resolution, starts in ((Resolution.DAY, day_keys), (Resolution.MONTH, first_days)):
        asked = np.unique(bucket_key(series_keys, starts))
        found = buckets_of(values, outside, resolution)
        _replace(resolution, asked, found.chosen(np.isin(found.key, asked)))
    DirtyBucket.objects.filter(pk__in=[pk for pk, _, _ in seen]).delete()
    return len(seen)


def _of_month(months: np.ndarray, series: Integers, month: np.datetime64) -> Values:
    first = month.astype("datetime64[D]").astype(object)
    return read_values(np.unique(series[months == month]).tolist(), first, next_month(first))


def _replace(resolution: str, asked: Integers, found: Buckets) -> None:
    """Put the buckets that were found; those that were asked for and have no values any more go."""
    put_buckets(resolution, found)
    empty: dict[int, list[int]] = {}
    for series, day in zip(*series_and_day(np.setdiff1d(asked, found.key)), strict=True):
        empty.setdefault(int(day), []).append(int(series))
    for day, series in empty.items():
        Rollup.objects.filter(resolution=resolution, start=day_of(day), series__in=series).delete()


# --- All anew --------------------------------------------------------------------------------------------------------
def rebuild(series: Sequence[int] | None = None, say: Callable[[str], object] = lambda text: None) -> int:
    """Reckon all buckets of these series (keys; None: all) anew from the measurements, and take their marks away.

    Hands back the number of values. Whole months of few series at a time, each in a transaction of its own.
    """
    chosen = Series.objects.order_by("pk")
    if series is not None:
        chosen = chosen.filter(pk__in=list(series))
    total = 0
    for group, spans in _work(chosen):
        for since, until in spans:
            total += _rebuild_span([s.pk for s in group], since, until)
        say(f"{total} values")
    return total


Span = tuple[date | None, date | None]


def _work(chosen: Iterable[Series]) -> Iterator[tuple[list[Series], list[Span]]]:
    """Small series together, large ones alone in spans of months."""
    group: list[Series] = []
    held = 0
    for one in chosen:
        if one.count > SPAN_VALUES:
            yield [one], _spans(one)
            continue
        if group and held + one.count > SPAN_VALUES:
            yield group, [(None, None)]
            group, held = [], 0
        group.append(one)
        held += max(one.count, 100)
    if group:
        yield group, [(None, None)]


def _spans(series: Series) -> list[Span]:
    if series.first_time is None or series.last_time is None:
        return [(None, None)]
    first, last = month_start(utc_day(series.first_time)), month_start(utc_day(series.last_time))
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    step = max(1, months * SPAN_VALUES // series.count)
    edges: list[date | None] = [None]
    at, passed = first, 0
    while at < last:
        at, passed = next_month(at), passed + 1
        if passed % step == 0:
            edges.append(at)
    return list(zip(edges, [*edges[1:], None], strict=True))


@transaction.atomic
def _rebuild_span(series: list[int], since: date | None, until: date | None) -> int:
    """All buckets from the first of a month to before the first of another."""
    locked = list(Series.objects.select_for_update(no_key=True).filter(pk__in=series).order_by("pk"))
    marks = DirtyBucket.objects.filter(series__in=series)
    stale = Rollup.objects.filter(series__in=series)
    if since is not None:
        marks, stale = marks.filter(day__gte=since), stale.filter(start__gte=since)
    if until is not None:
        marks, stale = marks.filter(day__lt=until), stale.filter(start__lt=until)
    marks.delete()  # a writer of these series waits for their locks, so no mark comes meanwhile
    stale.delete()
    if since is None and until is None:
        DirtyBucket.objects.filter(series__in=series, day=None).delete()
    values = read_values(series, since, until)
    outside = outside_of(values, locked, Limits.load(sorted({s.metric_id for s in locked})))
    for resolution in (Resolution.DAY, Resolution.MONTH):
        add_buckets(resolution, buckets_of(values, outside, resolution))
    return len(values)


def pending() -> dict[str, object]:
    """How many marks wait, and since when the oldest does."""
    oldest = DirtyBucket.objects.order_by("pk").values_list("marked_at", flat=True).first()
    return {"marks": DirtyBucket.objects.count(), "oldest": oldest}
