"""The statistics of requirements: by hand, and their intervals against known truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest

from mpc.monitoring.detectors import STATISTICS, margin, statistic_of
from mpc.monitoring.detectors.compliance import circular_error, mean, median, percentile, samples_needed
from tests.detectors.made import noise

SIX = np.array([6.5, 5.8, 7.1, 6.2, 6.9, 5.5])


def test_mean_of_six() -> None:
    found = statistic_of("mean", np.append(SIX, np.nan))
    assert (found.value, found.samples) == (pytest.approx(38.0 / 6), 6)
    # Sum of squares 242.6 less 38^2 / 6 is 1.9333; s = sqrt(1.9333 / 5); neighbours alternate and count as independent.
    assert found.uncertainty == pytest.approx(math.sqrt(1.93333333 / 5 / 6))
    assert (found.low, found.high) == pytest.approx((found.value - found.uncertainty, found.value + found.uncertainty))


def test_percentile_of_twenty() -> None:
    values = np.arange(2.5, 22.5)[::-1]
    found = percentile(values, 90)
    # Position 19 x 0.9 = 17.1 of the sorted values 2.5 ... 21.5.
    assert found.value == pytest.approx(19.6)
    # Ranks 20 (0.9 -+ 1.0 x sqrt(0.9 x 0.1 / 20)) - 1/2 = 17.5 -+ 1.342; the sample has 19 as its last position.
    assert (found.low, found.high) == (pytest.approx(2.5 + 16.158, abs=1e-2), pytest.approx(2.5 + 18.842, abs=1e-2))
    assert found.uncertainty == pytest.approx(1.342, abs=1e-2)
    assert found.code == "p90"


@pytest.mark.parametrize(
    ("share", "needed"), [(0.5, 1), (0.9, 9), (0.95, 19), (0.9545, 21), (0.9973, 370)]
)  # fmt: skip
def test_samples_that_a_percentile_needs(share: float, needed: int) -> None:
    assert samples_needed(share) == needed
    spread = math.sqrt(share * (1 - share) / needed)
    assert share + spread <= 1 + 1e-12


def test_too_few_samples_are_said() -> None:
    few = statistic_of("p99.73", SIX)
    assert (few.enough, few.uncertainty, few.note) == (False, None, "6 independent values; this percentile needs 370")
    assert few.value == pytest.approx(7.1 - 0.2 * 5 * 0.0027)
    assert statistic_of("p95", np.tile(SIX, 4)).enough


def test_ce95_is_the_percentile_of_the_radii() -> None:
    radii = np.abs(noise(31, 1, 200)[0]) + 2.5
    assert circular_error(radii, 95).value == percentile(radii, 95).value
    assert statistic_of("ce95", radii).code == "ce95"
    with pytest.raises(ValueError, match="not negative"):
        circular_error(np.array([2.5, -0.5]), 95)


def test_maximum_median_and_scatter() -> None:
    assert statistic_of("maximum", SIX).value == 7.1
    assert statistic_of("maximum", SIX).uncertainty is None
    assert statistic_of("median", SIX).value == pytest.approx(6.35)
    assert statistic_of("scatter", np.array([2.0, 4.0, 3.0, 2.0, 4.0])).value == pytest.approx(
        math.sqrt(4 / 5) / 0.9969 * math.sqrt(5 / 4)
    )


@pytest.mark.parametrize("code", STATISTICS)
def test_nothing_one_value_and_infinity(code: str) -> None:
    nothing = statistic_of(code, np.array([np.nan]))
    assert (nothing.enough, nothing.note, nothing.samples) == (False, "no value", 0)
    assert math.isnan(nothing.value)
    assert margin(nothing.value, None, 5.0) is None
    one = statistic_of(code, np.array([4.25]))
    assert one.samples == 1
    assert one.uncertainty is None
    with pytest.raises(ValueError, match="infinite"):
        statistic_of(code, np.array([4.25, np.inf]))


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="no statistic “p50”; known are: mean"):
        statistic_of("p50", SIX)
    with pytest.raises(ValueError, match="between 0 and 100"):
        percentile(SIX, 100)


@pytest.mark.parametrize(
    ("value", "low", "high", "room", "limit"),
    [
        (6.1, None, 8.0, 1.9, 8.0),
        (8.4, None, 8.0, -0.4, 8.0),
        (0.18, 0.15, 0.30, 0.03, 0.15),
        (0.27, 0.15, 0.30, 0.03, 0.30),
        (0.12, 0.15, 0.30, -0.03, 0.15),
        (5.0, 5.0, None, 0.0, 5.0),
    ],
)
def test_margins(value: float, low: float | None, high: float | None, room: float, limit: float) -> None:
    found = margin(value, low, high, uncertainty=0.02)
    assert found is not None
    assert found.margin == pytest.approx(room)
    assert (found.limit, found.within) == (limit, room >= 0)
    assert found.relative == pytest.approx(room / limit)
    assert found.sigmas == pytest.approx(room / 0.02)
    assert margin(value, None, None) is None


# --- Known truth: the interval of one standard uncertainty holds it in 68 of 100 trials ----------------------------
TRIALS = 2500


@pytest.mark.parametrize(("percent", "count"), [(50.0, 40), (90.0, 60), (95.0, 120), (95.45, 200), (99.73, 1500)])
def test_intervals_of_percentiles_hold_the_truth(percent: float, count: int) -> None:
    truth = NormalDist().inv_cdf(percent / 100)
    found = [percentile(row, percent) for row in noise(int(percent * 100), TRIALS, count)]
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.62 <= held <= 0.76


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("statistic", [mean, median])
def test_means_and_medians_know_that_neighbours_are_alike(statistic: Callable, correlation: float) -> None:
    found = [statistic(row) for row in noise(33, TRIALS, 60, correlation)]
    held = np.mean([one.low <= 0 <= one.high for one in found])
    assert 0.62 <= held <= 0.76
