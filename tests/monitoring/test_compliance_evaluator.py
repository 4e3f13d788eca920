"""How a requirement stands, by hand-computed values."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from mpc.monitoring.compliance import statistics
from mpc.monitoring.compliance.evaluator import Bounds, Sample, Verdict, evaluate, margin_of
from mpc.monitoring.compliance.trend import crossing, slope_of
from mpc.monitoring.detectors.drift import Drift

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
NONE = np.empty(0)


# --- The number ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("statistic", "needed"),
    [("each", 1), ("max", 1), ("mean", 3), ("median", 3), ("p90", 9), ("p95", 19), ("ce95", 19), ("p9545", 21),
     ("p9973", 370)],
)  # fmt: skip
def test_how_many_values_a_statistic_takes(statistic: str, needed: int) -> None:
    assert statistics.needed_for(statistic) == needed
    values = np.arange(float(needed - 1))
    too_few = statistics.estimate(statistic, values, np.full(needed - 1, np.nan), upper=True)
    assert (too_few.value, too_few.count, too_few.needed) == (None, needed - 1, needed)
    enough = statistics.estimate(statistic, np.arange(float(needed)), np.full(needed, np.nan), upper=True)
    assert enough.value is not None


def test_numbers_by_hand() -> None:
    values, unknown = np.array([1.0, 3.0, 2.0, 6.0]), np.full(4, np.nan)
    mean = statistics.estimate("mean", values, unknown, upper=True)
    # Deviations -2 0 -1 3: variance 14/3, over 4 values.
    assert (mean.value, mean.uncertainty) == (3.0, pytest.approx(np.sqrt(14 / 3 / 4)))
    # Own uncertainties of 4 each: 4 / sqrt(4) = 2, more than the scatter tells.
    assert statistics.estimate("mean", values, np.full(4, 4.0), upper=True).uncertainty == pytest.approx(2.0)
    worst = statistics.estimate("each", values, np.array([0.1, 0.2, 0.3, 0.4]), upper=False)
    assert (worst.value, worst.uncertainty) == (1.0, 0.1)
    # 100 values 1 to 100: the 95 % point lies at 1 + 99 x 0.95, the 5 % point at 1 + 99 x 0.05; the interval of the
    # first spans 100 x 2 x sqrt(0.95 x 0.05 / 100) ranks.
    p95 = statistics.estimate("p95", np.arange(1.0, 101.0), np.full(100, np.nan), upper=True)
    assert (p95.value, p95.uncertainty) == (pytest.approx(95.05), pytest.approx(2.1794, rel=1e-3))
    low = statistics.estimate("p95", np.arange(1.0, 101.0), np.full(100, np.nan), upper=False)
    assert low.value == pytest.approx(5.95)


# --- The trend -------------------------------------------------------------------------------------------------------
def test_a_slope_by_hand() -> None:
    days = np.arange(0.0, 1100.0, 50.0)
    found = slope_of(days, 1.0 + 0.5 * days / 365.25)
    assert found is not None
    assert (found.slope, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5), abs=1e-6)
    assert found.significant
    assert slope_of(days[:9], days[:9]) is None, "fewer than 10 points"
    assert slope_of(days[:12] / 12, days[:12]) is None, "less than 60 days"


def drift(slope: float, low: float, high: float, level: float) -> Drift:
    """A line that stands at ``level`` on day 1000, well known there."""
    return Drift(slope, low, high, 0.95, 0.1, 5.0, level, 0.0, 1000.0, 0.0, 1000.0, 10_000, 0.0)


@pytest.mark.parametrize(
    ("value", "line", "low", "high", "expected"),
    [
        # 2 to go at 1 a year; the slope's interval is 0.5 to 2 a year.
        (3.0, drift(1.0, 0.5, 2.0, 3.0), None, 5.0, (730.5, 365.25, 1461.0)),
        # The statistic lies 1 above the line: 1 to go.
        (4.0, drift(1.0, 0.5, 2.0, 3.0), None, 5.0, (365.25, 182.625, 730.5)),
        # It falls to its lower limit, 6 to go at 3 a year.
        (160.0, drift(-3.0, -6.0, -1.0, 160.0), 154.0, None, (730.5, 365.25, 2191.5)),
        (3.0, drift(1.0, -0.1, 2.0, 3.0), None, 5.0, None),  # not significant
        (3.0, drift(-1.0, -2.0, -0.5, 3.0), None, 5.0, None),  # it moves away
        (5.5, drift(1.0, 0.5, 2.0, 5.5), None, 5.0, None),  # outside already
    ],
)
def test_when_a_limit_is_crossed(value, line, low, high, expected) -> None:
    found = crossing(value, 0.0, line, low, high, 1000.0)
    told = found and (found.days, found.earliest, found.latest)
    assert told == (expected and pytest.approx(expected, rel=0.01))


def test_the_uncertainty_of_the_value_widens_the_interval() -> None:
    line = drift(1.0, 0.5, 2.0, 3.0)
    sure, unsure = (crossing(3.0, u, line, None, 5.0, 1000.0) for u in (0.0, 0.5))
    assert sure.days == unsure.days
    assert unsure.earliest < sure.earliest < sure.latest < unsure.latest


# --- The state -------------------------------------------------------------------------------------------------------
def sample(values: object, uncertainty: float = 0.1, slope: float = 0.0, **more: object) -> Sample:
    """Values of the window, and three years of history that ends at their median with this slope a year."""
    numbers = np.asarray(values, dtype=float)
    days = np.arange(-1095.0, 0.0, 15.0)
    middle = float(np.median(numbers)) if len(numbers) else 0.0
    own = {"days": days + 20785, "levels": middle + slope * days / 365.25}
    return Sample(numbers, np.full(len(numbers), uncertainty), **{**own, **more})


def judged(given: Sample, bounds: Bounds, statistic: str = "mean", unit: str = "%") -> Verdict:
    return evaluate(given, bounds, statistic, now=NOW, window_days=365, risk_days=365, unit=unit)


FIVE = Bounds(high=5.0, goal_high=3.0)


@pytest.mark.parametrize(
    ("given", "bounds", "state", "words"),
    [
        (sample([2.0, 2.1, 1.9, 2.0]), FIVE, "met", "the mean of 4 values is 2 ± 0.05 %, at most 5 %"),
        (sample([3.5] * 4), FIVE, "at_risk", "the goal at most 3 % is not met"),
        (sample([5.5] * 4), FIVE, "breached", "is 5.5 ± 0.05 %, not at most 5 %"),
        (sample([4.95] * 4), FIVE, "undecided", "within 2 uncertainties of at most 5 %"),
        (sample([5.05] * 4), FIVE, "undecided", "within 2 uncertainties"),
        (sample([-5.5] * 4), Bounds(high=5.0), "met", "at most 5"),
        (sample([-5.5] * 4), Bounds(high=5.0, absolute=True), "breached", "is 5.5"),
        (sample([0.2] * 4, 0.001), Bounds(low=0.15, high=0.3), "met", "between 0.15 and 0.3"),
        (sample([0.1] * 4, 0.001), Bounds(low=0.15, high=0.3), "breached", "not between 0.15 and 0.3"),
        (sample([1.0, 2.0]), FIVE, "too_few", "2 values in 365 days; the mean of 3 values is the least"),
        (sample([], last=datetime(2024, 5, 1, tzinfo=UTC)), FIVE, "too_few", "the newest is of 2024-05-01"),
        (sample([], ever=False), FIVE, "not_measured", "nothing has measured it yet"),
        (sample([12.0] * 4), Bounds(goal_high=10.0), "at_risk", "which is no breach"),
        (sample([8.0] * 4), Bounds(goal_high=10.0), "met", "the goal at most 10 % is met"),
        (sample([2.0] * 4, left_out=900), FIVE, "met", "older ones were not read"),
    ],
)
def test_states(given: Sample, bounds: Bounds, state: str, words: str) -> None:
    found = judged(given, bounds)
    assert (found.state, words in found.why) == (state, True), found.why


def test_a_quantile_with_too_few_values_says_how_many_it_takes() -> None:
    found = judged(sample([4.0] * 20), Bounds(high=12.5), "p9545", "m")
    assert found.state == "too_few"
    assert "20 values in 365 days; the 95.45 % point of 21 values is the least" in found.why
    assert judged(sample([4.0] * 21), Bounds(high=12.5), "p9545", "m").state == "met"


def test_a_drift_that_crosses_soon_is_a_risk_with_a_date() -> None:
    # 4 now, 1.5 a year: 5 is crossed in 243.5 days. One that needs longer than the 365 days is met.
    soon = judged(sample([4.0] * 4, 0.01, slope=1.5), Bounds(high=5.0))
    assert soon.state == "at_risk"
    assert (soon.days_left, soon.breach_on) == (243, date(2027, 7, 29))
    assert soon.breach_from is not None
    assert soon.breach_to is not None
    assert soon.breach_from < soon.breach_on < soon.breach_to
    assert (soon.slope, soon.slope_low, soon.slope_high) == pytest.approx((1.5, 1.5, 1.5))
    assert "crossed on 2027-07-29" in soon.why
    late = judged(sample([4.0] * 4, 0.01, slope=0.5), Bounds(high=5.0))
    assert (late.state, late.days_left) == ("met", 730)


def test_a_value_below_zero_that_falls_comes_nearer_to_its_absolute_limit() -> None:
    found = judged(sample([-4.0] * 4, 0.01, slope=-1.5), Bounds(high=5.0, absolute=True))
    assert (found.slope, found.days_left) == (pytest.approx(1.5), 243)
    away = judged(sample([-4.0] * 4, 0.01, slope=1.5), Bounds(high=5.0, absolute=True))
    assert (away.state, away.days_left) == ("met", None)


def test_without_an_uncertainty_it_is_judged_and_said() -> None:
    found = judged(sample([4.0], float("nan")), Bounds(high=5.0), "each")
    assert (found.state, found.uncertainty) == ("met", None)
    assert "one value" not in found.why or "its uncertainty is not known" in found.why
    assert "(its uncertainty is not known)" in found.why


def test_the_change_a_year_as_a_requirement() -> None:
    steady = judged(sample([0.0] * 4, slope=0.3), Bounds(high=1.0, absolute=True), "trend")
    falling = judged(sample([0.0] * 4, slope=-1.4), Bounds(high=1.0, absolute=True), "trend")
    assert (steady.state, falling.state) == ("met", "breached")
    assert falling.value == pytest.approx(1.4)
    assert "%/year" in falling.why
    short = judged(sample([0.0] * 4, days=NONE, levels=NONE), Bounds(high=1.0), "trend")
    assert short.state == "too_few"


@pytest.mark.parametrize(
    ("value", "low", "high", "margin"),
    [(3.0, None, 5.0, 2.0), (6.0, None, 5.0, -1.0), (0.2, 0.15, 0.3, 0.05), (0.28, 0.15, 0.3, 0.02),
     (1.0, None, None, None)],
)  # fmt: skip
def test_margins_are_signed(value, low, high, margin) -> None:
    assert margin_of(value, low, high) == (margin if margin is None else pytest.approx(margin))
