"""The points of a trend: read from roll-ups or values, with what each series does in them.

Nothing here scans the table of measurements: roll-ups are read by series and time, values by series and time (or by
product), and a read of values stops one row after what a plot holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpc.monitoring import reading
from mpc.monitoring.filters import Window
from mpc.monitoring.limits import Limits
from mpc.monitoring.models import Metric, Series
from mpc.monitoring.reading import Sign, band_order, bounded, signs_of
from mpc.monitoring.rollups.reading import read_series
from mpc.monitoring.trends.filters import ExplorerFilter
from mpc.ui.numbers import number

SERIES_LIMIT = 400
"""Series that one plot holds; more cannot be told apart."""

FEWEST_FOR_SHADE = 3


class TooManySeries(Exception):
    """More series fit than a plot can show."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} series fit, more than {SERIES_LIMIT}")
        self.count = count


@dataclass(frozen=True)
class Points:
    """What is drawn of one series, in order of time; all arrays have one length.

    Attributes:
        times: datetime64[s], UTC: of the value, or the middle of the bucket.
        values: the value, or the median of the bucket; the other numbers are NaN where they are not known.
        low, high: 5 and 95 % of the values of a bucket.
        uncertainty: standard (k = 1), of the value or of the mean of the bucket.
        keys: of the measurements; None for buckets.
    """

    series: Series
    sign: Sign
    times: NDArray[np.datetime64]
    values: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    spread: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    count: NDArray[np.int64]
    samples: NDArray[np.int64]
    outside: NDArray[np.int64]
    keys: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.times)

    @property
    def shaded(self) -> bool:
        """Whether the buckets hold enough values for 5 and 95 % of them to say something."""
        return bool(np.median(self.count) >= FEWEST_FOR_SHADE)

    def starts(self, resolution: str) -> NDArray[np.int64]:
        """First days of the buckets, as days since 1970."""
        unit = "datetime64[M]" if resolution == "month" else "datetime64[D]"
        return self.times.astype(unit).astype("datetime64[D]").astype(np.int64)


@dataclass(frozen=True)
class Shown:
    """All points of one metric in a trend, series in the order in which they are drawn, and why at this resolution."""

    metric: Metric
    resolution: str = "value"
    why: str = ""
    points: tuple[Points, ...] = ()

    @property
    def drawn(self) -> int:
        return sum(len(p) for p in self.points)

    @property
    def values(self) -> int:
        """How many values stand behind the points."""
        return int(sum(p.count.sum() for p in self.points))

    @property
    def bands(self) -> tuple[str, ...]:
        return tuple(sorted({p.series.band for p in self.points}, key=band_order))

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """First and last time of a point."""
        if not self.points:
            return None
        return (
            as_datetime(min(p.times[0] for p in self.points)),
            as_datetime(max(p.times[-1] for p in self.points)),
        )

    @property
    def uncertain(self) -> bool:
        return any(np.isfinite(p.uncertainty).any() for p in self.points)

    @property
    def words(self) -> str:
        """What a point is and why, in words."""
        return words_of([self])


def words_of(drawn: Sequence[Shown]) -> str:
    """What the points of a page are, in words."""
    if not drawn:
        return ""
    why = drawn[0].why
    if drawn[0].resolution == "value":
        return why
    points, values = sum(one.drawn for one in drawn), sum(one.values for one in drawn)
    shaded = any(p.shaded for one in drawn for p in one.points)
    shade = ", the shade holds 5 to 95 % of them" if shaded else ""
    return f"{why} It is the median of its values{shade}: {number(points)} points of {number(values)} values."


def as_datetime(moment: np.datetime64) -> datetime:
    return moment.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)


def read(
    metrics: Sequence[Metric],
    asked: ExplorerFilter,
    resolution: str = "auto",
    max_points: int | None = None,
) -> list[Shown]:
    """What of each metric fits a valid filter, all at one resolution; as many queries for many series as for one.

    Raises TooMany (values by product) and TooManySeries.
    """
    found = asked.qs  # chooses the series
    wanted = {metric.pk for metric in metrics}
    chosen = [s for s in asked.chosen if s.metric_id in wanted]
    if len(chosen) > SERIES_LIMIT:
        raise TooManySeries(len(chosen))
    if asked.by_product:
        points = _by_product(found.filter(series__in=[s.pk for s in chosen]), chosen, Limits.load(sorted(wanted)))
        why = "Each value is drawn: roll-ups do not know products."
        return [Shown(m, "value", why, _of(m, points)) for m in metrics]
    return read_chosen(metrics, chosen, asked.window(), resolution, max_points)


def read_chosen(
    metrics: Sequence[Metric],
    chosen: Sequence[Series],
    window: Window,
    resolution: str = "auto",
    max_points: int | None = None,
) -> list[Shown]:
    """Points of these series, as fine as fits into one page (``max_points``) unless told otherwise."""
    since, until = window
    got = read_series(chosen, since, until, max_points=max_points or reading.POINT_LIMIT, resolution=resolution)
    signs = signs_of(s for s in chosen if s.pk in got.by_series)
    points = []
    for series in chosen:
        arrays = got.by_series.get(series.pk)
        if arrays is None or not len(arrays):
            continue
        points.append(
            Points(
                series=series,
                sign=signs[series.pk],
                times=arrays.times,
                values=arrays.value,
                mean=arrays.mean,
                low=arrays.low,
                high=arrays.high,
                minimum=arrays.minimum,
                maximum=arrays.maximum,
                spread=arrays.spread,
                uncertainty=arrays.uncertainty,
                count=arrays.count,
                samples=arrays.samples,
                outside=arrays.out_of_limits,
                keys=arrays.pk if got.resolution == "value" else None,
            )
        )
    return [Shown(m, got.resolution, got.why, _of(m, points)) for m in metrics]


def _of(metric: Metric, points: Iterable[Points]) -> tuple[Points, ...]:
    """Those of one metric, in order."""
    return tuple(sorted((p for p in points if p.series.metric_id == metric.pk), key=lambda p: order(p.series)))


def _by_product(rows: Any, chosen: Sequence[Series], limits: Limits) -> list[Points]:
    """Values of some products: roll-ups know nothing of products, so the values themselves are read."""
    found = bounded(rows.values_list("series_id", "time", "value", "uncertainty", "samples", "pk"))
    known = {s.pk: s for s in chosen}
    grouped: dict[int, list[tuple[Any, ...]]] = {}
    for row in found:
        grouped.setdefault(row[0], []).append(row)
    signs = signs_of(known[pk] for pk in grouped)
    return [_values(known[pk], signs[pk], members, limits) for pk, members in grouped.items()]


def _values(series: Series, sign: Sign, rows: list[tuple[Any, ...]], limits: Limits) -> Points:
    rows.sort(key=lambda row: row[1])
    times = np.array([row[1].replace(tzinfo=None) for row in rows], "datetime64[s]")
    values = np.array([row[2] for row in rows], np.float64)
    nothing = np.full(len(rows), np.nan)
    return Points(
        series=series,
        sign=sign,
        times=times,
        values=values,
        mean=values,
        low=nothing,
        high=nothing,
        minimum=values,
        maximum=values,
        spread=nothing,
        uncertainty=np.array([np.nan if row[3] is None else row[3] for row in rows], np.float64),
        count=np.ones(len(rows), np.int64),
        samples=np.array([row[4] for row in rows], np.int64),
        outside=limits.outside(series, times, values).astype(np.int64),
        keys=np.array([row[5] for row in rows], np.int64),
    )


def order(series: Series) -> tuple[Any, ...]:
    """Bands as the instrument counts them, units side by side."""
    return (
        band_order(series.band), series.unit, series.level, series.baseline, series.detector, series.site, series.pk,
    )  # fmt: skip


# --- What a series does --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class SeriesStatistics:
    """What one series does within a filter. ``std`` is the sample standard deviation (n - 1) of all its values, None
    for one; ``median`` is that of the points: of the values, or of the medians of the buckets."""

    metric: Metric
    series: Series
    sign: Sign
    count: int
    points: int
    mean: float
    median: float
    std: float | None
    minimum: float
    maximum: float
    first: datetime
    last: datetime
    newest: float
    outside: int

    @property
    def band(self) -> tuple[int, str]:
        return band_order(self.series.band)

    @property
    def part(self) -> str:
        return self.series.part


def statistics_of(shown: Shown) -> list[SeriesStatistics]:
    """One row a series, in the order of the plot."""
    return [_statistics(shown.metric, p) for p in shown.points]


def _statistics(metric: Metric, p: Points) -> SeriesStatistics:
    count = int(p.count.sum())
    mean = float(np.average(p.mean, weights=p.count))
    return SeriesStatistics(
        metric=metric,
        series=p.series,
        sign=p.sign,
        count=count,
        points=len(p),
        mean=mean,
        median=float(np.median(p.values)),
        std=_pooled(p, count, mean),
        minimum=float(p.minimum.min()),
        maximum=float(p.maximum.max()),
        first=as_datetime(p.times[0]),
        last=as_datetime(p.times[-1]),
        newest=float(p.values[-1]),
        outside=int(p.outside.sum()),
    )


def _pooled(p: Points, count: int, mean: float) -> float | None:
    """Sample standard deviation of all values from those of the buckets: the squares within and between add up."""
    if count < 2:
        return None
    within = np.nansum((p.count - 1) * np.square(p.spread))
    between = np.sum(p.count * np.square(p.mean - mean))
    return float(np.sqrt((within + between) / (count - 1)))
