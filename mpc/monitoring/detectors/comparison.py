"""Do two samples of a series differ, and by how much? Neighbours in time depend on each other, and that is counted.

A mean of n values whose neighbours correlate by rho is worth that of n_eff independent ones,

    n_eff = n / (1 + 2 sum_{k=1}^{n-1} (1 - k/n) rho^k),

and their sample variance is too small by (n_eff - 1) n / (n_eff (n - 1)) (Law and Kelton, Simulation Modeling and
Analysis, 4.4). rho is the correlation of neighbours, with the bias of short series taken off (Kendall 1954:
E[r] = rho - (1 + 3 rho) / n); what is below 0 counts as 0. A drift or a season inside a sample makes rho large and the
uncertainty with it: the statement stays true, and says less.

Pure: numpy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

MAD_TO_SIGMA = 1.482602218505602
"""Of a normal distribution the median absolute deviation is sigma / 1.4826."""

MEDIAN_FACTOR = math.sqrt(math.pi / 2)
"""The median of normal values scatters by this much more than their mean."""

MOST_CORRELATION = 0.98
FEWEST = 4.0
"""Effective values below which nothing is said of significance."""

SIGNIFICANT, PROBABLE = 0.0027, 0.05
"""Two-sided probabilities of a chance difference: three sigma, and one in twenty."""


class Statistic(StrEnum):
    MEDIAN = "median"
    MEAN = "mean"


@dataclass(frozen=True)
class Estimate:
    """Mean or median of a sample. ``uncertainty`` is standard (k = 1), in the unit of the values, NaN for fewer than
    two values; ``effective`` is how many independent values say as much."""

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


def neighbour_correlation(values: NDArray[np.float64]) -> float:
    """Correlation of neighbours of ``values`` (n,) in order of time, 0 to 0.98; 0 for fewer than four or equal ones."""
    n = len(values)
    if n < 4:
        return 0.0
    deviation = values - values.mean()
    squares = float(deviation @ deviation)
    if squares <= 1e-24 * n * max(float(np.abs(values).max()) ** 2, 1e-300):
        return 0.0
    raw = float(deviation[:-1] @ deviation[1:]) / squares
    return min(max(raw + (1 + 3 * raw) / n, 0.0), MOST_CORRELATION)


def effective_size(count: int, correlation: float) -> float:
    """How many independent values say as much about the mean as ``count`` neighbours that correlate; 1 to count."""
    if count < 2 or correlation <= 0:
        return float(count)
    lags = np.arange(1, count)
    sum_ = float(((1 - lags / count) * correlation**lags).sum())
    return max(1.0, count / (1 + 2 * sum_))


def estimate(values: NDArray[np.float64], statistic: Statistic = Statistic.MEDIAN) -> Estimate:
    """Mean or median of ``values`` (n,), finite, in order of time, in any unit. Raises ValueError for none.

    The uncertainty of a median takes its scatter from the median absolute deviation, and the correlation from values
    that are cut at 3.5 such deviations, so that single outliers do not count.
    """
    values = np.asarray(values, np.float64)
    n = len(values)
    if n == 0:
        raise ValueError("no value to estimate from")
    if not np.isfinite(values).all():
        raise ValueError("values have to be finite")
    if statistic == Statistic.MEAN:
        value, variance, factor, kept = float(values.mean()), float(values.var()), 1.0, values
    else:
        value = float(np.median(values))
        sigma = MAD_TO_SIGMA * float(np.median(np.abs(values - value)))
        variance, factor = sigma * sigma, MEDIAN_FACTOR
        kept = np.clip(values, value - 3.5 * sigma, value + 3.5 * sigma) if sigma > 0 else values
    correlation = neighbour_correlation(kept)
    effective = effective_size(n, correlation)
    if n < 2:
        return Estimate(value, math.nan, n, effective, correlation)
    # The variance about the sample's own mean (divisor n) loses 1 / n_eff of that of the population.
    population = variance / (1 - 1 / effective) if effective > 1 else math.inf
    return Estimate(value, factor * math.sqrt(population / effective), n, effective, correlation)


def compare(
    a: NDArray[np.float64], b: NDArray[np.float64], statistic: Statistic = Statistic.MEDIAN
) -> Difference:
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
    return student_probability(value / uncertainty, freedom)


def student_probability(t: float, freedom: float) -> float:
    """Two-sided probability of Student's t, by the normal deviate of Wallace (Ann. Math. Stat. 30, 1959, 1121), right
    to 0.003 from three degrees of freedom on."""
    deviate = math.sqrt(freedom * math.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return math.erfc(deviate / math.sqrt(2))


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
