"""Changes of the noise: the scatter of the last points against that of the points before.

The scatter is taken from first differences, which steps, drifts and season leave alone:

    sigma^2 = mean of (x[i+1] - x[i])^2 / (2 (1 - rho)), differences beyond 3.5 MAD scales left out

so log(after / before) has the variance c (1 / (2 n_after) + 1 / (2 n_before)). Neighbouring differences share a point:
c = 1 + 2 sum r_k^2 with their own autocorrelation r_k (Bartlett 1946), which is 1.5 for white noise. Which outliers are
left out is decided by each window for itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mpc.jobs.params import param
from mpc.monitoring.detectors.noise import lag_one, robust_scale
from mpc.monitoring.detectors.series import Series

LEAST_AFTER = 12
"""From fewer points behind its place the size of a change is not told, but from the whole window."""


@dataclass(frozen=True)
class NoiseChangeParams:
    threshold: float = param(3.8, help="Score from which a change is found", minimum=2, maximum=20, unit="sigma")
    after: int = param(60, help="Points of which the scatter of now is told", minimum=12, unit="points")
    before: int = param(240, help="Most points of which the scatter of before is told", minimum=24, unit="points")
    before_least: int = param(60, help="Fewest points before", minimum=24, unit="points")
    least_change: float = param(0.2, help="Smallest relative change of the noise that is found", minimum=0)


@dataclass(frozen=True)
class NoiseChange:
    """A change of the scatter.

    Attributes:
        index, time: the first point after the change, as near as the windows tell.
        interval_start, interval_end: the window in which the change lies.
        before, after: standard deviation of one value.
        ratio, ratio_uncertainty: after / before.
        score: normal deviate of log(ratio).
        found_index, found: the point that revealed it.
    """

    index: int
    time: float
    interval_start: float
    interval_end: float
    before: float
    after: float
    ratio: float
    ratio_uncertainty: float
    score: float
    found_index: int
    found: float


def find_noise_changes(series: Series, params: NoiseChangeParams | None = None) -> list[NoiseChange]:
    """Changes in order of time, each as found at its point without looking ahead; then the memory begins anew.

    Fewer than ``before_least`` + ``after`` points give none, nor do values that do not scatter at all before.
    """
    p = params or NoiseChangeParams()
    found = []
    since = 0
    n = since + p.before_least + p.after - 1
    while n < len(series):
        change = _at(series, since, n, p)
        if change is None:
            n += 1
            continue
        found.append(change)
        since = change.index
        n = max(n + 1, since + p.before_least + p.after - 1)
    return found


def _at(series: Series, since: int, n: int, p: NoiseChangeParams) -> NoiseChange | None:
    edge = n + 1 - p.after
    early = series.values[max(since, edge - p.before) : edge]
    late = series.values[edge : n + 1]
    rho = lag_one(early - np.median(early))
    before, after = _scatter(early, rho), _scatter(late, rho)
    if before == 0 or after == before:
        return None
    # All equal after noise: as sure as a fiftieth of the scatter.
    log = math.log(max(after, before / 50) / before)
    shared = shared_information(rho)
    uncertainty = math.sqrt(shared * (0.5 / (len(early) - 1) + 0.5 / (len(late) - 1)))
    score = abs(log) / uncertainty
    if score < p.threshold or abs(after / before - 1) < p.least_change:
        return None
    place = edge + _break_within(np.diff(series.values[edge - 1 : n + 1]), before, max(after, before / 50), rho)
    if n + 1 - place >= LEAST_AFTER:
        after = _scatter(series.values[place : n + 1], rho)
        log = math.log(max(after, before / 50) / before)
        uncertainty = math.sqrt(shared * (0.5 / (len(early) - 1) + 0.5 / (n - place)))
    return NoiseChange(
        index=place,
        time=float(series.times[place]),
        interval_start=float(series.times[edge]),
        interval_end=float(series.times[n]),
        before=before,
        after=after,
        ratio=after / before,
        ratio_uncertainty=after / before * uncertainty,
        score=score,
        found_index=n,
        found=float(series.times[n]),
    )


def shared_information(correlation: float) -> float:
    """1 + 2 sum r_k^2 of the first differences of an AR(1) series: r_1 = (rho - 1) / 2, r_k = rho^(k-1) r_1."""
    first = (correlation - 1) / 2
    return 1 + 2 * first**2 / (1 - correlation**2)


def _scatter(values: np.ndarray, rho: float) -> float:
    return robust_scale(np.diff(values)) / math.sqrt(2 * (1 - rho))


def _break_within(differences: np.ndarray, before: float, after: float, rho: float) -> int:
    """Where in the window the likelihood puts the change from one scatter to the other."""
    squares = np.minimum(differences**2, 3.5**2 * max(before, after) ** 2 * 2) / (2 * (1 - rho))
    gain = math.log(before / after) + 0.5 * squares * (before**-2 - after**-2)
    return int(np.argmax(np.cumsum(gain[::-1])[::-1]))
