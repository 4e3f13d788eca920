"""Differences of two samples: hand-computed numbers, and how often chance alone is taken for more."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mpc.monitoring.detectors.comparison import (
    Statistic,
    compare,
    compare_pairs,
    estimate,
    holm,
    in_words,
)


def test_a_mean_of_independent_values_has_the_uncertainty_of_the_text_book():
    values = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])  # neighbours differ: no positive correlation
    found = estimate(values, Statistic.MEAN)
    assert (found.value, found.count, found.effective, found.correlation) == (0.0, 6, 6.0, 0.0)
    assert found.uncertainty == pytest.approx(math.sqrt(6 / 5) / math.sqrt(6))


def test_one_value_has_no_uncertainty_and_none_no_estimate():
    assert math.isnan(estimate(np.array([2.0])).uncertainty)
    with pytest.raises(ValueError, match="no value"):
        estimate(np.array([]))
    with pytest.raises(ValueError, match="finite"):
        estimate(np.array([1.0, math.nan]))


def test_an_outlier_moves_the_mean_and_not_the_median():
    values = np.tile([1.0, 2.0, 3.0], 20)
    values[30] = 1e6
    assert estimate(values, Statistic.MEDIAN).value == 2.0
    assert estimate(values, Statistic.MEDIAN).uncertainty < 1
    assert estimate(values, Statistic.MEAN).value > 1e4


def test_a_season_that_both_share_falls_out_of_pairs():
    days = np.arange(400)
    season = np.sin(days / 58)
    a, b = season, season + 0.01 + 0.001 * np.tile([1.0, -1.0], 200)
    together, apart = compare_pairs(a, b), compare(a, b)
    assert together.value == pytest.approx(0.01)
    assert together.pairs == 400
    assert in_words(together.probability) == "significant"
    assert apart.uncertainty > 20 * together.uncertainty
    assert in_words(apart.probability) == "not significant"


def test_pairs_need_partners():
    with pytest.raises(ValueError, match="as many values"):
        compare_pairs(np.zeros(3), np.zeros(4))


def test_few_values_tell_nothing():
    assert (
        in_words(compare(np.array([1.0, 2.0, 1.5]), np.array([5.0, 6.0, 5.5])).probability) == "too few values to tell"
    )


def test_equal_constants_do_not_differ_and_unequal_ones_do():
    assert compare(np.ones(10), np.ones(10)).probability == 1.0
    assert compare(np.ones(10), np.full(10, 2.0)).probability == 0.0


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        ([0.01], [0.01]),
        ([0.01, 0.04], [0.02, 0.04]),
        ([0.04, 0.01, 0.03], [0.06, 0.03, 0.06]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([math.nan, 0.01], [math.nan, 0.01]),
        ([], []),
    ],
)
def test_many_looks_are_corrected_for(given, raised):
    np.testing.assert_allclose(holm(np.array(given)), raised)


def autoregressive(rng: np.random.Generator, correlation: float, count: int, trials: int) -> np.ndarray:
    """Unit normal series (trials, count)."""
    steps = rng.normal(size=(trials, count)) * math.sqrt(1 - correlation**2)
    found = np.empty((trials, count))
    found[:, 0] = rng.normal(size=trials)
    for i in range(1, count):
        found[:, i] = correlation * found[:, i - 1] + steps[:, i]
    return found


@pytest.mark.parametrize("statistic", list(Statistic))
@pytest.mark.parametrize(("correlation", "count"), [(0.0, 60), (0.3, 60), (0.6, 200)])
def test_one_standard_uncertainty_holds_the_truth_as_often_as_it_says(statistic, correlation, count):
    """2000 trials of equal series: 68 % within one uncertainty (at most 80 %: it may say less, never more), and at most
    one in twenty is called at least probable (three standard deviations of the count allowed)."""
    rng = np.random.default_rng(20260901)
    trials = 2000
    pairs = zip(*(autoregressive(rng, correlation, count, trials) for _ in range(2)), strict=True)
    found = [compare(a, b, statistic) for a, b in pairs]
    inside = np.mean([abs(d.value) < d.uncertainty for d in found])
    chance = np.mean([d.probability < 0.05 for d in found])
    assert 0.65 < inside < 0.80
    assert chance < 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


def test_a_difference_of_four_uncertainties_is_found():
    rng = np.random.default_rng(5)
    found = [
        compare(a, b + 1.0)
        for a, b in zip(autoregressive(rng, 0.3, 100, 200), autoregressive(rng, 0.3, 100, 200), strict=True)
    ]
    assert np.mean([in_words(d.probability) == "significant" for d in found]) > 0.8
    assert np.mean([d.value for d in found]) == pytest.approx(1.0, abs=0.05)
