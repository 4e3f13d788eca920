"""The shown values of series as arrays, and what buckets they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from mpc.monitoring.archive.files import read_months
from mpc.monitoring.archive.touching import archived_between
from mpc.monitoring.limits import Limits
from mpc.monitoring.models import ArchivedMonth, Measurement, Resolution, Series
from mpc.monitoring.rollups.statistics import Buckets, Floats, Integers, statistics_of
from mpc.monitoring.rollups.times import Epoch, day_number, midnight, months_of

_SERIES_FACTOR = 1 << 22
_DAY_SHIFT = 1 << 21
"""A bucket's key is its series times the factor plus its day (since 1970), shifted so that it is never negative."""


@dataclass(frozen=True)
class Values:
    """One element a value. ``seconds`` since 1970 UTC; ``uncertainty`` is NaN where there is none."""

    series: Integers
    seconds: Integers
    value: Floats
    uncertainty: Floats
    samples: Integers

    def __len__(self) -> int:
        return len(self.series)

    @property
    def days(self) -> Integers:
        return np.floor_divide(self.seconds, 86400)

    @property
    def times(self) -> NDArray[np.datetime64]:
        return self.seconds.astype("datetime64[s]")


def values_from(rows: Sequence[tuple[int, int, float, float | None, int]]) -> Values:
    if not rows:
        none, nothing = np.zeros(0), np.zeros(0, dtype=np.int64)
        return Values(nothing, nothing, none, none, nothing)
    series, seconds, value, uncertainty, samples = zip(*rows, strict=True)
    return Values(
        np.array(series, dtype=np.int64),
        np.array(seconds, dtype=np.int64),
        np.array(value, dtype=np.float64),
        np.array(uncertainty, dtype=np.float64),  # None becomes NaN
        np.array(samples, dtype=np.int64),
    )


def read_values(series: Iterable[int], since: date | None, until: date | None) -> Values:
    """The shown values of these series (keys) from the day ``since`` to before the day ``until``, archived ones too."""
    keys = list(series)
    while True:
        months = archived_between(since, until)
        values = joined([_of_table(keys, since, until), archived_values(months, keys, since, until)])
        # A month that went to its file between the two looks would be missing or twice.
        if archived_between(since, until) == months:
            return values


def _of_table(keys: list[int], since: date | None, until: date | None) -> Values:
    found = Measurement.objects.shown().filter(series__in=keys)
    if since is not None:
        found = found.filter(time__gte=midnight(since))
    if until is not None:
        found = found.filter(time__lt=midnight(until))
    return values_from(list(found.order_by().values_list(*COLUMNS)))


COLUMNS = ("series_id", Epoch("time"), "value", "uncertainty", "samples")
ARCHIVED = ("series_id", "time_us", "value", "uncertainty", "samples")


def archived_values(
    months: Sequence[ArchivedMonth], series: Sequence[int], since: date | None, until: date | None
) -> Values:
    """The same of these archived months."""
    if not months:
        return values_from([])
    rows = read_months([m.file for m in months], ARCHIVED, series=series, **_microseconds(since, until))
    return values_from([(s, us // 1_000_000, v, u, n) for s, us, v, u, n in rows])


def _microseconds(since: date | None, until: date | None) -> dict[str, int]:
    found = {}
    if since is not None:
        found["since_us"] = day_number(since) * 86_400_000_000
    if until is not None:
        found["until_us"] = day_number(until) * 86_400_000_000
    return found


def joined(parts: Sequence[Values]) -> Values:
    if not parts:
        return values_from([])
    return Values(
        *(np.concatenate([getattr(p, n) for p in parts]) for n in ("series", "seconds", "value", "uncertainty")),
        samples=np.concatenate([p.samples for p in parts]),
    )


def outside_of(values: Values, series: Iterable[Series], limits: Limits) -> NDArray[np.bool_]:
    """For each value, whether it lies outside the limits of its series."""
    found = np.zeros(len(values), dtype=bool)
    for one in series:
        if limits.of(one):
            own = np.flatnonzero(values.series == one.pk)
            found[own] = limits.outside(one, values.times[own], values.value[own])
    return found


# --- Buckets ---------------------------------------------------------------------------------------------------------
def bucket_key(series: Integers | int, day: Integers | int) -> Integers:
    return np.asarray(series, dtype=np.int64) * _SERIES_FACTOR + np.asarray(day, dtype=np.int64) + _DAY_SHIFT


def series_and_day(key: Integers) -> tuple[Integers, Integers]:
    return key // _SERIES_FACTOR, key % _SERIES_FACTOR - _DAY_SHIFT


def buckets_of(values: Values, outside: NDArray[np.bool_], resolution: str) -> Buckets:
    """Statistics of all days or months in which there are values; keys as of ``bucket_key``."""
    days = values.days if resolution == Resolution.DAY else months_of(values.days)
    key = bucket_key(values.series, days)
    return statistics_of(key, values.value, values.uncertainty, values.samples, outside)
