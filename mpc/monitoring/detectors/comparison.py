"""Do two samples of a series differ, and by how much? Neighbours in time depend on each other, and that is counted.

Correlation of neighbours and effective number of values are those of :mod:`mpc.monitoring.detectors.noise`. The sample
variance of n values worth n_eff independent ones is too small by 1 - 1 / n_eff (about the sample's own mean, divisor n;
Law and Kelton, Simulation Modeling and Analysis, 4.4). A drift or a season inside a sample makes the correlation large
and the uncertainty with it: the statement stays true, and says less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from mpc.monitoring.detectors.noise import effective_size, lag_one, mad_scale, normal_score

MEDIAN_FACTOR = math.sqrt(math.pi / 2)
"""The median of normal values scatters by this much more than their mean."""

FEWEST = 4.0
"""Effective values below which nothing is said of significance."""

SIGNIFICANT, PROBABLE = 0.0027, 0.05
"""Two-sided probabilities of a chance difference: three sigma, and one in twenty."""


class Statistic(StrEnum):
    MEDIAN = "median"
    MEAN = "mean"


@dataclass(frozen=True)
class Estimate:
    """Mean or median of a sample. ``uncertainty`` is standard (k = 1), in the unit of the values, NaN where one value
    is all there is; ``effective`` is how many independent values say as much."""

    value: float
    uncertainty: float
    count: int
    effective: float
    correlation: float


@dataclass(frozen=True)
class Difference:
    """b less a. ``probability``: two-sided, that chance alone makes a difference this large; NaN for too few values.
    ``pairs`` is the number of common moments where the values were compared pair by pair, else 0."""

    a: Estimate
    b: Estimate
    value: float
    uncertainty: float
    freedom: float
    probability: float
    pairs: int = 0


def estimate(values: NDArray[np.float64], statistic: Statistic = Statistic.MEDIAN) -> Estimate:
    """Mean or median of ``values`` (n,), finite, in order of time, in any unit. Raises ValueError for none.

    The uncertainty of a median takes its scatter from the median absolute deviation, so that single outliers do not
    count.
    """
    values = np.asarray(values, np.float64)
    n = len(values)
    if n == 0:
        raise ValueError("no value to estimate from")
    if not np.isfinite(values).all():
        raise ValueError("values have to be finite")
    if statistic == Statistic.MEAN:
        value, scatter, factor = float(values.mean()), float(values.std()), 1.0
    else:
        value, scatter, factor = float(np.median(values)), mad_scale(values), MEDIAN_FACTOR
    correlation = lag_one(values - value)
    effective = effective_size(n, correlation)
    if effective <= 1:
        return Estimate(value, math.nan, n, effective, correlation)
    population = scatter / math.sqrt(1 - 1 / effective)
    return Estimate(value, factor * population / math.sqrt(effective), n, effective, correlation)


def compare(a: NDArray[np.float64], b: NDArray[np.float64], statistic: Statistic = Statistic.MEDIAN) -> Difference:
    """b less a, of samples of different times: uncertainties add in squares, degrees of freedom after Welch and
    Satterthwaite."""
    first, second = estimate(a, statistic), estimate(b, statistic)
    uncertainty = math.hypot(first.uncertainty, second.uncertainty)
    freedom = _welch(first, second)
    value = second.value - first.value
    enough = min(first.effective, second.effective) >= FEWEST
    return Difference(first, second, value, uncertainty, freedom, _chance(value, uncertainty, freedom, enough))


def compare_pairs(
    a: NDArray[np.float64], b: NDArray[np.float64], statistic: Statistic = Statistic.MEDIAN
) -> Difference:
    """b less a where each value of a (n,) has its partner of the same moment in b (n,): what both share (a season, a
    common drift) falls out. Raises ValueError for different lengths."""
    if len(a) != len(b):
        raise ValueError("pairs need as many values of one as of the other")
    own = estimate(np.asarray(b, np.float64) - np.asarray(a, np.float64), statistic)
    freedom = max(own.effective - 1, 0.0)
    enough = own.effective >= FEWEST
    probability = _chance(own.value, own.uncertainty, freedom, enough)
    return Difference(
        estimate(a, statistic), estimate(b, statistic), own.value, own.uncertainty, freedom, probability, own.count
    )


def _welch(a: Estimate, b: Estimate) -> float:
    one, other = a.uncertainty**2, b.uncertainty**2
    below = one**2 / max(a.effective - 1, 1e-9) + other**2 / max(b.effective - 1, 1e-9)
    if not math.isfinite(below):
        return 0.0
    return (one + other) ** 2 / below if below > 0 else a.effective + b.effective - 2


def _chance(value: float, uncertainty: float, freedom: float, enough: bool) -> float:
    if not enough or not math.isfinite(uncertainty):
        return math.nan
    if uncertainty == 0:
        return 1.0 if value == 0 else 0.0
    return math.erfc(abs(normal_score(value / uncertainty, freedom)) / math.sqrt(2))


def holm(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities (n,) corrected for how many differences are looked at together (Holm 1979); NaN stay NaN and do
    not count."""
    found = np.array(probabilities, np.float64)
    known = np.flatnonzero(np.isfinite(found))
    order = known[np.argsort(found[known], kind="stable")]
    m = len(order)
    raised = np.minimum(1.0, found[order] * (m - np.arange(m)))
    found[order] = np.maximum.accumulate(raised) if m else raised
    return found


def in_words(probability: float) -> str:
    """What a corrected probability means."""
    if not math.isfinite(probability):
        return "too few values to tell"
    if probability < SIGNIFICANT:
        return "significant"
    if probability < PROBABLE:
        return "probable"
    return "not significant"
