"""What a cell is judged by: the values of its window and the history for its slope, reached by series and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from mpc.monitoring.compliance.evaluator import Sample
from mpc.monitoring.detectors.series import days_of
from mpc.monitoring.models import Measurement, Series
from mpc.monitoring.rollups.reading import read_series

MOST_VALUES = 50_000
"""So many of the newest values of a window are judged; what is left out is said."""
HISTORY_DAYS = 3 * 365
"""How far back the slope looks: whole years, so that a season leaves no slope."""
MOST_POINTS = 20_000


@dataclass(frozen=True)
class Part:
    """The values of one series: float days since 1970, values, standard uncertainties (NaN: not known)."""

    series: Series
    days: np.ndarray
    values: np.ndarray
    uncertainties: np.ndarray


@dataclass(frozen=True)
class Reading:
    """All parts of a cell; ``sample`` puts some of them together."""

    window: tuple[Part, ...]
    history: tuple[Part, ...]
    left_out: int

    def sample(self, without: frozenset[str] = frozenset()) -> Sample:
        """What the evaluator judges, without the detectors named."""
        window = [p for p in self.window if p.series.detector not in without]
        history = [p for p in self.history if p.series.detector not in without]
        # Detectors, sites and baselines differ in level; what is followed is the change of each. The middle of all
        # levels is put back, so that the history is in the metric's unit.
        centre = float(np.median(np.concatenate([p.values for p in history]))) if history else 0.0
        levels = [p.values - np.median(p.values) + centre for p in history]
        order = np.argsort(_joined([p.days for p in window]), kind="stable")
        last = max((p.series.last_time for p in window if p.series.last_time), default=None)
        return Sample(
            values=_joined([p.values for p in window])[order],
            uncertainties=_joined([p.uncertainties for p in window])[order],
            days=_joined([p.days for p in history]),
            levels=_joined(levels),
            ever=any(p.series.count for p in window),
            last=last,
            left_out=self.left_out,
        )


def read_cell(series: Sequence[Series], window_days: int, now: datetime) -> Reading:
    """Read what is measured by these series; a fixed number of queries, none for series without values."""
    filled = [one for one in series if one.count]
    if not filled:
        return Reading((), (), 0)
    since = now - timedelta(days=window_days)
    rows = _rows(filled, since, now, MOST_VALUES)
    total = sum(one.count for one in filled)
    left_out = max(total - len(rows), 1) if len(rows) == MOST_VALUES and total > MOST_VALUES else 0
    return Reading(_parts(filled, rows), _history(filled, now), left_out)


def _history(series: Sequence[Series], now: datetime) -> tuple[Part, ...]:
    """By values where they fit, else by days or months, from the roll-ups."""
    readings = read_series(series, now - timedelta(days=HISTORY_DAYS), now, MOST_POINTS)
    arrays = ((one, readings.by_series[one.pk]) for one in series)
    return tuple(Part(one, days_of(found.times), found.value, found.uncertainty) for one, found in arrays if len(found))


Row = tuple[int, datetime, float, float | None]


def _rows(series: Sequence[Series], since: datetime, until: datetime, most: int) -> list[Row]:
    found = Measurement.objects.shown().filter(series__in=[one.pk for one in series], time__gte=since, time__lte=until)
    newest = found.order_by("-time", "-pk").values_list("series_id", "time", "value", "uncertainty")[:most]
    return list(reversed(newest))


def _parts(series: Sequence[Series], rows: list[Row]) -> tuple[Part, ...]:
    grouped: dict[int, list[Row]] = {one.pk: [] for one in series}
    for row in rows:
        grouped[row[0]].append(row)
    parts = []
    for one in series:
        own = grouped[one.pk]
        parts.append(
            Part(
                one,
                np.array([row[1].timestamp() / 86_400 for row in own]),
                np.array([row[2] for row in own]),
                np.array([np.nan if row[3] is None else row[3] for row in own]),
            )
        )
    return tuple(parts)


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.empty(0)
