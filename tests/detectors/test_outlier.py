"""Single values far from their neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from mpc.monitoring.detectors.outlier import OutlierParams, find_outliers
from tests.detectors.made import noise, series

SMALL = OutlierParams(before=3, memory_least=6, memory=12, back=1)


def wave() -> np.ndarray:
    return np.array([4.0, 4.2, 3.9, 4.1, 4.0, 3.8, 4.2, 4.1, 3.9, 4.0, 4.1, 9.5, 4.0, 4.1])


def test_one_value_of_fourteen() -> None:
    (found,) = find_outliers(series(wave()), SMALL)
    assert (found.index, found.value, found.expected, found.found_index) == (11, 9.5, 4.0, 12)
    assert found.distance == 5.5
    # Distances of points 3 to 10 from the median of the three before: 0.1 -0.1 -0.2 0.2 0.1 -0.2 -0.1 0.1, rms 0.146.
    assert found.uncertainty == pytest.approx(np.sqrt(0.17 / 8) / 0.9969)
    assert found.score == pytest.approx(5.5 / found.uncertainty)


def test_what_stays_is_no_outlier() -> None:
    stepped = wave()
    stepped[12:] = [9.4, 9.6]
    assert find_outliers(series(stepped), SMALL) == []
    assert len(find_outliers(series(stepped), OutlierParams(before=3, memory_least=6, back=0))) >= 1


def test_a_value_that_is_known_to_be_uncertain_is_none() -> None:
    uncertainties = np.full(14, 0.1)
    uncertainties[11] = 3.0
    assert find_outliers(series(wave(), uncertainties=uncertainties), SMALL) == []


@pytest.mark.parametrize("values", [[], [4.5], [4.5] * 60])
def test_too_short_or_constant(values: list[float]) -> None:
    assert find_outliers(series(values)) == []


def test_planted_ones_are_found_and_few_others() -> None:
    values = noise(21, 100, 300, 0.3)
    values[:, 150] += 8.0
    hits = false = 0
    for row in values:
        found = find_outliers(series(row))
        hits += any(one.index == 150 for one in found)
        false += sum(one.index != 150 for one in found)
    assert hits >= 93
    assert false <= 5, "of 30 000 points"
