"""Steps between detectors: a known step comes back within its own stated uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from qc.statistics import DetectorStep, detector_steps, weighted_step
from qc.statistics.steps import BLOCKS

OFFSET = -1000.0


def image(
    gain: float, seed: int, rows: int = 64, columns: int = 12, noise: float = 40.0
) -> tuple[np.ndarray, np.ndarray]:
    """Detectors 5 and 6 side by side on even ground of reflectance counts 2000; 6 is brighter by ``gain``."""
    rng = np.random.default_rng(seed)
    detectors = np.full((rows, columns), 5, np.uint8)
    detectors[:, columns // 2 :] = 6
    ground = np.where(detectors == 6, 2000.0 * gain, 2000.0) + rng.normal(0, noise, (rows, columns))
    return np.rint(ground - OFFSET).astype(np.uint16), detectors


def test_a_step_without_noise_is_exact() -> None:
    counts, detectors = image(1.03, 0, noise=0.0)
    (step,) = detector_steps(counts, detectors, offset=OFFSET)
    assert (step.left, step.right, step.blocks, step.pixels) == ("05", "06", BLOCKS, 64 * 4)
    assert step.ratio == pytest.approx(1.03, rel=1e-12)
    assert step.uncertainty == pytest.approx(0.0, abs=1e-12)


def test_the_stated_uncertainty_covers_the_truth() -> None:
    trials, within = 2000, 0
    for seed in range(trials):
        (step,) = detector_steps(*image(1.02, seed), offset=OFFSET)
        assert step.uncertainty is not None
        within += abs(step.ratio - 1.02) <= step.uncertainty
    # One standard uncertainty with 31 degrees of freedom covers 67.5 %; 2000 trials tell it to 1.05 %.
    assert 0.675 - 4 * 0.0105 < within / trials < 0.675 + 4 * 0.0105


def test_nodata_and_saturation_are_left_out() -> None:
    counts, detectors = image(1.01, 1, noise=0.0)
    counts[::2, 5] = 0
    counts[1::2, 6] = 65535
    (step,) = detector_steps(counts, detectors, offset=OFFSET)
    assert step.ratio == pytest.approx(1.01, rel=1e-12)
    assert step.pixels == 64 * 4 - 64


def test_only_neighbours_have_a_boundary() -> None:
    detectors = np.tile(np.repeat(np.array([0, 3, 4, 0, 12, 13], np.uint8), 4), (8, 1))
    counts = np.full(detectors.shape, 5000, np.uint16)
    assert [(s.left, s.right) for s in detector_steps(counts, detectors, offset=0.0)] == [("03", "04")]


def test_a_side_without_light_gives_no_ratio() -> None:
    counts, detectors = image(1.0, 2)
    counts[:, :6] = 900
    assert detector_steps(counts, detectors, offset=OFFSET) == ()
    counts[:, :6] = 0
    assert detector_steps(counts, detectors, offset=OFFSET) == ()


def test_two_rows_tell_no_uncertainty() -> None:
    counts, detectors = image(1.0, 3, rows=2)
    (step,) = detector_steps(counts, detectors, offset=OFFSET)
    assert (step.uncertainty, step.blocks) == (None, 2)
    assert weighted_step([step]) is None


def test_the_number_of_a_band_is_ruled_by_its_precise_steps() -> None:
    steps = [
        DetectorStep("04", "05", 1.03, 0.001, 32, 99),
        DetectorStep("05", "06", 0.97, 0.001, 32, 99),
        DetectorStep("06", "07", 2.0, 5.0, 4, 9),
    ]
    value, uncertainty, blocks = weighted_step(steps) or (0.0, 0.0, 0)
    assert value == pytest.approx(0.03, rel=1e-3)
    assert uncertainty == pytest.approx(0.001 / np.sqrt(2), rel=1e-3)
    assert blocks == 68


def test_an_image_and_a_footprint_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        detector_steps(np.zeros((2, 3), np.uint16), np.zeros((3, 2), np.uint8), offset=0.0)
