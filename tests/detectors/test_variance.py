"""Changes of the noise."""

from __future__ import annotations

import numpy as np
import pytest

from mpc.monitoring.detectors.variance import NoiseChangeParams, find_noise_changes, shared_information
from tests.detectors.made import noise, series, times


def test_neighbouring_differences_share_a_point() -> None:
    assert shared_information(0.0) == pytest.approx(1.5)
    # rho 0.5: r_1 = -0.25, r_k = -0.25 x 0.5^(k-1); sum of squares 0.0625 / 0.75.
    assert shared_information(0.5) == pytest.approx(1 + 2 * 0.0625 / 0.75)


@pytest.mark.parametrize(("factor", "least"), [(2.0, 0.95), (3.0, 0.98), (0.4, 0.95)])
def test_a_change_is_found_and_measured(factor: float, least: float) -> None:
    values = noise(71, 100, 320, 0.3)
    values[:, 200:] *= factor
    found = [[one for one in find_noise_changes(series(row)) if one.found_index >= 200] for row in values]
    assert np.mean([len(some) > 0 for some in found]) >= least
    first = [some[0] for some in found if some]
    assert np.median([one.index for one in first]) == pytest.approx(200, abs=10)
    assert np.median([one.found_index for one in first]) <= 260


def test_steps_drifts_and_outliers_are_not_noise() -> None:
    values = noise(72, 100, 320, 0.3) + 3.0 * (times(320) - times(1)) / 365.25
    values[:, 180:] += 20.0
    values[:, [50, 51, 190, 240, 241]] += 15.0
    assert sum(len(find_noise_changes(series(row))) for row in values) <= 8


def test_frozen_values_are_a_change_and_nothing_that_scatters_is_none() -> None:
    values = noise(73, 1, 300)[0]
    values[150:] = values[149]
    (found,) = find_noise_changes(series(values))
    assert found.ratio < 0.1
    assert found.index == pytest.approx(150, abs=5)
    assert find_noise_changes(series([4.5] * 300)) == []
    assert find_noise_changes(series([])) == []
    assert find_noise_changes(series([4.5, 4.7])) == []


def test_ratios_hold_the_truth() -> None:
    """Windows of 60 and 60 points: the score of no change scatters by 1 (2000 trials)."""
    from mpc.monitoring.detectors import variance

    params = NoiseChangeParams(threshold=2.0, after=60, before=60, least_change=0.0)
    found = sum(len(find_noise_changes(series(row), params)) for row in noise(74, 2000, 120, 0.3))
    assert found / 2000 == pytest.approx(0.0455, abs=0.03)
    assert variance.NoiseChangeParams().threshold > 3
