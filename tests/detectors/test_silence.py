"""When a series should have spoken."""

from __future__ import annotations

import numpy as np
import pytest

from mpc.monitoring.detectors import pace_of, series_of, silence_at
from mpc.monitoring.detectors.silence import SilenceParams

# Gaps 2 3 2 3 2 3 5 2 3 2 (days): median 2.5, sorted 2 2 2 2 2 3 3 3 3 5.
TIMES = 20_000 + np.cumsum([0.0, 2, 3, 2, 3, 2, 3, 5, 2, 3, 2])
LAST = 20_027.0


def test_the_pace_of_ten_gaps() -> None:
    pace = pace_of(TIMES)
    assert pace is not None
    assert (pace.usual, pace.long, pace.allowed, pace.gaps) == (2.5, 5.0, 10.0, 10)


@pytest.mark.parametrize(
    ("waited", "late", "silent"),
    [(0.0, 0.0, False), (2.0, 0.0, False), (6.5, 4.0, False), (10.0, 7.5, False), (10.5, 8.0, True)],
)
def test_how_late_it_is(waited: float, late: float, silent: bool) -> None:
    state = silence_at(series_of(TIMES, TIMES % 7), LAST + waited)
    assert state is not None
    assert (state.last, state.expected, state.deadline) == (LAST, LAST + 2.5, LAST + 10.0)
    assert (state.late, state.silent) == (pytest.approx(late), silent)
    assert state.score == pytest.approx(waited / 10)


def test_what_came_later_is_not_known_on_the_day() -> None:
    whole = series_of(TIMES, TIMES % 7)
    state = silence_at(whole, 20_022.0, SilenceParams(least_gaps=6))
    assert state is not None
    assert (state.last, state.pace and state.pace.gaps) == (20_022.0, 8)
    assert silence_at(whole, 19_999.0) is None


def test_one_outage_does_not_set_the_pace_and_a_habit_does() -> None:
    gaps = np.full(80, 3.0)
    gaps[17] = 60.0
    assert pace_of(20_000 + np.cumsum(gaps)).allowed == 6.0  # type: ignore[union-attr]
    gaps[[5, 30]] = 50.0
    assert pace_of(20_000 + np.cumsum(gaps)).allowed == 50.0  # type: ignore[union-attr]


def test_two_values_of_one_moment_are_one_word() -> None:
    assert pace_of(np.repeat(TIMES, 2)) == pace_of(TIMES)


def test_too_few_gaps_and_none_at_all() -> None:
    few = silence_at(series_of(TIMES[:5], TIMES[:5]), 30_000.0)
    assert few is not None
    assert (few.silent, few.pace, few.expected) == (False, None, None)
    assert silence_at(series_of([], []), 20_000.0) is None
    assert pace_of(np.full(9, 20_000.0)) is None
