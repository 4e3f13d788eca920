"""Drills: the series are what they say, the faults are where they should be, and the counting is honest."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mpc.monitoring.detectors import series_of
from mpc.monitoring.detectors.drills import (
    DEAD,
    FROZEN,
    GAIN_DRIFT,
    GAIN_STEP,
    MISSING,
    OUTLIER,
    TWICE_NOISE,
    Fault,
    Rate,
    Recipe,
    Share,
    drill,
    false_alarms,
    make_family,
    make_series,
    noise_of_real,
    online,
    online_silence,
    plant,
)
from mpc.monitoring.detectors.family_drills import Setting, drill_family, watch
from mpc.monitoring.detectors.series import YEAR
from tests.detectors.made import series, times

RECIPE = Recipe()
TEN = np.array([7.1, 7.4, 7.2, 7.3, 7.5, 7.2, 7.6, 7.1, 7.3, 7.4])


def test_series_are_what_the_recipe_says() -> None:
    made = make_series(Recipe(season=0.0, outliers=0.0), 300, seed=5)
    values = np.array([one.values for one in made])
    assert values.shape == (300, 360)
    assert values.mean() == pytest.approx(1.0, abs=2e-5)
    assert values.std() == pytest.approx(0.001, rel=0.02)
    fresh = (values - 1.0) / 0.001
    assert np.mean(fresh[:, 1:] * fresh[:, :-1]) == pytest.approx(0.3, abs=0.015)
    assert np.mean([one.years for one in made]) == pytest.approx(3.0, rel=0.02)
    gaps = np.concatenate([np.diff(one.times) for one in made])
    assert (gaps.mean(), gaps.std()) == (pytest.approx(YEAR / 120, rel=0.01), pytest.approx(YEAR / 240, rel=0.02))


def test_season_and_outliers() -> None:
    made = make_series(Recipe(correlation=0.0, season=2.0, outliers=0.03, sigma=1.0, level=0.0), 100, seed=6)
    values = np.array([one.values for one in made])
    assert np.mean(np.abs(values) > 4.9) == pytest.approx(0.03, abs=0.006)
    # Noise 1, outliers 0.03 x (5^2 + 5 x 15 + 15^2) / 3, season (2^2 + 0.6^2) / 2.
    assert values.var() == pytest.approx(1 + 0.03 * 325 / 3 + 2.18, rel=0.05)


def test_a_seed_is_a_series() -> None:
    first, again, other = (make_series(RECIPE, 2, seed=seed) for seed in (7, 7, 8))
    assert all((a.values == b.values).all() for a, b in zip(first, again, strict=True))
    assert (first[0].values != other[0].values).all()
    assert (first[0].values != first[1].values).all()


def test_a_family_has_its_times_and_part_of_its_noise_in_common() -> None:
    recipe = Recipe(years=20.0, outliers=0.0, season=0.0)
    made = make_family(recipe, 2, 3, shared=0.5, seed=9)
    assert len(made) == 6
    assert all((one.times == made[0, 0].times).all() for one in made.values())
    between = np.corrcoef([one.values for one in made.values()])
    assert between[np.triu_indices(6, 1)].mean() == pytest.approx(0.5, abs=0.08)
    assert made[1, 2].values.std() == pytest.approx(0.001, rel=0.08)


@pytest.mark.parametrize(
    ("fault", "sign", "after"),
    [
        (Fault("step", 3.0), 1.0, TEN[6:] + 0.3),
        (Fault("step", 3.0), -1.0, TEN[6:] - 0.3),
        (Fault("drift", 10.0), 1.0, TEN[6:] + 3.0 / YEAR * np.arange(4)),
        (OUTLIER, 1.0, TEN[6:] + [0.8, 0, 0, 0]),
        (DEAD, 1.0, [0.0] * 4),
        (FROZEN, 1.0, [7.2] * 4),
    ],
)
def test_a_fault_is_planted_in_a_copy(fault: Fault, sign: float, after: object) -> None:
    real = series(TEN, uncertainties=np.full(10, 0.1))
    spoiled = plant(real, fault, 6, sigma=0.1, sign=sign)
    assert spoiled.values[6:] == pytest.approx(after)
    assert spoiled.values[:6].tolist() == TEN[:6].tolist()
    assert real.values.tolist() == TEN.tolist()
    assert spoiled.until == real.until


def test_missing_data_end_and_the_clock_goes_on() -> None:
    real = series(TEN, uncertainties=np.full(10, 0.1))
    spoiled = plant(real, MISSING, 6, sigma=0.1)
    assert (len(spoiled), spoiled.until) == (6, times(10)[9])


def test_more_noise_is_more_of_the_same_noise() -> None:
    one = make_series(Recipe(outliers=0.0), 1, seed=10)[0]
    spoiled = plant(one, TWICE_NOISE, 180, sigma=0.001)
    before, after = (noise_of_real(part) for part in (one, series_of(spoiled.times[180:], spoiled.values[180:])))
    assert after / before == pytest.approx(2.0, rel=0.25)
    assert noise_of_real(one) == pytest.approx(0.001, rel=0.15)


@pytest.mark.parametrize("at", [0, 10, -1])
def test_no_place_for_a_fault(at: int) -> None:
    with pytest.raises(ValueError, match="no place"):
        plant(series(TEN), GAIN_STEP, at, sigma=0.1)
    with pytest.raises(ValueError, match="no fault “stp”"):
        plant(series(TEN), Fault("stp"), 5, sigma=0.1)


@pytest.mark.parametrize(
    # Wilson: 9 of 10 is 0.596 to 0.982, 0 of 20 is 0 to 0.161. Poisson: 0 is up to 3.69, 5 is 1.62 to 11.67;
    # Byar's approximation is 0.01 off.
    ("found", "low", "high"),
    [(Share(9, 10), 0.596, 0.982), (Share(0, 20), 0.0, 0.161), (Rate(0, 1.0), 0, 3.69), (Rate(5, 1.0), 1.61, 11.67)],
)
def test_intervals_of_shares_and_rates(found: Share | Rate, low: float, high: float) -> None:
    assert found.interval == (pytest.approx(low, abs=2e-3), pytest.approx(high, abs=0.06 if high > 1 else 2e-3))
    assert math.isnan(Share(0, 0).value)


def test_a_finding_before_the_fault_does_not_find_it() -> None:
    made = make_series(RECIPE, 5, seed=12)
    early = drill("x", lambda one: [(float(one.times[3]), 0.0)], made, GAIN_STEP, 0.001)
    assert (early.detected.hits, early.ever.hits, early.false.events) == (0, 0, 5)
    at_once = drill("x", lambda one: [(float(moment), 0.0) for moment in one.times], made, GAIN_STEP, 0.001)
    assert (at_once.detected.hits, at_once.points_median, at_once.days_90) == (5, 1.0, 0.0)
    last = drill("x", lambda one: [(float(one.times[-1]), 0.0)], made, GAIN_STEP, 0.001, places=(0.4, 0.5))
    assert (last.detected.hits, last.ever.hits) == (0, 5)


def test_steps_of_three_sigma_and_false_alarms_stand_where_the_record_says() -> None:
    made = make_series(RECIPE, 60, seed=13)
    record = drill("step", online("step"), made, GAIN_STEP, RECIPE.sigma)
    assert record.detected.value >= 0.93
    assert record.false.interval[0] <= 0.2, "the bench has the figure of more series"
    assert 3 <= record.points_median <= 6
    assert record.cadence_days == pytest.approx(2.8, abs=0.3)
    assert record.days_median == pytest.approx(record.points_median * 3.04, rel=0.5)


def test_a_drift_is_told_again_as_the_series_grows() -> None:
    made = make_series(RECIPE, 4, seed=14)
    record = drill("drift", online("drift", every=30), made, GAIN_DRIFT, RECIPE.sigma, places=(0.34, 0.4))
    assert record.ever.hits >= 3
    assert record.false.events <= 1


def test_silence_is_found_by_the_clock() -> None:
    made = make_series(RECIPE, 12, seed=15)
    record = drill("silence", online_silence(), made, MISSING, RECIPE.sigma, places=(0.4, 0.6))
    assert record.detected.hits >= 11
    assert record.false.value <= 0.15
    assert record.days_median < 25


def test_a_dead_detector_is_found_at_once() -> None:
    made = make_series(RECIPE, 10, seed=16)
    record = drill("step", online("step"), made, DEAD, RECIPE.sigma)
    assert (record.detected.hits, record.points_median) == (10, 3.0)


def test_false_alarms_count_every_finding_that_was_ever_made() -> None:
    made = make_series(RECIPE, 3, seed=17)
    rate = false_alarms(lambda one: [(0.0, 0.0)] * 2, made)
    assert rate.events == 6
    assert rate.years == pytest.approx(9.0, rel=0.1)


def test_a_small_family() -> None:
    setting = Setting(RECIPE, units=1, bands=3, detectors=4)
    seen = watch(setting)
    assert (seen.series, seen.raised.years) == (12, pytest.approx(3.0, rel=0.1))
    assert seen.raised.events <= seen.parts.events <= seen.found.events
    pair, band = drill_family(setting, [(DEAD, "pair"), (GAIN_STEP, "band")], repeats=4)
    assert pair.detected.hits == band.detected.hits == 4
    assert pair.points_median == 5.0, "found after three, confirmed by two more"
    assert band.points_median <= 6
    assert (pair.fault, band.fault) == ("one dead detector in one pair", "gain step of 0.3 % in one band")
