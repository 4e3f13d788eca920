"""How fast a metric changes, with its interval, and when its statistic will cross a limit. Pure; by the drift
detector."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mpc.monitoring.detectors.drift import Drift, DriftParams, find_drift, predicted_breach
from mpc.monitoring.detectors.series import series_of

PARAMS = DriftParams(least_points=10, least_years=0.16)
"""Ten values over some sixty days give a slope; what a season may feign is part of its interval."""


@dataclass(frozen=True)
class Crossing:
    """Days from now until a limit is crossed: as expected, at the earliest, at the latest (None: perhaps never)."""

    days: float
    earliest: float
    latest: float | None


def slope_of(days: NDArray[np.float64], values: NDArray[np.float64]) -> Drift | None:
    """The drift of ``values`` (n,) over ``days`` (n,), float days since 1970, any order, since the last step in them
    and without the season where it is known; None for fewer than 10 values or 60 days since then."""
    return find_drift(series_of(days, values), PARAMS)


def crossing(
    value: float, uncertainty: float | None, drift: Drift, low: float | None, high: float | None, now: float
) -> Crossing | None:
    """When a statistic with this value, that lies within its limits, crosses the one towards which it drifts; ``now``
    in days since 1970.

    The statistic (a percentile, a mean) moves along the line of the values: the limit is shifted by its distance from
    the line, and its uncertainty joins that of the line's level. None without a limit on that side, for a drift that
    is not significant, for a value that is outside already, and where it takes longer than the detector foretells.
    """
    limit, side = (high, "high") if drift.slope > 0 else (low, "low")
    if limit is None or not drift.significant or ((value > limit) if side == "high" else (value < limit)):
        return None
    level = replace(drift, level_uncertainty=math.hypot(drift.level_uncertainty, uncertainty or 0.0))
    found = predicted_breach(level, limit - (value - drift.at(now)), now, side)
    if found.time is None or found.earliest is None:
        return None
    latest = None if found.latest is None else found.latest - now
    return Crossing(found.time - now, found.earliest - now, latest)
