"""How fast a metric changes, with its interval, and when it will cross a limit. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

YEAR = 365.25
LEAST_POINTS = 10
LEAST_DAYS = 60.0
MOST_POINTS = 300
Z95 = 1.959964


@dataclass(frozen=True)
class Slope:
    """Change a year in the metric's unit and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the interval holds no zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Crossing:
    """Days from now until a limit is crossed: as expected, at the earliest, at the latest (None: perhaps never)."""

    days: float
    earliest: float
    latest: float | None


def slope_of(days: NDArray[np.float64], values: NDArray[np.float64]) -> Slope | None:
    """Theil-Sen slope of ``values`` (n,) over ``days`` (n,), float days, any order; None for fewer than 10 points or
    60 days.

    The interval is Sen's, from the normal approximation of Kendall's S, widened by sqrt((1 + r) / (1 - r)) with r the
    correlation of neighbouring residuals. More than 300 points are first gathered into 300 medians of equal counts.
    Source: P. K. Sen, J. Am. Stat. Assoc. 63 (1968) 1379.
    """
    if len(days) < LEAST_POINTS or float(np.ptp(days)) < LEAST_DAYS:
        return None
    order = np.argsort(days, kind="stable")
    x, y = days[order], values[order]
    if len(x) > MOST_POINTS:
        parts = list(zip(np.array_split(x, MOST_POINTS), np.array_split(y, MOST_POINTS), strict=True))
        x = np.array([np.median(a) for a, _ in parts])
        y = np.array([np.median(b) for _, b in parts])
    upper = np.triu_indices(len(x), 1)
    gap = x[upper[1]] - x[upper[0]]
    apart = gap > 0
    slopes = np.sort((y[upper[1]] - y[upper[0]])[apart] / gap[apart]) * YEAR
    middle = float(np.median(slopes))
    residuals = y - middle * x / YEAR
    count = len(x)
    s_scatter = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    half = Z95 * s_scatter * _widening(residuals - np.median(residuals)) / 2
    place = len(slopes) / 2
    low = slopes[max(math.floor(place - half), 0)]
    high = slopes[min(math.ceil(place + half), len(slopes) - 1)]
    return Slope(middle, float(min(low, middle)), float(max(high, middle)))


def _widening(residuals: NDArray[np.float64]) -> float:
    power = float(np.sum(residuals**2))
    r = float(np.sum(residuals[1:] * residuals[:-1])) / power if power > 0 else 0.0
    r = min(max(r, 0.0), 0.9)
    return math.sqrt((1 + r) / (1 - r))


def crossing(
    value: float, uncertainty: float | None, slope: Slope, low: float | None, high: float | None
) -> Crossing | None:
    """When a value that lies within ``low`` and ``high`` crosses the one towards which a significant slope leads.

    The earliest takes the faster end of the slope's interval and a value 2 uncertainties nearer to the limit, the
    latest the slower end and a value 2 uncertainties further. None without a limit on that side, for a slope that is
    not significant, or for a value that is outside already.
    """
    limit = high if slope.value > 0 else low
    if limit is None or not slope.significant:
        return None
    way = abs(limit - value)
    if (value > limit) if slope.value > 0 else (value < limit):
        return None
    doubt = 2 * (uncertainty or 0.0)
    ends = sorted((abs(slope.low), abs(slope.high)))
    latest = (way + doubt) / ends[0] * YEAR if ends[0] > 0 else None
    return Crossing(way / abs(slope.value) * YEAR, max(way - doubt, 0.0) / ends[1] * YEAR, latest)
