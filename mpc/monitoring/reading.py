"""Reading the measurements of one metric for a trend: the points, their statistics, how each series is drawn.

Nothing here scans the table of measurements: points are reached by series and time (or by product or run), and a read
stops one row after ``POINT_LIMIT``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse

from mpc.monitoring.models import Measurement, Metric, Series
from mpc.msi.bands import BANDS

POINT_LIMIT = 20_000
TABLE_LIMIT = 50_000
_BAND_ORDER = {band.name: i for i, band in enumerate(BANDS)}


class TooMany(Exception):
    """More values fit a filter than one plot or table holds; nothing is left out in silence."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} values fit the filter")
        self.limit = limit


def band_order(band: str) -> tuple[int, str]:
    """Sorting key of bands as the instrument counts them (B8A after B08); the whole and unknown names come first."""
    return (_BAND_ORDER.get(band, -1), band)


# --- How a series is drawn -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Sign:
    """Symbol of a series: its name for plotly and the character that shows it in a table."""

    symbol: str
    glyph: str


SIGNS = (
    Sign("circle", "●"),
    Sign("square", "■"),
    Sign("diamond", "◆"),
    Sign("triangle-up", "▲"),
    Sign("triangle-down", "▼"),
    Sign("cross", "✚"),
    Sign("x", "✖"),
    Sign("star", "★"),
)


def signs_of(series: Iterable[Series]) -> dict[int, Sign]:
    """The symbol of each series. Units have their colours and bands their places, so symbols tell apart what is left:
    level, baseline, detector and site. After the eighth combination they repeat.
    """
    drawn = list(series)
    combinations = sorted({_rest(s) for s in drawn})
    sign = {rest: SIGNS[i % len(SIGNS)] for i, rest in enumerate(combinations)}
    return {s.pk: sign[_rest(s)] for s in drawn}


def _rest(series: Series) -> tuple[str, ...]:
    return (series.level, series.baseline, series.detector, series.site)


# --- Reading ------------------------------------------------------------------------------------------------------
def bounded(rows: QuerySet, limit: int | None = None) -> list[Any]:
    """The rows; the read ends after ``limit`` (what a plot holds). Raises TooMany when there is one more."""
    limit = POINT_LIMIT if limit is None else limit
    found = list(rows.order_by()[: limit + 1])
    if len(found) > limit:
        raise TooMany(limit)
    return found


# --- How far back a trend opens ------------------------------------------------------------------------------------
def opening_window(series: Sequence[Series], around: datetime | None = None) -> tuple[date, date | None] | None:
    """The UTC days with which a trend opens when all values of these series would be too many: None when they fit.

    It is reckoned from the counts that the series keep, for half of what a plot holds, and ends with the newest value,
    or lies around a moment. At least one day is shown.
    """
    filled = [s for s in series if s.count and s.first_time and s.last_time]
    total = sum(s.count for s in filled)
    if total <= POINT_LIMIT:
        return None
    first = min(s.first_time for s in filled)  # type: ignore[type-var]
    last = max(s.last_time for s in filled)  # type: ignore[type-var]
    per_day = total / max(1.0, (last - first) / timedelta(days=1))  # type: ignore[operator]
    days = max(1, int(POINT_LIMIT / 2 / per_day))
    if around is not None:
        half = timedelta(days=days / 2)
        return (around - half).astimezone(UTC).date(), (around + half).astimezone(UTC).date()
    return (last - timedelta(days=days - 1)).astimezone(UTC).date(), None  # type: ignore[operator]


# --- Beside a product or a run -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class MeasuredRow:
    """One measurement beside its product or run, and the trend in which it is marked."""

    measurement: Measurement
    part: str
    trend: str


@dataclass(frozen=True)
class MeasuredGroup:
    """The measurements of one metric; ``why`` is the common reason for having no uncertainty, where there is one."""

    metric: Metric
    rows: tuple[MeasuredRow, ...]
    why: str

    @property
    def uncertain(self) -> bool:
        """Whether every value has an uncertainty."""
        return all(row.measurement.uncertainty is not None for row in self.rows)

    @property
    def low(self) -> float:
        return min(row.measurement.value for row in self.rows)

    @property
    def high(self) -> float:
        return max(row.measurement.value for row in self.rows)


def groups_of(measurements: QuerySet) -> list[MeasuredGroup]:
    """Measurements by metric, bands in the instrument's order; metrics with one value first. One query."""
    found: dict[Metric, list[Measurement]] = {}
    for measurement in measurements.select_related("series__metric").order_by():
        found.setdefault(measurement.series.metric, []).append(measurement)
    groups = [_group(metric, members) for metric, members in found.items()]
    return sorted(groups, key=lambda group: (len(group.rows) > 1, group.metric.code))


def _group(metric: Metric, members: list[Measurement]) -> MeasuredGroup:
    members.sort(key=lambda m: (band_order(m.series.band), m.series.detector, m.series.site, m.time))
    reasons = {m.no_uncertainty if m.uncertainty is None else "" for m in members}
    rows = tuple(MeasuredRow(m, _part(m.series), trend_address(m)) for m in members)
    return MeasuredGroup(metric, rows, reasons.pop() if len(reasons) == 1 else "")


def _part(series: Series) -> str:
    """What tells measurements of one product apart."""
    return " ".join(p for p in (series.band, series.detector and f"D{series.detector}", series.site) if p)


def trend_address(measurement: Measurement) -> str:
    """The trend of the same part of every unit and baseline, with this measurement marked."""
    series = measurement.series
    same: Mapping[str, str] = {
        "level": series.level,
        "band": series.band,
        "detector": series.detector,
        "site": series.site,
    }
    query = {name: value for name, value in same.items() if value}
    address = reverse("monitoring:trend", kwargs={"code": series.metric_id})
    return f"{address}?{urlencode({**query, 'mark': measurement.pk})}"
