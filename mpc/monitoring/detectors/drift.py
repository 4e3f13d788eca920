"""Slow drifts: Theil-Sen's slope, its confidence interval and significance, and when a limit will be crossed.

The slope is the median of the slopes of all pairs of points (Theil 1950, Sen 1968); a quarter of outliers leaves it
alone. Its interval takes the slopes at ranks (N -+ z sd(S)) / 2 of the N ordered ones, where S is Kendall's sum with
variance n (n-1) (2n+5) / 18 less the ties; neighbours that depend on each other raise the variance by n / n_eff =
(1 + rho) / (1 - rho) (Yue and Wang 2004), rho from the residuals of the line itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from mpc.jobs.params import param
from mpc.monitoring.detectors.noise import effective_size, lag_one, noise_of
from mpc.monitoring.detectors.season import remove_season
from mpc.monitoring.detectors.series import YEAR, Series, datetime_of
from mpc.monitoring.detectors.step import find_steps

MOST_POINTS = 1200
"""Longer series are thinned to medians of neighbours: all pairs of 1200 points are 720 000 slopes."""

FURTHEST_YEARS = 30.0
"""A breach further away than the mission can last is none."""


@dataclass(frozen=True)
class DriftParams:
    threshold: float = param(4.0, help="Score from which a drift is found", minimum=1.5, maximum=20, unit="sigma")
    least_slope: float = param(0.0, help="Smallest drift that is found, in the metric's unit a year", minimum=0)
    least_points: int = param(24, help="Points needed", minimum=5, unit="points")
    least_years: float = param(0.5, help="Time needed from the first point to the last", minimum=0.0, unit="years")
    window_years: float = param(3.0, help="How far back is looked", minimum=0.1, unit="years")
    confidence: float = param(0.95, help="Of the interval of the slope", minimum=0.5, maximum=0.999)
    season_sigmas: float = param(
        0.8,
        help="How large a season may be that is not removed (standard deviation of its coefficients)",
        minimum=0,
        unit="sigma",
    )
    season_years: float = param(2.0, help="Years of data from which a season is removed first", minimum=1, unit="years")


@dataclass(frozen=True)
class Drift:
    """A straight line through a series.

    Attributes:
        slope, low, high: the metric's unit a year, with the interval of ``confidence``.
        uncertainty: standard uncertainty of the slope.
        score: normal deviate of Kendall's test that there is no trend; its sign is the slope's.
        level, level_uncertainty: the line at ``reference`` (days), which is the middle of the data.
        start, end: times of the first and the last point used.
        points, correlation: how many were used, and how far neighbours depend on each other.
        season_removed, season_reason: whether a season was taken away first, and why not.
    """

    slope: float
    low: float
    high: float
    confidence: float
    uncertainty: float
    score: float
    level: float
    level_uncertainty: float
    reference: float
    start: float
    end: float
    points: int
    correlation: float
    season_removed: bool = False
    season_reason: str = ""

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    def at(self, time: float) -> float:
        """The line at a time in days."""
        return self.level + self.slope * (time - self.reference) / YEAR


@dataclass(frozen=True)
class Breach:
    """When a drift crosses a limit: days since 1970, None for "not within 30 years" (or never).

    ``earliest`` to ``latest`` is the interval of the drift's confidence; ``latest`` is None when the slow end of the
    interval never gets there.
    """

    limit: float
    time: float | None
    earliest: float | None
    latest: float | None

    @property
    def date(self) -> np.datetime64 | None:
        return None if self.time is None else datetime_of(self.time)


def find_drift(series: Series, params: DriftParams | None = None) -> Drift | None:
    """The drift of the last ``window_years``, since the last step in them; the season removed where it is known.

    A season that is not known yet may look like a drift: its possible share is added to the slope's uncertainty. None
    where too little is left: fewer than ``least_points``, less than ``least_years``, or all at one time.
    """
    p = params or DriftParams()
    if not len(series):
        return None
    season = remove_season(series, p.season_years)
    steps = (
        season.steps if season.removed else tuple(step.index for step in find_steps(series) if step.taken_back is None)
    )
    begin = int(np.searchsorted(series.times, series.times[-1] - p.window_years * YEAR))
    begin = max([begin, *steps])
    times, values = series.times[begin:], season.values[begin:]
    if len(times) < p.least_points or times[-1] - times[0] < p.least_years * YEAR:
        return None
    drift = theil_sen(times, values, p.confidence)
    if drift is None or season.removed:
        return drift and replace(drift, season_removed=True)
    scatter = noise_of(values - drift.level - drift.slope * (times - drift.reference) / YEAR, 2).sigma
    unknown = _slope_of_season(times) * p.season_sigmas * scatter
    return replace(_widened(drift, unknown), season_reason=season.reason)


def _slope_of_season(times: np.ndarray) -> float:
    """Standard deviation of the slope (a year) that a season of unit coefficients would feign at these times."""
    centred = (times - times.mean()) / YEAR
    angle = 2 * math.pi * times / YEAR
    parts = [centred @ wave(turns * angle) / turns for turns in (1, 2) for wave in (np.cos, np.sin)]
    return math.hypot(*parts) / float(centred @ centred)


def _widened(drift: Drift, extra: float) -> Drift:
    """The drift with another standard uncertainty of its slope added."""
    if drift.uncertainty == 0:
        return replace(drift, uncertainty=extra)
    factor = math.hypot(drift.uncertainty, extra) / drift.uncertainty
    return replace(
        drift,
        low=drift.slope - (drift.slope - drift.low) * factor,
        high=drift.slope + (drift.high - drift.slope) * factor,
        uncertainty=drift.uncertainty * factor,
        score=drift.score / factor,
    )


def theil_sen(times: np.ndarray, values: np.ndarray, confidence: float = 0.95) -> Drift | None:
    """Theil-Sen's line through ``values`` (n,) at ``times`` (n,) in days; None for fewer than three different times."""
    count = len(times)
    t, x = _thinned(times, values)
    n = len(t)
    first, second = np.triu_indices(n, 1)
    apart = t[second] - t[first]
    different = apart > 0
    if n < 3 or len(np.unique(t)) < 3:
        return None
    rises = (x[second] - x[first])[different]
    slopes = rises / apart[different] * YEAR
    slope = float(np.median(slopes))
    reference = float(np.median(t))
    level = float(np.median(x - slope * (t - reference) / YEAR))
    residuals = x - level - slope * (t - reference) / YEAR
    rho = lag_one(residuals, 2)
    inflation = (1 + rho) / (1 - rho)
    spread = math.sqrt(_kendall_variance(t, x) * inflation)
    kendall = float(np.sign(rises).sum())
    # One step of S is 2; the correction for it keeps few points from looking sure.
    score = math.copysign(max(abs(kendall) - 1, 0.0), kendall) / spread if spread else 0.0
    noise = noise_of(residuals, 2)
    z = _student_quantile(confidence, max(noise.effective - 2, 1.0))
    low, high = _at_rank(slopes, -z * spread), _at_rank(slopes, z * spread)
    return Drift(
        slope=slope,
        low=low,
        high=high,
        confidence=confidence,
        uncertainty=(high - low) / (2 * z),
        score=score,
        level=level,
        level_uncertainty=noise.sigma * math.sqrt(inflation * math.pi / 2 / n),
        reference=reference,
        start=float(times[0]),
        end=float(times[-1]),
        points=count,
        correlation=rho,
    )


def predicted_breach(drift: Drift, limit: float, now: float, side: str) -> Breach:
    """When the line crosses ``limit``, which it must stay below (``side`` "high") or above ("low"); not before ``now``.

    A line that is beyond the limit already gives ``now``. The interval turns the line about the middle of the data
    between the ends of the slope's interval, with the level's own uncertainty added in quadrature.
    """
    if side not in ("low", "high"):
        raise ValueError(f"a limit is low or high, not “{side}”")
    sign = 1.0 if side == "high" else -1.0
    room = sign * (limit - drift.level)
    low, high = sorted((sign * drift.low, sign * drift.high))
    z = _student_quantile(drift.confidence, max(effective_size(drift.points, drift.correlation) - 2, 1.0))
    spare = z * drift.level_uncertainty
    time = _crossing(lambda years: sign * drift.slope * years - room, drift.reference, now)
    early = _crossing(
        lambda years: sign * drift.slope * years + np.hypot((high - sign * drift.slope) * years, spare) - room,
        drift.reference,
        now,
    )
    late = _crossing(
        lambda years: sign * drift.slope * years - np.hypot((sign * drift.slope - low) * years, spare) - room,
        drift.reference,
        now,
    )
    return Breach(limit, time, early, late)


def _student_quantile(confidence: float, freedom: float) -> float:
    """Half the width of the interval of Student's distribution: Fisher's expansion (Abramowitz and Stegun 26.7.5)."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (
            (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
        )
    )


def _crossing(beyond: Callable[[Any], Any], reference: float, now: float) -> float | None:
    """The first moment from ``now`` on, within 30 years, at which ``beyond`` (of years after ``reference``) is not
    negative."""
    start = (now - reference) / YEAR
    if beyond(start) >= 0:
        return now
    grid = start + np.linspace(0, FURTHEST_YEARS, 3601)
    above = beyond(grid) >= 0
    if not above.any():
        return None
    after = int(np.argmax(above))
    inside, outside = grid[after - 1], grid[after]
    for _ in range(40):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if beyond(middle) >= 0 else (middle, outside)
    return float(reference + outside * YEAR)


def _thinned(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points, or medians of neighbours where there are more than 1200."""
    group = -(-len(times) // MOST_POINTS)
    if group <= 1:
        return times, values
    whole = len(times) // group * group
    shape = (-1, group)
    # The oldest few that fill no group are left out.
    return np.median(times[-whole:].reshape(shape), axis=1), np.median(values[-whole:].reshape(shape), axis=1)


def _kendall_variance(times: np.ndarray, values: np.ndarray) -> float:
    n = len(times)
    total = n * (n - 1) * (2 * n + 5)
    for one in (times, values):
        _, ties = np.unique(one, return_counts=True)
        total -= int((ties * (ties - 1) * (2 * ties + 5)).sum())
    return max(total, 0) / 18


def _at_rank(slopes: np.ndarray, offset: float) -> float:
    """The slope at rank (N + offset) / 2 in order of size and half a rank further out; at most the outermost."""
    last = len(slopes) - 1
    position = min(max((last + offset + math.copysign(1.0, offset)) / 2, 0.0), float(last))
    below = int(position)
    pair = np.partition(slopes, [below, min(below + 1, last)])[[below, min(below + 1, last)]]
    return float(pair[0] + (position - below) * (pair[1] - pair[0]))
