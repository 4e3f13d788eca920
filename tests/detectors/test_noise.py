"""Scatter and correlation: hand-computed arrays, and known truth in thousands of trials."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mpc.monitoring.detectors.noise import (
    MAD_TO_SIGMA,
    difference_scale,
    effective_size,
    lag_one,
    mad_scale,
    noise_of,
    normal_score,
    robust_scale,
)
from tests.detectors.made import noise


def test_scales_of_seven_values() -> None:
    values = np.array([2.0, 3.5, 2.5, 4.0, 3.0, 2.0, 90.0])
    # Sorted 2 2 2.5 3 3.5 4 90: median 3, deviations 1 1 .5 0 .5 1 87, their median 1.
    assert mad_scale(values) == pytest.approx(MAD_TO_SIGMA)
    # Differences 1.5 -1 1.5 -1 -1 88: sizes sorted 1 1 1 1.5 1.5 88, median 1.25.
    assert difference_scale(values) == pytest.approx(MAD_TO_SIGMA * 1.25 / math.sqrt(2))
    # About the median 87 is beyond 3.5 MADs of the sizes; the rest: (1 + .25 + .25 + 1 + 0 + 1) / 6.
    assert robust_scale(values - 3) == pytest.approx(math.sqrt(3.5 / 6) / 0.9969)


def test_correlation_of_six_residuals() -> None:
    residuals = np.array([1.0, 2.0, 1.5, -1.0, -2.0, -1.5])
    # Products 2 + 3 - 1.5 + 2 + 3 = 8.5; halves of the squares 2.5 + 3.125 + 1.625 + 2.5 + 3.125 = 12.875.
    raw = 8.5 / 12.875
    assert lag_one(residuals) == pytest.approx(min(raw + (1 + raw + 2 * raw) / 5, 0.9))
    assert lag_one(-residuals) == lag_one(residuals)
    assert lag_one(np.array([1.2, -1.1, 1.3, -1.2, 1.1])) == 0.0, "negative correlation counts as none"


@pytest.mark.parametrize(
    ("count", "correlation", "size"),
    [(5, 0.0, 5.0), (2, 0.5, 2 / 1.5), (4, 0.5, 4 / (1 + 2 * (0.75 * 0.5 + 0.5 * 0.25 + 0.25 * 0.125))), (0, 0.3, 0.0)],
)
def test_effective_size(count: int, correlation: float, size: float) -> None:
    assert effective_size(count, correlation) == pytest.approx(size)


def test_effective_size_of_long_series_is_the_known_limit() -> None:
    assert effective_size(100_000, 0.3) == pytest.approx(100_000 * 0.7 / 1.3, rel=1e-4)


@pytest.mark.parametrize(
    # Probabilities of Student's tables: t for 97.5 % and 99.95 % one-sided, with the normal deviates 1.960 and 3.291.
    ("t", "freedom", "deviate"),
    [(12.706, 1, 1.960), (2.571, 5, 1.960), (2.086, 20, 1.960), (6.869, 5, 3.291), (3.850, 20, 3.291)],
)
def test_student_to_normal(t: float, freedom: float, deviate: float) -> None:
    assert normal_score(t, freedom) == pytest.approx(deviate, abs=0.12 if freedom < 3 else 0.03)
    assert normal_score(-t, freedom) == -normal_score(t, freedom)


@pytest.mark.parametrize("truth", [0.0, 0.3, 0.6])
def test_the_truth_comes_back_in_spite_of_outliers(truth: float) -> None:
    values = noise(11, 2000, 80, truth)
    spoiled = np.random.default_rng(12).random(values.shape) < 0.02
    values = np.where(spoiled, values + 9.0, values)
    found = [noise_of(row - np.median(row)) for row in values]
    rho = float(np.mean([one.correlation for one in found]))
    # Negative estimates are cut at 0, which raises the mean where the truth is 0.
    assert rho == pytest.approx(truth, abs=0.03 if truth else 0.06)
    assert np.sqrt(np.mean([one.sigma**2 for one in found])) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("values", [[], [2.5], [2.5, 2.5, 2.5, 2.5, 2.5]])
def test_too_little_or_nothing_that_scatters(values: list[float]) -> None:
    numbers = np.array(values)
    assert lag_one(numbers - 2.5) == 0.0
    if len(values) > 1:
        assert mad_scale(numbers) == robust_scale(numbers - 2.5) == difference_scale(numbers) == 0.0
    else:
        assert math.isnan(difference_scale(numbers))
    assert noise_of(numbers - 2.5).count == len(values)
