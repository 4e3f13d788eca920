"""Limits with hysteresis, point by point."""

from __future__ import annotations

import pytest

from mpc.jobs.params import ParamError, parse_params
from mpc.monitoring.detectors.threshold import ThresholdParams, find_breaches
from tests.detectors.made import series, times

#         0    1    2    3    4    5    6    7    8    9
WALK = [4.1, 5.2, 4.9, 5.3, 5.6, 4.8, 5.1, 4.7, 4.6, 4.5]
HIGH = 5.0


def told(values: list[float], uncertainties: object = None, **limits: object) -> list[tuple]:
    params = ThresholdParams(**limits)  # type: ignore[arg-type]
    found = find_breaches(series(values, uncertainties=uncertainties), params)
    return [(b.side, b.start_index, b.opened_index, b.closed_index, b.worst) for b in found]


@pytest.mark.parametrize(
    ("open_after", "close_after", "expected"),
    [
        (1, 1, [("high", 1, 1, 2, 5.2), ("high", 3, 3, 5, 5.6), ("high", 6, 6, 7, 5.1)]),
        (2, 1, [("high", 3, 4, 5, 5.6)]),
        (2, 2, [("high", 3, 4, 8, 5.6)]),
        (2, 4, [("high", 3, 4, None, 5.6)]),
        (1, 3, [("high", 1, 1, 9, 5.6)]),
        (3, 1, []),
    ],
)
def test_opens_after_n_points_and_closes_after_some(open_after: int, close_after: int, expected: list) -> None:
    assert told(WALK, high=HIGH, open_after=open_after, close_after=close_after) == expected


def test_low_and_interval() -> None:
    assert told(WALK, low=4.75, open_after=2, close_after=1) == [("low", 7, 8, None, 4.5)]
    assert told(WALK, low=4.75, high=5.15, open_after=2, close_after=1) == [
        ("high", 3, 4, 5, 5.6),
        ("low", 7, 8, None, 4.5),
    ]


def test_a_point_on_the_limit_is_within() -> None:
    assert told([5.0, 5.0, 5.0], high=5.0, open_after=1) == []


def test_a_point_that_is_not_surely_beyond_neither_opens_nor_closes() -> None:
    values = [5.3, 5.3, 5.1, 5.3, 5.3, 4.9, 5.1, 4.8, 4.7]
    assert told(values, [0.1] * 9, high=5.0, margin_sigmas=2, open_after=3, close_after=3) == [("high", 0, 3, 8, 5.3)]
    assert told(values, [0.2] * 9, high=5.0, margin_sigmas=2, open_after=1) == []
    assert told(values, None, high=5.0, margin_sigmas=2, open_after=5) == [("high", 0, 4, None, 5.3)]


def test_times_of_a_breach() -> None:
    (breach,) = find_breaches(series(WALK), ThresholdParams(high=5.0, open_after=2, close_after=2))
    moments = times(10)
    assert (breach.start, breach.opened, breach.closed) == (moments[3], moments[4], moments[8])
    assert (breach.limit, breach.open) == (5.0, False)


def test_no_limit_no_value_no_breach() -> None:
    assert told(WALK) == told([], high=5.0) == []
    assert told([7.5], high=5.0, open_after=1) == [("high", 0, 0, None, 7.5)]


def test_limits_the_wrong_way_round() -> None:
    with pytest.raises(ValueError, match="lower limit 6 is above"):
        told(WALK, low=6.0, high=5.0)
    with pytest.raises(ParamError, match="open_after"):
        parse_params(ThresholdParams, {"open_after": "0"})
    assert parse_params(ThresholdParams, {"high": "5", "margin_sigmas": "2"}).margin_sigmas == 2.0
