"""The number that a requirement speaks of, from the values of its window, with its uncertainty.

Pure. Quantiles are of order statistics, without an assumption on the distribution: the q-quantile of n values needs
n >= 1 / (1 - q), so that at least one value is expected beyond it, and its standard uncertainty is half the distance of
the values at q -+ sqrt(q (1 - q) / n) (the binomial scatter of the rank; W. J. Conover, Practical Nonparametric
Statistics, confidence interval for a quantile).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

SHARES = {"p90": 0.90, "p95": 0.95, "p9545": 0.9545, "p9973": 0.9973, "ce90": 0.90, "ce95": 0.95}
"""Share of the values that must be within the limit, by statistic. A circular error is a quantile of radial errors."""


@dataclass(frozen=True)
class Estimate:
    """``value`` with its standard uncertainty (k = 1; None: not known), both in the metric's unit.

    ``value`` is None where there are fewer than ``needed`` values.
    """

    value: float | None
    uncertainty: float | None
    count: int
    needed: int


def needed_for(statistic: str) -> int:
    """How many values it takes: 1 / (1 - share) for a quantile (22 for 95.45 %), 3 for a mean
    or median, 1 for what speaks of each value."""
    if statistic in SHARES:
        # Shares have four decimals: their complement is rounded, or 1 / (1 - 0.95) would need 21.
        return math.ceil(1 / round(1 - SHARES[statistic], 6) - 1e-9)
    return 3 if statistic in ("mean", "median") else 1


def estimate(statistic: str, values: Values, uncertainties: Values, *, upper: bool) -> Estimate:
    """The number of ``statistic``; ``upper``: the limit is a high one (for quantiles and extremes, whose other end
    counts for a low one).

    ``values`` (n,) finite; ``uncertainties`` (n,) standard uncertainties, NaN where unknown. Raises ValueError for an
    unknown statistic; a trend is no statistic of values (:mod:`trend`).
    """
    count, needed = len(values), needed_for(statistic)
    if count < needed:
        return Estimate(None, None, count, needed)
    if statistic in ("mean", "median"):
        centre = float(np.mean(values) if statistic == "mean" else np.median(values))
        # The median of normal values scatters by sqrt(pi / 2) more than the mean.
        factor = 1.0 if statistic == "mean" else math.sqrt(math.pi / 2)
        return Estimate(centre, factor * _of_mean(values, uncertainties), count, needed)
    if statistic in ("each", "max"):
        place = int(np.argmax(values) if upper else np.argmin(values))
        own = float(uncertainties[place])
        return Estimate(float(values[place]), own if math.isfinite(own) else None, count, needed)
    if statistic not in SHARES:
        raise ValueError(f"there is no statistic {statistic!r} of values")
    share = SHARES[statistic] if upper else 1 - SHARES[statistic]
    return Estimate(*_quantile(np.sort(values), share), count, needed)


def _of_mean(values: Values, uncertainties: Values) -> float:
    """Standard uncertainty of the mean: from the scatter, or from the values' own uncertainties where those are larger
    (then the scatter does not tell of all that may be wrong)."""
    count = len(values)
    scatter = float(np.std(values, ddof=1)) / math.sqrt(count)
    known = uncertainties[np.isfinite(uncertainties)]
    own = math.sqrt(float(np.mean(known**2)) / count) if len(known) == count else 0.0
    return max(scatter, own)


def _quantile(ordered: Values, share: float) -> tuple[float, float]:
    spread = math.sqrt(share * (1 - share) / len(ordered))
    low, value, high = np.quantile(ordered, [max(share - spread, 0.0), share, min(share + spread, 1.0)])
    return float(value), float(high - low) / 2
