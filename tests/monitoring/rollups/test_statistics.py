"""Statistics of buckets, against hand-computed ones and numpy bucket by bucket."""

from __future__ import annotations

import numpy as np
import pytest

from mpc.monitoring.rollups.statistics import statistics_of


def of(key, value, uncertainty=None, samples=None, outside=None):
    n = len(value)
    return statistics_of(
        np.array(key, dtype=np.int64),
        np.array(value, dtype=float),
        np.full(n, np.nan) if uncertainty is None else np.array(uncertainty, dtype=float),
        np.ones(n, dtype=np.int64) if samples is None else np.array(samples, dtype=np.int64),
        np.zeros(n, dtype=bool) if outside is None else np.array(outside, dtype=bool),
    )


def test_two_buckets_by_hand():
    found = of(
        [7, 3, 7, 7, 7], [4.0, 9.0, 1.0, 2.0, 3.0],
        uncertainty=[0.3, 0.2, 0.0, 0.4, 0.0], samples=[1, 2, 3, 4, 5], outside=[True, False, False, True, False],
    )  # fmt: skip
    assert found.key.tolist() == [3, 7]
    assert found.count.tolist() == [1, 4]
    assert found.samples.tolist() == [2, 13]
    assert found.mean.tolist() == [9.0, 2.5]
    assert found.median.tolist() == [9.0, 2.5]
    assert found.low.tolist() == pytest.approx([9.0, 1.15])
    assert found.high.tolist() == pytest.approx([9.0, 3.85])
    assert (found.minimum.tolist(), found.maximum.tolist()) == ([9.0, 1.0], [9.0, 4.0])
    assert np.isnan(found.spread[0])
    assert found.spread[1] == pytest.approx(np.sqrt(5 / 3))
    assert found.uncertainty.tolist() == pytest.approx([0.2, 0.125])  # sqrt(0.09 + 0.16) / 4
    assert found.out_of_limits.tolist() == [0, 2]


def test_one_value_without_uncertainty_leaves_the_mean_without():
    assert np.isnan(of([1, 1], [1.0, 2.0], uncertainty=[0.1, np.nan]).uncertainty[0])


def test_nothing_makes_nothing():
    assert len(of([], [])) == 0


def test_equal_values_have_their_own_mean():
    found = of([1] * 3, [0.1] * 3)
    assert found.mean[0] == found.minimum[0] == found.maximum[0] == 0.1
    assert found.spread[0] == 0.0


def test_many_buckets_are_those_of_numpy():
    random = np.random.default_rng(4)
    key = random.integers(0, 300, 5000)
    value = random.normal(1e3, 1e-2, 5000)
    found = of(key, value)
    for i, one in enumerate(found.key):
        own = value[key == one]
        assert found.count[i] == len(own)
        assert [found.low[i], found.median[i], found.high[i]] == pytest.approx(
            np.percentile(own, [5, 50, 95]), rel=1e-14
        )
        assert found.mean[i] == pytest.approx(own.mean(), rel=1e-14)
        if len(own) > 1:
            assert found.spread[i] == pytest.approx(own.std(ddof=1), rel=1e-6)


def test_the_order_of_the_values_changes_no_bit():
    random = np.random.default_rng(5)
    key, value, u = random.integers(0, 9, 900), random.normal(0.1, 3, 900), random.uniform(0, 1, 900)
    first = of(key, value, u)
    order = random.permutation(900)
    second = of(key[order], value[order], u[order])
    for name in ("mean", "spread", "uncertainty", "low", "high"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
