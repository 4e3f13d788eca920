"""Limits with hysteresis: a breach opens after n points beyond a limit and closes after N points within."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpc.jobs.params import param
from mpc.monitoring.detectors.series import Series


@dataclass(frozen=True)
class ThresholdParams:
    low: float | None = param(None, help="Values must not be below; empty for no lower limit")
    high: float | None = param(None, help="Values must not be above; empty for no upper limit")
    open_after: int = param(2, help="Points beyond the limit, one after the other, that open a breach", minimum=1)
    close_after: int = param(3, help="Points within, one after the other, that close it", minimum=1)
    margin_sigmas: float = param(
        0.0,
        help="A point counts as beyond only by more than this many of its own standard uncertainties",
        minimum=0,
        unit="sigma",
    )


@dataclass(frozen=True)
class Breached:
    """A time during which a limit was broken.

    Attributes:
        side: "low" or "high".
        start_index, start: the first point beyond the limit, and its time (days).
        opened_index, opened: the point that made it a breach.
        closed_index, closed: the point that ended it; None while it is open.
        worst: the value furthest beyond; ``worst_uncertainty`` its own, NaN if unknown.
        limit: the limit that was broken.
    """

    side: str
    limit: float
    start_index: int
    start: float
    opened_index: int
    opened: float
    closed_index: int | None
    closed: float | None
    worst: float
    worst_uncertainty: float

    @property
    def open(self) -> bool:
        return self.closed is None


def find_breaches(series: Series, params: ThresholdParams) -> list[Breached]:
    """Breaches in order of time; low and high are judged apart. A point on the limit is within it.

    A point counts as beyond when it is so by more than ``margin_sigmas`` of its uncertainty (0 where unknown). A point
    that is neither surely beyond nor within the limit itself opens nothing and closes nothing. No limit, no breach.

    Raises:
        ValueError: the lower limit is above the upper one.
    """
    if params.low is not None and params.high is not None and params.low > params.high:
        raise ValueError(f"the lower limit {params.low:g} is above the upper one {params.high:g}")
    found = []
    for side, limit, sign in (("low", params.low, -1.0), ("high", params.high, 1.0)):
        if limit is not None:
            found += _side(series, params, side, limit, sign)
    return sorted(found, key=lambda breach: breach.opened)


def _side(series: Series, params: ThresholdParams, side: str, limit: float, sign: float) -> list[Breached]:
    excess = sign * (series.values - limit)
    margin = np.zeros(len(series))
    if series.uncertainties is not None:
        margin = params.margin_sigmas * np.nan_to_num(series.uncertainties)
    beyond, within = excess > margin, excess <= 0
    found: list[Breached] = []
    outside = inside = first = 0
    opened: int | None = None
    for i in range(len(series)):
        outside = outside + 1 if beyond[i] else (0 if within[i] else outside)
        inside = inside + 1 if within[i] else (0 if beyond[i] else inside)
        if beyond[i] and outside == 1 and opened is None:
            first = i
        if opened is None and beyond[i] and outside >= params.open_after:
            opened = i
        elif opened is not None and within[i] and inside >= params.close_after:
            found.append(_breach(series, side, limit, excess, first, opened, i))
            opened, outside = None, 0
    if opened is not None:
        found.append(_breach(series, side, limit, excess, first, opened, None))
    return found


def _breach(
    series: Series, side: str, limit: float, excess: np.ndarray, first: int, opened: int, closed: int | None
) -> Breached:
    end = len(series) if closed is None else closed + 1
    worst = first + int(np.argmax(excess[first:end]))
    return Breached(
        side=side,
        limit=limit,
        start_index=first,
        start=float(series.times[first]),
        opened_index=opened,
        opened=float(series.times[opened]),
        closed_index=closed,
        closed=None if closed is None else float(series.times[closed]),
        worst=float(series.values[worst]),
        worst_uncertainty=float("nan") if series.uncertainties is None else float(series.uncertainties[worst]),
    )
