"""Drifts and the day on which they break a limit."""

from __future__ import annotations

import numpy as np
import pytest

from mpc.monitoring.detectors import Drift, find_drift, predicted_breach, theil_sen
from mpc.monitoring.detectors.drift import DriftParams, _student_quantile
from mpc.monitoring.detectors.series import YEAR
from tests.detectors.made import noise, series, times


def test_slope_of_five_points() -> None:
    """Slopes of the ten pairs, a year: sorted -1 0.5 0.5 1 1 1 1.333 1.5 2 3 (the last point of the line is off)."""
    at = np.array([0.0, 1, 2, 3, 4]) * YEAR
    values = np.array([2.0, 3.0, 5.0, 5.5, 4.5])
    pairs = sorted((values[j] - values[i]) / (j - i) for i in range(5) for j in range(i + 1, 5))
    found = theil_sen(at, values)
    assert found is not None
    assert found.slope == pytest.approx((pairs[4] + pairs[5]) / 2)
    # S = 8 rising pairs less 2 falling; variance 5 x 4 x 15 / 18 without correlation of neighbours.
    rho = found.correlation
    assert found.score == pytest.approx((8 - 2 - 1) / np.sqrt(300 / 18 * (1 + rho) / (1 - rho)))
    assert (found.low, found.high) == (pytest.approx(pairs[0]), pytest.approx(pairs[-1]))
    assert not found.significant
    assert found.reference == 2 * YEAR
    assert found.level == pytest.approx(np.median(values - found.slope * np.arange(-2, 3)))


def test_an_outlier_leaves_the_slope_alone() -> None:
    values = 3.5 + 0.4 * (times(60) - times(60)[0]) / YEAR + 0.02 * (np.arange(60) % 3)
    straight = theil_sen(times(60), values)
    values[50] = 90.0
    spoiled = theil_sen(times(60), values)
    assert straight is not None
    assert spoiled is not None
    assert spoiled.slope == pytest.approx(straight.slope, abs=0.02)
    assert spoiled.slope == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize(("confidence", "freedom", "value"), [(0.95, 5, 2.571), (0.95, 20, 2.086), (0.6827, 10, 1.053)])
def test_quantiles_of_student(confidence: float, freedom: float, value: float) -> None:
    assert _student_quantile(confidence, freedom) == pytest.approx(value, abs=0.01)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.5])
def test_intervals_hold_the_truth(correlation: float) -> None:
    at, truth = times(50), 1.8
    found = [theil_sen(at, row + truth * at / YEAR) for row in noise(61, 2000, 50, correlation)]
    held = np.mean([one.low <= truth <= one.high for one in found if one])
    assert 0.935 <= held <= 0.975
    scale = np.std([(one.slope - truth) / one.uncertainty for one in found if one])
    assert 0.85 <= scale <= 1.1


def test_the_season_goes_first_where_it_is_known() -> None:
    at = times(365)
    values = 4.0 * np.sin(2 * np.pi * at / YEAR) + 0.5 * (at - at[0]) / YEAR + 0.1 * noise(62, 1, 365)[0]
    found = find_drift(series(values))
    assert found is not None
    assert found.season_removed
    assert found.slope == pytest.approx(0.5, abs=0.03)
    young = find_drift(series(values[:200]))
    assert young is not None
    assert (young.season_removed, young.season_reason) == (False, "1.6 years of data, 2 are needed")


def test_the_drift_begins_after_the_last_step() -> None:
    values = 0.3 * noise(63, 1, 365)[0]
    values[150:] += 6.0
    found = find_drift(series(values))
    assert found is not None
    assert abs(found.slope) < 0.3
    assert found.start == pytest.approx(times(365)[150], abs=6)


@pytest.mark.parametrize(
    ("count", "every"),
    [(0, 3.0), (1, 3.0), (23, 30.0), (50, 3.0), (60, 0.0)],
    ids=["none", "one", "few", "short", "one day"],
)
def test_too_little_is_no_drift(count: int, every: float) -> None:
    assert find_drift(series(3.5 + np.arange(count) % 4, every)) is None
    assert theil_sen(np.array([5.5, 5.5]), np.array([1.5, 2.5])) is None


def test_a_constant_does_not_drift() -> None:
    found = theil_sen(times(30), np.full(30, 4.5))
    assert found is not None
    assert (found.slope, found.low, found.high, found.score, found.significant) == (0, 0, 0, 0, False)


def test_long_series_are_thinned() -> None:
    at = times(6000, 0.5)
    found = theil_sen(at, noise(64, 1, 6000)[0] + 2.5 * at / YEAR)
    assert found is not None
    assert found.points == 6000
    assert found.slope == pytest.approx(2.5, abs=4 * found.uncertainty)
    assert found.uncertainty < 0.03


# --- The day of the breach -----------------------------------------------------------------------------------------
def line(slope: float, low: float, high: float, level: float = 2.0, uncertainty: float = 0.0) -> Drift:
    return Drift(
        slope, low, high, 0.95, (high - low) / 3.92, 5.0, level, uncertainty, 20_000.0, 19_500.0, 20_500.0, 300, 0.0
    )


NOW = 20_000 + YEAR


@pytest.mark.parametrize(
    ("drift", "limit", "side", "years"),
    [
        # 2.0 + 0.5 y crosses 5.0 after 6 years; with 0.4 after 7.5, with 0.6 after 5.
        (line(0.5, 0.4, 0.6), 5.0, "high", (6.0, 5.0, 7.5)),
        (line(-0.5, -0.6, -0.4), -1.0, "low", (6.0, 5.0, 7.5)),
        (line(0.5, -0.1, 1.1), 5.0, "high", (6.0, 3.0 / 1.1, None)),
        (line(-0.5, -0.6, -0.4), 5.0, "high", (None, None, None)),
        (line(0.05, 0.04, 0.06), 5.0, "high", (None, None, None)),
        (line(0.5, 0.4, 0.6), 2.3, "high", (1.0, 1.0, 1.0)),
    ],
    ids=["up", "down", "slow end never", "away", "after the mission", "already"],
)
def test_when_a_limit_is_crossed(drift: Drift, limit: float, side: str, years: tuple) -> None:
    breach = predicted_breach(drift, limit, NOW, side)
    for found, expected in zip((breach.time, breach.earliest, breach.latest), years, strict=True):
        if expected is None:
            assert found is None
        else:
            assert found == pytest.approx(20_000 + expected * YEAR, abs=0.1)
    assert (breach.date is None) == (breach.time is None)


def test_an_uncertain_level_widens_the_interval() -> None:
    sure = predicted_breach(line(0.5, 0.4, 0.6), 5.0, NOW, "high")
    unsure = predicted_breach(line(0.5, 0.4, 0.6, uncertainty=0.3), 5.0, NOW, "high")
    assert unsure.time == sure.time
    assert unsure.earliest < sure.earliest  # type: ignore[operator]
    assert unsure.latest > sure.latest  # type: ignore[operator]
    with pytest.raises(ValueError, match="low or high"):
        predicted_breach(line(0.5, 0.4, 0.6), 5.0, NOW, "above")


def test_the_interval_holds_the_day() -> None:
    at, truth, limit = times(100), 2.0, 8.0
    day = at[0] + limit / truth * YEAR
    held = []
    for row in noise(65, 2000, 100, 0.3):
        drift = theil_sen(at, 0.4 * row + truth * (at - at[0]) / YEAR)
        assert drift is not None
        breach = predicted_breach(drift, limit, float(at[-1]), "high")
        assert breach.earliest is not None
        held.append(breach.earliest <= day and (breach.latest is None or day <= breach.latest))
    assert 0.93 <= np.mean(held) <= 0.985


def test_settings_are_filters() -> None:
    params = DriftParams(window_years=1.0)
    found = find_drift(series(noise(66, 1, 365)[0]), params)
    assert found is not None
    assert found.start >= times(365)[-1] - YEAR
