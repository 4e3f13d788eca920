"""``read_series``: the values of series for a plot, at the finest resolution that fits, and always current.

The table of measurements is never scanned: what there is, is reckoned from the roll-ups; values are reached by series
and time, and a read stops one row after what fits. Buckets whose marks the roller has not taken yet are reckoned here
from the values, in memory, so a plot neither waits for the roller nor writes. How many queries it takes depends neither
on the number of series nor on that of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connections
from django.db.models import Count, QuerySet, Sum
from numpy.typing import NDArray

from mpc.monitoring.archive.files import read_months
from mpc.monitoring.archive.touching import archived_between
from mpc.monitoring.limits import Limits
from mpc.monitoring.models import ArchivedMonth, Measurement, Resolution, Rollup, Series
from mpc.monitoring.rollups.merging import Asked, Dirty, fresh_buckets, marked, merged
from mpc.monitoring.rollups.statistics import Buckets, Floats, Integers
from mpc.monitoring.rollups.times import Epoch, EpochDay, month_start, next_month
from mpc.monitoring.rollups.values import (
    ARCHIVED,
    bucket_key,
    buckets_of,
    outside_of,
    read_values,
    series_and_day,
    values_from,
)
from mpc.products.models import Product

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_POINTS = 20_000
VALUE = "value"
RESOLUTIONS = (VALUE, Resolution.DAY.value, Resolution.MONTH.value)
SHORT_DAYS = 100
"""Up to so many days what fits is counted by days, beyond that by months."""


@dataclass(frozen=True)
class SeriesArrays:
    """One series, one element a point, by time. Floats are in the metric's unit, NaN where there is none.

    ``times`` is the time of the value (whole seconds, UTC); of a day its noon, of a month its middle, so that a bucket
    stands where its values are: ``times.astype("datetime64[D]")`` or ``"datetime64[M]"`` gives the day or month.
    ``value`` is the value, or the median. ``low`` and ``high`` are the 5 % and 95 % percentiles. ``spread`` is the
    sample standard deviation of the values of the bucket. ``uncertainty`` is the standard uncertainty (k = 1) of the
    value, or of the mean. ``samples`` sums the sample sizes; ``out_of_limits`` counts values outside of the limits.

    What lies behind a point is known for values only: key, run, product (0: none), name of the product, kind of job.
    """

    times: NDArray[np.datetime64]
    value: Floats
    mean: Floats
    low: Floats
    high: Floats
    minimum: Floats
    maximum: Floats
    spread: Floats
    uncertainty: Floats
    count: Integers
    samples: Integers
    out_of_limits: Integers
    pk: Integers | None = None
    run: Integers | None = None
    product: Integers | None = None
    product_name: NDArray[np.str_] | None = None
    job_kind: NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True)
class Readings:
    """What was read. ``resolution`` is "value", "day" or "month"; ``why`` says so to people. Every series that was
    asked for has its arrays, empty ones where it has nothing in the time."""

    resolution: str
    why: str
    by_series: dict[int, SeriesArrays] = field(default_factory=dict)

    @property
    def points(self) -> int:
        return sum(len(arrays) for arrays in self.by_series.values())


def read_series(
    series: Sequence[Series],
    since: datetime | None,
    until: datetime | None,
    max_points: int = MAX_POINTS,
    resolution: str = "auto",
) -> Readings:
    """Read series from ``since`` on to before ``until`` (with a zone; None: as far as there is).

    The finest resolution whose points fit ``max_points`` is taken; ``resolution`` asks for one of "value", "day" and
    "month", and where that does not fit the next coarser is taken. Days and months are whole: the first and the last
    reach beyond the times asked for. Months are never refused. Raises ValueError for an unknown resolution.
    """
    if resolution != "auto" and resolution not in RESOLUTIONS:
        raise ValueError(f"unknown resolution “{resolution}”; known are auto, {', '.join(RESOLUTIONS)}")
    asked = Asked([s for s in series if s.first_time is not None], since, until, max_points)
    found = _read(asked, resolution)
    empty = _empty(found.resolution)
    return Readings(found.resolution, found.why, {s.pk: found.by_series.get(s.pk, empty) for s in series})


def _read(asked: Asked, resolution: str) -> Readings:
    if not asked.series:
        return Readings(VALUE if resolution == "auto" else resolution, "There is no value yet.")
    values, days = _expected(asked)
    if resolution in ("auto", VALUE) and values <= asked.max_points:
        found = _read_values(asked)
        if found is not None:
            return found
        # The roll-ups do not know of all values yet: as many as the series say, on as many days as there may be.
        values = sum(s.count for s in asked.series)
        first, end = asked.span()
        days = min(values, (end - first).days * len(asked.series))
    dirty = marked(asked)
    many = f"{_thousands(values)} values are too many to be drawn one by one"
    if resolution == Resolution.MONTH:
        return _read_buckets(asked, Resolution.MONTH, "Each point is a month, as asked.", dirty)
    if days <= asked.max_points:
        why = "as asked" if resolution == Resolution.DAY else many
        return _read_buckets(asked, Resolution.DAY, f"Each point is a day: {why}.", dirty)
    many = f"{_thousands(values)} values and {_thousands(days)} days are too many to be drawn one by one"
    return _read_buckets(asked, Resolution.MONTH, f"Each point is a month: {many}.", dirty)


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", " ")


# --- How much there is ---------------------------------------------------------------------------------------------
def _expected(asked: Asked) -> tuple[int, int]:
    """About how many values and how many days of series there are; one query at most."""
    total = sum(s.count for s in asked.series)
    first, end = asked.span()
    length = max((end - first).days, 0)
    if total <= asked.max_points:
        return total, min(total, length * len(asked.series))
    rows = Rollup.objects.filter(series__in=asked.keys)
    if length <= SHORT_DAYS:
        rows = rows.filter(resolution=Resolution.DAY, start__gte=first, start__lt=end)
        found = rows.aggregate(values=Sum("count"), days=Count("pk"))
        return found["values"] or 0, found["days"]
    rows = rows.filter(resolution=Resolution.MONTH, start__gte=month_start(first), start__lt=end)
    by_month = rows.order_by().values("start").annotate(values=Sum("count"), parts=Count("series"))
    values = days = 0.0
    for row in by_month.values_list("start", "values", "parts"):
        start, count, parts = row
        after = next_month(start)
        whole = (after - start).days
        inside = (min(after, end) - max(start, first)).days
        values += count * inside / whole
        days += min(parts * inside, count * inside / whole)
    return round(values), round(days)


# --- Values --------------------------------------------------------------------------------------------------------
def _bounded(rows: QuerySet, since: datetime | None, until: datetime | None) -> QuerySet:
    if since is not None:
        rows = rows.filter(time__gte=since)
    if until is not None:
        rows = rows.filter(time__lt=until)
    return rows


def _read_values(asked: Asked) -> Readings | None:
    """Each value; None when there are more than fit (the roll-ups did not know of them yet)."""
    shown = _bounded(Measurement.objects.shown().filter(series__in=asked.keys), asked.since, asked.until)
    columns = (
        *("series_id", Epoch("time"), "value", "uncertainty", "samples"),
        *("pk", "run_id", "product_id", "product__name", "job_kind"),
    )
    while True:
        months = archived_between(asked.first_day, asked.end_day)
        rows = list(shown.order_by().values_list(*columns)[: asked.max_points + 1])
        if months and len(rows) <= asked.max_points:
            rows += _archived(asked, months, asked.max_points + 1 - len(rows))
        # A month that went to its file or came back between the looks would be missing or twice.
        if not months or archived_between(asked.first_day, asked.end_day) == months:
            break
    if len(rows) > asked.max_points:
        return None
    why = f"Each value is drawn: {_thousands(len(rows))} fit into one plot."
    if not rows:
        return Readings(VALUE, "There is no value in this time.")
    values = values_from([row[:5] for row in rows])
    outside = outside_of(values, asked.series, Limits.load(sorted({s.metric_id for s in asked.series})))
    pk, run, product, name, kind = zip(*(row[5:] for row in rows), strict=True)
    behind = {
        "pk": np.array(pk, dtype=np.int64),
        "run": np.array(run, dtype=np.int64),
        "product": np.array([one or 0 for one in product], dtype=np.int64),
        "product_name": np.array([one or "" for one in name]),
        "job_kind": np.array(kind),
    }
    by_series = {}
    for key, own in _groups(values.series, values.seconds, behind["pk"]):
        value = values.value[own]
        by_series[key] = SeriesArrays(
            times=values.times[own],
            value=value,
            mean=value,
            low=value,
            high=value,
            minimum=value,
            maximum=value,
            spread=np.full(len(own), np.nan),
            uncertainty=values.uncertainty[own],
            count=np.ones(len(own), dtype=np.int64),
            samples=values.samples[own],
            out_of_limits=outside[own].astype(np.int64),
            **{column: array[own] for column, array in behind.items()},
        )
    return Readings(VALUE, why, by_series)


def _archived(asked: Asked, months: list[ArchivedMonth], limit: int) -> list[tuple[Any, ...]]:
    """At most so many rows of archived months, in the columns of the others."""
    columns = (*ARCHIVED, "id", "run_id", "product_id", "job_kind")
    bounds = {
        name: round((moment - _EPOCH) / timedelta(microseconds=1))
        for name, moment in (("since_us", asked.since), ("until_us", asked.until))
        if moment is not None
    }
    rows = read_months([m.file for m in months], columns, series=asked.keys, limit=limit, **bounds)
    products = sorted({row[7] for row in rows if row[7]})
    names: dict[int, str] = {}
    for start in range(0, len(products), 10_000):
        own = Product.objects.filter(pk__in=products[start : start + 10_000])
        names |= dict(own.order_by().values_list("pk", "name"))
    return [
        (series, us // 1_000_000, value, uncertainty, samples, pk, run, product, names.get(product, ""), kind)
        for series, us, value, uncertainty, samples, pk, run, product, kind in rows
    ]


def _groups(series: Integers, *order: Integers) -> list[tuple[int, Integers]]:
    """The series and the places of its elements, in the given order, for each series."""
    if not len(series):
        return []
    sorting = np.lexsort((*reversed(order), series))
    ordered = series[sorting]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    parts = np.split(sorting, starts[1:])
    return [(int(key), part) for key, part in zip(ordered[starts], parts, strict=True)]


# --- Days and months -------------------------------------------------------------------------------------------------
_COLUMNS = (
    *("count", "samples", "mean", "median", "p05", "p95", "minimum", "maximum", "spread", "uncertainty"),
    "out_of_limits",
)


def _read_buckets(asked: Asked, resolution: Resolution, why: str, dirty: Dirty) -> Readings:
    rows = Rollup.objects.filter(series__in=asked.keys, resolution=resolution)
    first, end = asked.first_day, asked.end_day
    if first is not None:
        rows = rows.filter(start__gte=month_start(first) if resolution == Resolution.MONTH else first)
    if end is not None:
        rows = rows.filter(start__lt=end)
    read = _rows(rows.order_by().values_list("series_id", EpochDay("start"), *_COLUMNS))
    stored = _stored(read)
    fresh, note = fresh_buckets(asked, resolution, dirty)
    if fresh is not None:
        stored = merged(stored, *fresh)
    series, days = series_and_day(stored.key)
    middle = _middle(days, resolution)
    by_series = {}
    for key, own in _groups(series, days):
        by_series[key] = SeriesArrays(
            times=middle[own],
            value=stored.median[own],
            mean=stored.mean[own],
            low=stored.low[own],
            high=stored.high[own],
            minimum=stored.minimum[own],
            maximum=stored.maximum[own],
            spread=stored.spread[own],
            uncertainty=stored.uncertainty[own],
            count=stored.count[own],
            samples=stored.samples[own],
            out_of_limits=stored.out_of_limits[own],
        )
    return Readings(resolution.value, f"{why} {note}".strip(), by_series)


def _rows(query: QuerySet) -> list[tuple[object, ...]]:
    """All rows as the database's module gives them: whole numbers and floats need nothing done to them."""
    sql, parameters = query.query.sql_with_params()
    with connections[query.db].cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def _stored(rows: list[tuple[object, ...]]) -> Buckets:
    if not rows:
        return buckets_of(values_from([]), np.zeros(0, dtype=bool), Resolution.DAY)
    columns = list(zip(*rows, strict=True))
    whole = {0, 1, 10}
    numbers = [np.array(c, dtype=np.int64 if i in whole else np.float64) for i, c in enumerate(columns[2:])]
    key = bucket_key(np.array(columns[0], dtype=np.int64), np.array(columns[1], dtype=np.int64))
    return Buckets(key, *numbers)


def _middle(days: Integers, resolution: str) -> NDArray[np.datetime64]:
    start = days.astype("datetime64[D]")
    if resolution == Resolution.DAY:
        return start.astype("datetime64[s]") + np.timedelta64(12, "h")
    after = (start.astype("datetime64[M]") + 1).astype("datetime64[D]").astype("datetime64[s]")
    begin = start.astype("datetime64[s]")
    return begin + (after - begin) // 2


def _empty(resolution: str) -> SeriesArrays:
    none, nothing = np.zeros(0), np.zeros(0, dtype=np.int64)
    behind = (
        (nothing, nothing, nothing, np.array([], dtype=str), np.array([], dtype=str)) if resolution == VALUE else ()
    )
    times = nothing.astype("datetime64[s]")
    return SeriesArrays(times, *[none] * 8, *[nothing] * 3, *behind)


__all__ = ["MAX_POINTS", "RESOLUTIONS", "VALUE", "Readings", "SeriesArrays", "read_series", "read_values"]
