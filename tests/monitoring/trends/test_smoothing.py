"""Moving medians, hand-computed."""

from __future__ import annotations

import numpy as np
import pytest

from mpc.monitoring.trends.smoothing import moving_median

NAN = float("nan")


def days(*numbers: float) -> np.ndarray:
    return (np.array(numbers) * 86400).astype("timedelta64[s]") + np.datetime64("2026-09-01", "s")


@pytest.mark.parametrize(
    ("times", "values", "window", "expected"),
    [
        ((0, 1, 2, 3, 4), (1, 9, 2, 3, 4), 2, (NAN, 2, 3, 3, NAN)),
        ((0, 1, 2, 3, 4), (1, 9, 2, 3, 4), 4, (2, 2.5, 3, 3.5, 3)),
        ((0, 1, 2, 10, 11), (1, 2, 3, 4, 5), 4, (2, 2, 2, NAN, NAN)),  # a gap is not bridged
        ((0, 1, 2, 3), (5, NAN, 5, 7), 6, (5, 5, 5, 5)),
        ((0, 0, 0), (3, 1, 2), 1, (2, 2, 2)),  # several of one moment
        ((), (), 7, ()),
    ],
)
def test_the_median_of_what_lies_within_half_a_window(times, values, window, expected):
    found = moving_median(days(*times), np.array(values, float), np.timedelta64(window, "D"))
    np.testing.assert_array_equal(found, np.array(expected, float))


def test_it_is_the_median_of_numpy_at_each_point():
    rng = np.random.default_rng(3)
    times, values = days(*np.sort(rng.uniform(0, 100, 300))), rng.normal(size=300)
    found = moving_median(times, values, np.timedelta64(10, "D"))
    half = np.timedelta64(5 * 86400, "s")
    for i in (0, 17, 150, 299):
        assert found[i] == np.median(values[abs(times - times[i]) <= half])
