"""Steps: the last points against what the points before them lead one to expect.

At every point n, and for k of the last ``after_least`` ... ``after_most`` points, the weighted robust mean of the last
k values less the forecast made k points ago (level, slope, season; :mod:`~mpc.monitoring.detectors.kernels`) is
divided by its uncertainty, in which the correlation of neighbours and what is not known of season and slope are
counted:

    t(n, k) = (mean of y - x'b over the last k) / sqrt(sigma^2 / k_eff + mean(x)' cov(b) mean(x))

and turned into the normal deviate of equal probability (its score). A step is found at the first n at which the largest
score over k and the magnitude are above their limits. Where it lies is then told by the likelihood of all places near
it, again with each of the next points until ``settle`` of them are in; a step whose score falls below ``keep`` by then
is taken back. Nothing looks ahead: the scan of a whole series
says at each point what it would have said on the day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpc.jobs.params import param
from mpc.monitoring.detectors.kernels import MOST_CHANGES, scan
from mpc.monitoring.detectors.series import YEAR, Series, weights_of


@dataclass(frozen=True)
class StepParams:
    threshold: float = param(3.5, help="Score from which a step is found", minimum=2, maximum=20, unit="sigma")
    keep: float = param(2.0, help="Score below which a step is taken back while it settles", minimum=0, unit="sigma")
    least_sigmas: float = param(
        1.5, help="Smallest step that is found, in standard deviations of one value", minimum=0, unit="sigma"
    )
    least_magnitude: float = param(0.0, help="Smallest step that is found, in the metric's unit", minimum=0)
    after_least: int = param(5, help="Fewest points after a step", minimum=2, maximum=30, unit="points")
    after_most: int = param(12, help="Most points after a step that are averaged", minimum=4, maximum=60, unit="points")
    before_least: int = param(24, help="Points needed before the first verdict", minimum=8, unit="points")
    settle: int = param(
        24, help="Points after which place and magnitude of a step are final", minimum=4, maximum=120, unit="points"
    )
    memory_years: float = param(3.0, help="How far back the forecast looks", minimum=0.2, unit="years")
    season_sigmas: float = param(
        0.8,
        help="How large a season may be before the data have shown it (standard deviation of its coefficients)",
        minimum=0.01,
        unit="sigma",
    )
    slope_sigmas: float = param(
        1.0, help="How steep a drift may be before the data have shown it", minimum=0.01, unit="sigma/year"
    )
    resolution: float = param(0.0, help="Smallest difference that the values can show", minimum=0)


@dataclass(frozen=True)
class Step:
    """A change of level.

    Attributes:
        index: the first point after the step.
        time: its time, days.
        interval_start, interval_end: the change lies between these times with 95 %; ``interval_start`` is the time of
            the last point that is surely before, ``interval_end`` that of the first that is surely after.
        magnitude: after less before, in the metric's unit, and its standard uncertainty.
        score: normal deviate of the magnitude.
        before, after: level just before and after the step, season removed as far as it is known.
        found_index, found: the point that revealed it, and its time.
        found_start, found_end: the interval as it was told at that point.
        course: the score as it was known at that point and at each one after it, until the step had settled.
        taken_back: when (days) the points after it had shown it to be chance; None for a step that stands.
        sigma, correlation: of the noise before the step.
    """

    index: int
    time: float
    interval_start: float
    interval_end: float
    magnitude: float
    magnitude_uncertainty: float
    score: float
    before: float
    after: float
    found_index: int
    found: float
    found_start: float
    found_end: float
    course: tuple[float, ...]
    taken_back: float | None
    sigma: float
    correlation: float


def find_steps(series: Series, params: StepParams | None = None) -> list[Step]:
    """Steps in the order in which they were found, point by point, those that were taken back included. Fewer than
    ``before_least`` +
    ``after_least`` points, or a constant series, give none.
    """
    p = params or StepParams()
    count = len(series)
    if count < p.before_least + p.after_least:
        return []
    found = np.zeros((count, 5))
    told = np.zeros((count, 11))
    most = max(p.after_most, p.after_least)
    course = np.full((count, p.settle + most + 2), np.nan)
    number = scan(
        series.times,
        series.values - series.values[0],
        weights_of(series.uncertainties, count),
        np.array([p.threshold, p.keep, p.least_sigmas, p.least_magnitude, p.memory_years * YEAR, _floor(series, p)]),
        np.array([p.after_least, most, p.before_least, p.settle]),
        _prior(p),
        found,
        told,
        course,
    )
    return [_step(series, found[i], told[i], course[i]) for i in range(number)]


def _prior(p: StepParams) -> np.ndarray:
    season = 1 / p.season_sigmas**2
    base = [1e-12, 1 / p.slope_sigmas**2, season, season, 4 * season, 4 * season]
    return np.array(base + [1e-12] * MOST_CHANGES)


def _floor(series: Series, p: StepParams) -> float:
    """Below this no noise is believed: the rounding of the values, or of the numbers themselves; the scan adds a
    millionth of the range so far, for the rounding of the fit."""
    return max(p.resolution / 12**0.5, 1e-12 * abs(float(series.values[0])), 1e-300)


def _step(series: Series, found: np.ndarray, told: np.ndarray, course: np.ndarray) -> Step:
    level = float(series.values[0] + told[6])
    index, first, last = int(told[0]), int(told[1]), int(told[2])
    return Step(
        index=index,
        time=float(series.times[index]),
        interval_start=float(series.times[max(first - 1, 0)]),
        interval_end=float(series.times[last]),
        magnitude=float(told[3]),
        magnitude_uncertainty=float(told[4]),
        score=float(told[5]),
        before=level,
        after=level + float(told[3]),
        found_index=int(found[0]),
        found=float(series.times[int(found[0])]),
        found_start=float(series.times[max(int(found[3]) - 1, 0)]),
        found_end=float(series.times[int(found[4])]),
        course=tuple(float(score) for score in course[~np.isnan(course)]),
        taken_back=float(series.times[int(told[10])]) if told[10] else None,
        sigma=float(told[7]),
        correlation=float(told[8]),
    )
