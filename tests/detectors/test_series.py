"""What a series takes in, what it leaves out and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from mpc.monitoring.detectors import datetime_of, days_of, series_of
from mpc.monitoring.detectors.series import date_text, weights_of


def test_values_come_in_order_of_time_and_missing_ones_are_counted() -> None:
    made = series_of([5.5, 2.25, 9.0, 2.25], [0.7, 1.3, np.nan, 1.9], [0.1, 0.2, 0.3, -1.0])
    assert made.times.tolist() == [2.25, 2.25, 5.5]
    assert made.values.tolist() == [1.3, 1.9, 0.7]
    assert made.uncertainties is not None
    np.testing.assert_array_equal(made.uncertainties, [0.2, np.nan, 0.1])
    assert (made.missing, made.until, len(made)) == (1, 5.5, 3)
    assert made.first(2).values.tolist() == [1.3, 1.9]
    assert made.first(2).until == 2.25


@pytest.mark.parametrize(
    ("moment", "days"),
    [("1970-01-01T00:00", 0.0), ("2000-01-01T12:00", 10957.5), ("2024-07-23T07:00", 19927.2916666667)],
)
def test_days_count_from_1970(moment: str, days: float) -> None:
    assert days_of(np.array([moment], "datetime64[s]"))[0] == pytest.approx(days, abs=1e-9)
    assert datetime_of(days).astype("datetime64[m]") == np.datetime64(moment)
    assert date_text(days) == moment[:10]


@pytest.mark.parametrize(
    ("times", "values", "rest", "reason"),
    [
        ([1.5, 2.5], [3.5], {}, "one length"),
        ([1.5, np.nan], [3.5, 4.5], {}, "time is not finite"),
        ([1.5, np.inf], [3.5, 4.5], {}, "time is not finite"),
        (np.array(["2024-07-23", "NaT"], "datetime64[D]"), [3.5, 4.5], {}, "time is not finite"),
        ([1.5, 2.5], [3.5, -np.inf], {}, "value 1 is infinite"),
        ([1.5, 2.5], [3.5, 4.5], {"uncertainties": [0.3]}, "one length"),
        ([1.5, 2.5], [3.5, 4.5], {"until": 2.0}, "later than the moment"),
        ([[1.5, 2.5]], [[3.5, 4.5]], {}, "one length"),
    ],
)
def test_what_is_no_series_is_refused(times: object, values: object, rest: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        series_of(times, values, **rest)


def test_nothing_is_a_series_too() -> None:
    empty = series_of([], [])
    assert (len(empty), empty.years, empty.missing) == (0, 0.0, 0)
    only_missing = series_of([3.5, 4.5], [np.nan, np.nan], until=6.0)
    assert (len(only_missing), only_missing.missing, only_missing.until) == (0, 2, 6.0)


def test_weights_are_relative_to_the_usual_uncertainty_and_bounded() -> None:
    # The medians so far: 0.2, 0.3, 0.2, 0.3, 0.2; (0.3 / 0.4)^2, (0.3 / 9)^2 and (0.2 / 0.01)^2 beyond the bounds.
    assert weights_of(np.array([0.2, 0.4, 0.2, 9.0, 0.01]), 5).tolist() == pytest.approx([1, 0.5625, 1, 0.04, 4])
    assert weights_of(np.array([np.nan, 0.3, 0.6]), 3).tolist() == pytest.approx([1, 1, 0.5625])
    assert weights_of(None, 2).tolist() == weights_of(np.array([np.nan, np.nan]), 2).tolist() == [1, 1]
