"""The yearly course: removed where it is known, left where it is not, and no step taken for it."""

from __future__ import annotations

import numpy as np
import pytest

from mpc.monitoring.detectors import remove_season, series_of
from mpc.monitoring.detectors.series import YEAR
from tests.detectors.made import EVERY, noise, series, times

COUNT = 365


def course(count: int = COUNT, amplitude: float = 2.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * times(count) / YEAR + 0.7)


def test_a_season_without_noise_goes_without_a_rest() -> None:
    found = remove_season(series(7.5 + course()))
    assert found.removed
    assert found.amplitude == pytest.approx(2.0, rel=1e-3)
    assert found.values == pytest.approx(np.full(COUNT, 7.5), abs=5e-3)
    assert found.at(times(10)) == pytest.approx(course(10), abs=5e-3)


@pytest.mark.parametrize("place", [100, 180, 250])
def test_a_step_is_not_eaten(place: int) -> None:
    sizes = []
    for row in noise(51, 40, COUNT, 0.3):
        values = row + course(amplitude=1.0)
        values[place:] += 3.0
        found = remove_season(series(values))
        assert found.removed
        assert any(abs(step - place) <= 6 for step in found.steps)
        sizes.append(found.values[place:].mean() - found.values[:place].mean())
    assert np.mean(sizes) == pytest.approx(3.0, abs=0.12)


def test_a_drift_stays() -> None:
    slow = 1.5 * (times(COUNT) - times(1)) / YEAR
    found = remove_season(series(slow + course()))
    assert found.values - slow == pytest.approx(np.zeros(COUNT), abs=0.05)


def test_amplitudes_hold_the_truth() -> None:
    truth = 1.2
    values = noise(52, 2000, 270, 0.3) + course(270, truth)
    spoiled = np.random.default_rng(53).random(values.shape) < 0.01
    found = [remove_season(series(row)) for row in np.where(spoiled, values + 10.0, values)]
    errors = np.array([(one.amplitude - truth) / one.amplitude_uncertainty for one in found])
    assert 0.62 <= np.mean(np.abs(errors) < 1) <= 0.76
    assert np.mean([len(one.steps) for one in found]) < 0.03


@pytest.mark.parametrize(
    ("count", "every", "reason"),
    [
        (200, EVERY, "1.6 years of data, 2 are needed"),
        (20, 60.0, "20 values, 24 are needed"),
        (0, EVERY, "0 values, 24 are needed"),
        (40, YEAR, "no value ever falls into 100% of the year"),
    ],
)
def test_it_says_why_a_season_stays(count: int, every: float, reason: str) -> None:
    values = 7.5 + np.arange(count) % 5
    found = remove_season(series(values, every))
    assert (found.removed, found.reason) == (False, reason)
    assert found.values.tolist() == values.tolist()
    assert found.at(times(3)).tolist() == [0, 0, 0]


def test_a_summer_station_has_no_season_to_tell() -> None:
    at = np.concatenate([times(30) + YEAR * year for year in range(4)])
    assert not remove_season(series_of(at, np.cos(at))).removed


def test_a_constant_has_a_season_of_nothing() -> None:
    found = remove_season(series([4.25] * COUNT))
    assert found.removed
    assert found.amplitude == pytest.approx(0.0, abs=1e-9)
    assert found.values == pytest.approx(np.full(COUNT, 4.25))
