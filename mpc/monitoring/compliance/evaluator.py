"""How one requirement stands: from the values of its window and its limits to a state in words. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from mpc.monitoring.compliance import statistics
from mpc.monitoring.compliance.trend import crossing, slope_of
from mpc.monitoring.detectors.drift import Drift

MET, AT_RISK, BREACHED, UNDECIDED = "met", "at_risk", "breached", "undecided"
TOO_FEW, NOT_MEASURED = "too_few", "not_measured"
K = 2.0
"""A value within K standard uncertainties of its limit is not decided."""
MOST_DAYS = 3653
"""Crossings further away than ten years are not told: no drift is known so well."""

_WORDS = {
    "each": "the worst of {n} values", "mean": "the mean of {n} values", "median": "the median of {n} values",
    "p90": "the 90 % point of {n} values", "p95": "the 95 % point of {n} values",
    "p9545": "the 95.45 % point of {n} values", "p9973": "the 99.73 % point of {n} values",
    "ce90": "the circular error (90 %) of {n} values", "ce95": "the circular error (95 %) of {n} values",
    "max": "the largest of {n} values", "trend": "the change a year, from {n} values,",
}  # fmt: skip


@dataclass(frozen=True)
class Bounds:
    """What must be kept (``low``, ``high``) and what is aimed at, in the metric's unit; None: no limit on that side.
    ``absolute``: the absolute value is judged."""

    low: float | None = None
    high: float | None = None
    goal_low: float | None = None
    goal_high: float | None = None
    absolute: bool = False

    @property
    def binding(self) -> bool:
        return self.low is not None or self.high is not None


@dataclass(frozen=True)
class Sample:
    """What was measured. ``values`` and ``uncertainties`` (n,) are those of the window, NaN where an uncertainty is not
    known. ``days`` and ``levels`` (m,) are the longer history for the slope: float days since 1970 and values with the
    difference between its series taken out. ``ever``: something was measured at some time, the newest at ``last``.
    ``left_out`` counts older values of the window that were too many to read."""

    values: NDArray[np.float64]
    uncertainties: NDArray[np.float64]
    days: NDArray[np.float64]
    levels: NDArray[np.float64]
    ever: bool = True
    last: datetime | None = None
    left_out: int = 0


@dataclass(frozen=True)
class Verdict:
    """One cell of the matrix; the fields are those of ``Compliance``."""

    state: str
    why: str
    count: int = 0
    value: float | None = None
    uncertainty: float | None = None
    margin: float | None = None
    goal_met: bool | None = None
    slope: float | None = None
    slope_low: float | None = None
    slope_high: float | None = None
    breach_on: date | None = None
    breach_from: date | None = None
    breach_to: date | None = None
    days_left: int | None = None


def evaluate(
    sample: Sample, bounds: Bounds, statistic: str, *, now: datetime, window_days: int, risk_days: int, unit: str = ""
) -> Verdict:
    """The state of one requirement for one part of the mission.

    ``risk_days``: a crossing that is expected sooner makes it at risk. ``unit`` is for the words only.
    Raises ValueError for a statistic that is not known.
    """
    if not sample.ever:
        return Verdict(NOT_MEASURED, "nothing has measured it yet")
    values = np.abs(sample.values) if bounds.absolute else sample.values
    slope = _slope(sample, bounds.absolute)
    told = _Told(slope)
    if statistic == "trend":
        return _judge_trend(sample, bounds, told, unit)
    if not len(values):
        newest = f"; the newest is of {sample.last:%Y-%m-%d}" if sample.last else ""
        return told.on(Verdict(TOO_FEW, f"no value in the last {window_days} days{newest}"))
    found = _nearest(statistic, values, sample.uncertainties, bounds)
    if found.value is None:
        words = _WORDS[statistic].format(n=found.needed)
        why = f"{_values(found.count)} in {window_days} days; {words} is the least that can be judged"
        return told.on(Verdict(TOO_FEW, why, found.count))
    verdict = _judge(found, bounds, statistic, unit)
    if sample.left_out:
        verdict = replace(verdict, why=f"{verdict.why}; the newest {found.count} values, older ones were not read")
    return _foresee(told.on(verdict), slope, bounds, now, risk_days)


# --- The number ------------------------------------------------------------------------------------------------------
def _nearest(
    statistic: str, values: NDArray[np.float64], uncertainties: NDArray[np.float64], bounds: Bounds
) -> statistics.Estimate:
    """The estimate at the side whose limit is nearest; for a mean both sides have the same."""
    high = bounds.high if bounds.high is not None else bounds.goal_high
    low = bounds.low if bounds.low is not None else bounds.goal_low
    upper = statistics.estimate(statistic, values, uncertainties, upper=True)
    lower = statistics.estimate(statistic, values, uncertainties, upper=False)
    if low is None or upper.value is None or lower.value is None or statistic == "max":
        return upper
    if high is None:
        return lower
    return upper if high - upper.value <= lower.value - low else lower


def margin_of(value: float, low: float | None, high: float | None) -> float | None:
    """Distance to the nearest limit, negative outside; None without limits."""
    distances = [value - low] if low is not None else []
    if high is not None:
        distances.append(high - value)
    return min(distances, default=None)


# --- The state -------------------------------------------------------------------------------------------------------
def _judge(found: statistics.Estimate, bounds: Bounds, statistic: str, unit: str) -> Verdict:
    assert found.value is not None
    goal = margin_of(found.value, bounds.goal_low, bounds.goal_high)
    margin = margin_of(found.value, bounds.low, bounds.high) if bounds.binding else goal
    assert margin is not None
    verdict = Verdict(
        state=MET,
        why="",
        count=found.count,
        value=found.value,
        uncertainty=found.uncertainty,
        margin=margin,
        goal_met=None if goal is None else goal >= 0,
    )
    number = f"{_WORDS[statistic].format(n=found.count)} is {_number(found.value, found.uncertainty, unit)}"
    if found.count == 1:
        number = number.replace("1 values", "one value")
    asked = _asked(bounds, unit)
    if not bounds.binding:
        if margin >= 0:
            return replace(verdict, why=f"{number}: the goal {asked} is met")
        return replace(verdict, state=AT_RISK, why=f"{number}: the goal {asked} is not met, which is no breach")
    if found.uncertainty is None:
        number += " (its uncertainty is not known)"
    elif abs(margin) <= K * found.uncertainty:
        return replace(verdict, state=UNDECIDED, why=f"{number}, within {K:g} uncertainties of {asked}")
    if margin < 0:
        return replace(verdict, state=BREACHED, why=f"{number}, not {asked}")
    if verdict.goal_met is False:
        goal_text = _asked(replace(bounds, low=None, high=None), unit)
        return replace(verdict, state=AT_RISK, why=f"{number}, {asked}; the goal {goal_text} is not met")
    return replace(verdict, why=f"{number}, {asked}")


def _judge_trend(sample: Sample, bounds: Bounds, told: _Told, unit: str) -> Verdict:
    slope, count = told.slope, len(sample.levels)
    if slope is None:
        return Verdict(TOO_FEW, f"{_values(count)}: a slope takes at least 10 over 60 days since the last step", count)
    value = abs(slope.slope) if bounds.absolute else slope.slope
    found = statistics.Estimate(value, slope.uncertainty, count, 10)
    return told.on(_judge(found, bounds, "trend", f"{unit}/year".lstrip()))


# --- The future ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Told:
    """Puts the slope on a verdict."""

    slope: Drift | None

    def on(self, verdict: Verdict) -> Verdict:
        if self.slope is None:
            return verdict
        return replace(verdict, slope=self.slope.slope, slope_low=self.slope.low, slope_high=self.slope.high)


def _slope(sample: Sample, absolute: bool) -> Drift | None:
    levels = sample.levels
    if absolute and len(sample.values) and float(np.median(sample.values)) < 0:
        levels = -levels  # a negative value that falls moves away from zero: its absolute value rises
    return slope_of(sample.days, levels)


def _foresee(verdict: Verdict, slope: Drift | None, bounds: Bounds, now: datetime, risk_days: int) -> Verdict:
    if slope is None or verdict.value is None or verdict.state not in (MET, AT_RISK, UNDECIDED) or not bounds.binding:
        return verdict
    at = now.timestamp() / 86_400
    found = crossing(verdict.value, verdict.uncertainty, slope, bounds.low, bounds.high, at)
    if found is None or found.days > MOST_DAYS:
        return verdict
    today = now.astimezone(UTC).date()
    latest = found.latest
    verdict = replace(
        verdict,
        breach_on=today + timedelta(days=math.floor(found.days)),
        breach_from=today + timedelta(days=math.floor(found.earliest)),
        breach_to=None if latest is None or latest > MOST_DAYS else today + timedelta(days=math.ceil(latest)),
        days_left=math.floor(found.days),
    )
    if found.days <= risk_days and verdict.state == MET:
        why = f"{verdict.why}; at the present drift it is crossed on {verdict.breach_on:%Y-%m-%d}"
        return replace(verdict, state=AT_RISK, why=why)
    return verdict


# --- Words -----------------------------------------------------------------------------------------------------------
def _values(count: int) -> str:
    return "one value" if count == 1 else f"{count} values"


def _asked(bounds: Bounds, unit: str) -> str:
    low = bounds.low if bounds.binding else bounds.goal_low
    high = bounds.high if bounds.binding else bounds.goal_high
    suffix = f" {unit}" if unit else ""
    if low is not None and high is not None:
        return f"between {low:g} and {high:g}{suffix}"
    return f"at least {low:g}{suffix}" if low is not None else f"at most {high:g}{suffix}"


def _number(value: float, uncertainty: float | None, unit: str) -> str:
    digits = 3
    if uncertainty and math.isfinite(uncertainty) and uncertainty > 0 and value:
        digits = max(3, min(7, math.floor(math.log10(abs(value))) - math.floor(math.log10(uncertainty)) + 2))
    spread = f" ± {uncertainty:.2g}" if uncertainty is not None else ""
    return f"{value:.{digits}g}{spread} {unit}".strip()
