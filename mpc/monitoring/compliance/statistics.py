"""The number that a requirement speaks of, from the values of its window. Pure; the statistics are the detectors'."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpc.monitoring.detectors import compliance as known

Values = NDArray[np.float64]

SHARES = {"p90": 0.90, "p95": 0.95, "p9545": 0.9545, "p9973": 0.9973, "ce90": 0.90, "ce95": 0.95}
"""Share of the values that must be within the limit, by statistic; a circular error is one of radial errors."""


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
    """How many values it takes: for a percentile so many that its interval ends within the sample, 3 for a mean or
    median, 1 for what speaks of each value."""
    if statistic in SHARES:
        return known.samples_needed(SHARES[statistic])
    return 3 if statistic in ("mean", "median") else 1


def estimate(statistic: str, values: Values, uncertainties: Values, *, upper: bool) -> Estimate:
    """The number of ``statistic``; ``upper``: the limit is a high one (for percentiles and extremes, whose other end
    counts for a low one).

    ``values`` (n,) finite, in order of time; ``uncertainties`` (n,) standard uncertainties, NaN where unknown. Raises
    ValueError for an unknown statistic; a trend is no statistic of values (:mod:`trend`).
    """
    count, needed = len(values), needed_for(statistic)
    if count < needed:
        return Estimate(None, None, count, needed)
    if statistic in ("each", "max"):
        place = int(np.argmax(values) if upper else np.argmin(values))
        own = float(uncertainties[place])
        return Estimate(float(values[place]), own if math.isfinite(own) else None, count, needed)
    if statistic in SHARES:
        share = SHARES[statistic] if upper else 1 - SHARES[statistic]
        found = known.percentile(values, 100 * share)
    elif statistic in ("mean", "median"):
        found = known.statistic_of(statistic, values)
    else:
        raise ValueError(f"there is no statistic {statistic!r} of values")
    scatter = found.uncertainty
    if statistic in ("mean", "median") and scatter is not None:
        scatter = max(scatter, _own(uncertainties))
    return Estimate(found.value, scatter, count, needed)


def _own(uncertainties: Values) -> float:
    """What the values' own uncertainties leave to their mean. Where it is more than the scatter shows, the scatter does
    not tell of all that may be wrong."""
    finite = uncertainties[np.isfinite(uncertainties)]
    if len(finite) < len(uncertainties):
        return 0.0
    return math.sqrt(float(np.mean(finite**2)) / len(finite))
