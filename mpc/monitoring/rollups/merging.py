"""Buckets whose marks the roller has not taken yet: reckoned in memory for one reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Q

from mpc.monitoring.archive.touching import archived_between
from mpc.monitoring.limits import Limits
from mpc.monitoring.models import DirtyBucket, Measurement, Resolution, Series
from mpc.monitoring.rollups.statistics import Buckets, Integers
from mpc.monitoring.rollups.times import Epoch, EpochDay, midnight, month_start, months_of, next_month, utc_day
from mpc.monitoring.rollups.values import (
    archived_values,
    bucket_key,
    buckets_of,
    joined,
    outside_of,
    series_and_day,
    values_from,
)

MERGED_DAYS, MERGED_VALUES = 2000, 60_000
"""So many marked days, and so many values of them, are reckoned for one plot; the rest waits for the roller."""
STRETCHES = 60


@dataclass(frozen=True)
class Asked:
    series: list[Series]
    since: datetime | None
    until: datetime | None
    max_points: int

    @property
    def keys(self) -> list[int]:
        return [s.pk for s in self.series]

    @property
    def first_day(self) -> date | None:
        return utc_day(self.since) if self.since else None

    @property
    def end_day(self) -> date | None:
        """The day after the last."""
        if self.until is None:
            return None
        return utc_day(self.until - timedelta(microseconds=1)) + timedelta(days=1)

    def span(self) -> tuple[date, date]:
        """The days in which there can be something, the second not included."""
        first = min(utc_day(s.first_time) for s in self.series if s.first_time)
        last = max(utc_day(s.last_time) for s in self.series if s.last_time) + timedelta(days=1)
        return max(first, self.first_day or first), min(last, self.end_day or last)


@dataclass(frozen=True)
class Dirty:
    series: Integers
    days: Integers
    left: bool
    """There are more marks than are looked at."""


def marked(asked: Asked) -> Dirty:
    """The marks of the series in the time; one query, before anything else is read."""
    marks = DirtyBucket.objects.filter(series__in=asked.keys, day__isnull=False)
    first, end = asked.first_day, asked.end_day
    if first is not None:
        marks = marks.filter(day__gte=month_start(first))
    if end is not None:
        marks = marks.filter(day__lt=next_month(end))
    places = marks.order_by().values_list("series_id", EpochDay("day")).distinct()
    rows = list(places[: MERGED_DAYS + 1])
    left = len(rows) > MERGED_DAYS
    pairs = np.array(rows[:MERGED_DAYS], dtype=np.int64).reshape(-1, 2)
    return Dirty(pairs[:, 0], pairs[:, 1], left)


def fresh_buckets(asked: Asked, resolution: Resolution, dirty: Dirty) -> tuple[tuple[Integers, Buckets] | None, str]:
    """The marked buckets as they are now: their keys and those that have values; one query and one for the limits."""
    if not len(dirty.days):
        return None, ""
    starts = dirty.days if resolution == Resolution.DAY else months_of(dirty.days)
    wanted = np.unique(bucket_key(dirty.series, starts))
    waiting = "Some of it was measured a moment ago and is still being reckoned."
    place = Q()
    stretches = _stretches(series_and_day(wanted)[1], resolution)
    for begin, after in stretches:
        place |= Q(time__gte=midnight(begin), time__lt=midnight(after))
    shown = Measurement.objects.shown().filter(place, series__in=np.unique(dirty.series).tolist()).order_by()
    columns = ("series_id", Epoch("time"), "value", "uncertainty", "samples")
    rows = list(shown.values_list(*columns)[: MERGED_VALUES + 1])
    if len(rows) > MERGED_VALUES:
        return None, waiting
    first, after = stretches[0][0], stretches[-1][1]
    archived = archived_values(archived_between(first, after), np.unique(dirty.series).tolist(), first, after)
    values = joined([values_from(rows), archived])
    outside = outside_of(values, asked.series, Limits.load(sorted({s.metric_id for s in asked.series})))
    found = buckets_of(values, outside, resolution)
    # The stretches hold days of series that are not marked, too, and maybe in part.
    return (wanted, found.chosen(np.isin(found.key, wanted))), waiting if dirty.left else ""


def _stretches(starts: Integers, resolution: str) -> list[tuple[date, date]]:
    """Few stretches of time that hold all these days or months: those that touch are one; many days are months."""
    days = np.unique(starts).astype("datetime64[D]")
    if resolution == Resolution.MONTH or np.count_nonzero(np.diff(days.astype(np.int64)) > 1) >= STRETCHES:
        begins = np.unique(days.astype("datetime64[M]"))
        ends = begins + 1
    else:
        begins, ends = days, days + 1
    gaps = np.flatnonzero(begins[1:] > ends[:-1])
    first = begins[np.r_[0, gaps + 1]].astype("datetime64[D]").astype(object)
    last = ends[np.r_[gaps, len(ends) - 1]].astype("datetime64[D]").astype(object)
    return list(zip(first, last, strict=True))


def merged(stored: Buckets, wanted: Integers, fresh: Buckets) -> Buckets:
    """The stored buckets with those that were asked for replaced."""
    kept = stored.chosen(~np.isin(stored.key, wanted))
    return Buckets(
        *(np.concatenate([getattr(kept, name), getattr(fresh, name)]) for name in Buckets.__dataclass_fields__)
    )
