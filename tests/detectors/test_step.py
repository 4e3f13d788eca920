"""Steps: found, placed, measured; what is no step; and that nothing looks ahead."""

from __future__ import annotations

import numpy as np
import pytest

from mpc.monitoring.detectors import series_of
from mpc.monitoring.detectors.step import Step, StepParams, find_steps
from tests.detectors.made import noise, series, times

SMALL = StepParams(before_least=8, after_least=2, after_most=4, settle=4)
# Twelve values, level 5.0 and then 5.9; scatter about 0.1.
TWELVE = [5.1, 4.9, 5.0, 5.1, 4.95, 4.9, 5.05, 5.0, 5.85, 5.95, 5.9, 5.8]


def test_a_step_in_twelve_values() -> None:
    (step,) = find_steps(series(TWELVE), SMALL)
    assert (step.index, step.found_index) == (8, 9)
    assert (step.interval_start, step.time, step.interval_end) == (times(12)[7], times(12)[8], times(12)[8])
    assert step.magnitude == pytest.approx(np.mean(TWELVE[8:]) - 5.0, abs=0.15)
    assert step.magnitude_uncertainty < 0.15
    assert step.before == pytest.approx(5.0, abs=0.1)
    assert step.after == pytest.approx(step.before + step.magnitude)
    assert step.score >= SMALL.threshold


def test_a_step_down_is_the_mirror_of_a_step_up() -> None:
    (up,) = find_steps(series(TWELVE), SMALL)
    (down,) = find_steps(series(-np.array(TWELVE)), SMALL)
    assert (down.index, down.magnitude) == (up.index, pytest.approx(-up.magnitude))
    (scaled,) = find_steps(series(1000 + 7 * np.array(TWELVE)), SMALL)
    assert scaled.magnitude == pytest.approx(7 * up.magnitude, rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"least_magnitude": 1.5}, 0),
        ({"least_magnitude": 0.5}, 1),
        ({"threshold": 15.0}, 0),
        ({"least_sigmas": 40.0}, 0),
    ],
)
def test_magnitude_and_score_are_filters(settings: dict, found: int) -> None:
    params = StepParams(before_least=8, after_least=2, after_most=4, settle=4, **settings)
    assert len(find_steps(series(TWELVE), params)) == found


@pytest.mark.parametrize(
    "values",
    [[], [4.5], [4.5] * 400, [4.5, np.nan] * 10, list(4.5 + 0.25 * np.arange(60))],
    ids=["none", "one", "constant", "short", "straight line"],
)
def test_no_step_where_there_is_none_to_find(values: list[float]) -> None:
    assert find_steps(series(values)) == []


def test_a_constant_that_jumps_is_a_step_and_values_that_are_rounded_are_not() -> None:
    (step,) = find_steps(series([4.5] * 40 + [4.75] * 12))
    assert (step.index, step.magnitude) == (40, pytest.approx(0.25, rel=1e-3))
    rounded = [4.5] * 40 + [4.51] * 12
    assert find_steps(series(rounded), StepParams(resolution=0.02)) == []


def test_values_of_one_moment_and_missing_ones_do_no_harm() -> None:
    values = 7.5 + noise(41, 1, 160)[0]
    values[100:] += 6.0
    at = np.repeat(times(80), 2)
    values[[5, 50, 120]] = np.nan
    (step,) = find_steps(series_of(at, values))
    assert step.time == pytest.approx(at[100], abs=3.0)


def test_a_value_known_to_be_uncertain_weighs_less() -> None:
    values = 7.5 + noise(42, 1, 80)[0]
    values[60:66] += 3.5
    usual = np.full(80, 0.3)
    assert find_steps(series(values[:66], uncertainties=usual[:66])) != []
    usual[60:66] = 6.0
    plain = find_steps(series(values[:66]))
    weighted = find_steps(series(values[:66], uncertainties=usual[:66]))
    assert plain
    assert not weighted or weighted[0].score <= plain[0].score


def test_outliers_are_no_steps_and_hide_none() -> None:
    values = noise(43, 60, 200, 0.3)
    values[:, [70, 71, 140]] += 12.0
    assert sum(len(find_steps(series(row))) for row in values) <= 25, "in 100 years of series"
    values[:, 150:] += 4.0
    values[:, 153] -= 15.0
    found = [find_steps(series(row)) for row in values]
    assert sum(any(abs(step.index - 150) <= 4 for step in steps) for steps in found) >= 58


def test_a_second_step_is_found_after_the_first_and_one_way_back() -> None:
    values = noise(44, 40, 260, 0.3)
    values[:, 120:] += 5.0
    values[:, 150:] -= 4.0
    found = [find_steps(series(row)) for row in values]
    both = [
        any(abs(s.index - 120) <= 3 and s.magnitude > 0 for s in steps)
        and any(abs(s.index - 150) <= 3 and s.magnitude < 0 for s in steps)
        for steps in found
    ]
    assert sum(both) >= 36


def test_a_chance_step_is_taken_back_and_nothing_is_measured_against_it() -> None:
    values = noise(49, 40, 300, 0.3)
    values[:, 100:108] += 2.6  # a wave of eight points, which then goes
    found = [step for row in values for step in find_steps(series(row)) if 100 <= step.found_index <= 112]
    back = [step for step in found if step.taken_back is not None]
    assert len(back) >= 5
    assert all(step.found < step.taken_back <= times(300)[140] for step in back)  # type: ignore[operator]
    assert all(step.course[-1] < StepParams().keep for step in back)


def test_many_steps_outlive_the_memory() -> None:
    values = noise(45, 1, 900)[0]
    values += 8.0 * (np.arange(900) // 45 % 2)
    found = find_steps(series(values))
    assert [step.index for step in found if step.taken_back is None] == pytest.approx(
        [45 * i for i in range(1, 20)], abs=2
    )


def test_a_scan_says_at_each_point_what_it_would_have_said_on_the_day() -> None:
    values = noise(46, 3, 240, 0.3) + np.sin(2 * np.pi * times(240) / 365.25)
    values[:, 130:] += 3.5
    values[::2, 180:] -= 3.5
    for row in values:
        whole = find_steps(series(row))
        told: list[Step] = []
        for count in range(60, 241):
            now = find_steps(series(row).first(count))
            assert [s.found_index for s in now] == [s.found_index for s in whole if s.found_index < count]
            told += [s for s in now if s.found_index == count - 1]
        assert len(told) == sum(s.found_index >= 59 for s in whole)
        assert find_steps(series(row).first(230)) == [s for s in whole if s.found_index < 230 - 24]


def test_place_and_magnitude_hold_the_truth() -> None:
    """2000 trials of 90 points, too young to know its season and slope: these are drawn as the settings expect them."""
    draw = np.random.default_rng(48).standard_normal((2000, 3))
    angle = 2 * np.pi * times(90) / 365.25
    slow = np.stack([0.8 * np.cos(angle), 0.8 * np.sin(angle), (times(90) - times(1)) / 365.25])
    values = noise(47, 2000, 90, 0.3) + draw @ slow
    values[:, 60:] += 4.5
    held, errors = [], []
    for row in values:
        near = [s for s in find_steps(series(row)) if abs(s.index - 60) <= 12]
        if near:
            held.append(near[0].interval_start <= times(90)[59] and near[0].interval_end >= times(90)[60])
            errors.append((near[0].magnitude - 4.5) / near[0].magnitude_uncertainty)
    assert len(held) >= 1700
    assert np.mean(held) >= 0.94
    assert 0.66 <= np.mean(np.abs(errors) < 1) <= 0.85
    assert abs(np.mean(errors)) < 0.15
