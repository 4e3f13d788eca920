"""Image statistics are exact: every number equals what numpy says of the pixels themselves."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qc.statistics import LEVELS, PERCENTILES, band_statistics, class_counts, count_statistics, histogram_by_detector
from qc.statistics import image as image_module
from qc.statistics import kernel as kernel_module


def scene(rows: int = 60, columns: int = 90, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """A small image with no-data, saturation and detectors 3, 4 and 11; detector 11 sees no valid pixel."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 12_000, (rows, columns)).astype(np.uint16)
    counts[:, :9] = 0
    counts[5:8, 20:30] = 65535
    detectors = np.zeros((rows, columns), np.uint8)
    detectors[:, 5:40] = 3
    detectors[:, 40:] = 4
    detectors[:, :5] = 11
    return counts, detectors


def brute(counts: np.ndarray) -> dict[str, float]:
    """The same statistics by numpy on the pixels."""
    valid = counts[(counts != 0) & (counts != 65535)].astype(np.float64)
    return {
        "count": counts.size,
        "nodata": int((counts == 0).sum()),
        "saturated": int((counts == 65535).sum()),
        "valid": valid.size,
        "min": valid.min() if valid.size else None,
        "max": valid.max() if valid.size else None,
        "mean": valid.mean() if valid.size else None,
        "std": valid.std() if valid.size else None,
        **{f"p{p}": np.percentile(valid, p) if valid.size else None for p in PERCENTILES},
    }


@pytest.mark.parametrize("detector", [None, "03", "04", "11"])
def test_band_statistics_equal_numpy_on_the_pixels(detector: str | None) -> None:
    counts, detectors = scene()
    record = band_statistics(histogram_by_detector(counts, detectors), band="B02", resolution=10, tile="33UUU")
    assert record.detectors == (None, "03", "04", "11")
    row = record.rows()[record.detectors.index(detector)]
    pixels = counts if detector is None else counts[detectors == int(detector)]
    for name, expected in brute(pixels.ravel()).items():
        if expected is None:
            assert row[name] is None, name
        else:
            assert row[name] == pytest.approx(expected, rel=1e-12, abs=1e-12), name


def test_the_mean_and_deviation_are_the_correctly_rounded_exact_values() -> None:
    counts, _ = scene()
    valid = [int(v) for v in counts.ravel() if v not in (0, 65535)]
    mean = Fraction(sum(valid), len(valid))
    variance = Fraction(sum(v * v for v in valid), len(valid)) - mean * mean
    found = count_statistics(histogram_by_detector(counts)[0])
    assert found.mean == float(mean)
    assert found.std == math.sqrt(float(variance))


@pytest.mark.parametrize("value", [1, 777, 65534])
def test_one_valid_pixel(value: int) -> None:
    counts = np.zeros((3, 3), np.uint16)
    counts[1, 1] = value
    found = count_statistics(histogram_by_detector(counts)[0])
    assert (found.count, found.nodata, found.valid) == (9, 8, 1)
    assert (found.minimum, found.maximum, found.mean, found.std) == (value, value, value, 0.0)
    assert found.percentiles == (float(value),) * len(PERCENTILES)


def test_an_image_without_valid_pixels_has_counts_and_nothing_else() -> None:
    counts = np.array([[0, 0, 65535]], np.uint16)
    record = band_statistics(histogram_by_detector(counts), band="B10", resolution=60)
    assert record.rows() == [
        {
            "tile": "",
            "band": "B10",
            "resolution": 60,
            "detector": None,
            "count": 3,
            "nodata": 2,
            "saturated": 1,
            "valid": 0,
        }
        | dict.fromkeys(("min", "max", "mean", "std", *(f"p{p}" for p in PERCENTILES)))
    ]
    assert record.histogram.counts == ()
    assert record.scaled("mean") == (None,)


def test_reflectance_is_the_statistic_moved_and_divided() -> None:
    counts, detectors = scene()
    record = band_statistics(
        histogram_by_detector(counts, detectors), band="B02", resolution=10, offset=-1000.0, quantification=10000.0
    )
    valid = counts[(counts != 0) & (counts != 65535)].astype(np.float64)
    reflectance = (valid - 1000.0) / 10000.0
    assert record.scaled("mean")[0] == pytest.approx(reflectance.mean(), rel=1e-12)
    assert record.scaled("std")[0] == pytest.approx(reflectance.std(), rel=1e-12)
    assert record.scaled("p95")[0] == pytest.approx(np.percentile(reflectance, 95), rel=1e-12)
    assert record.scaled("mean")[3] is None, "detector 11 has no valid pixel"
    with pytest.raises(ValueError, match="number of pixels"):
        record.scaled("count")


def test_display_histogram_counts_every_valid_pixel_once() -> None:
    counts, _ = scene()
    record = band_statistics(histogram_by_detector(counts), band="B02", resolution=10)
    shown = record.histogram
    valid = counts[(counts != 0) & (counts != 65535)]
    assert len(shown.counts) <= 256
    assert shown.below + sum(shown.counts) + shown.above == valid.size
    first = ((valid >= shown.start) & (valid < shown.start + shown.width)).sum()
    assert shown.counts[0] == first


def test_sums_beyond_64_bits_stay_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    histogram = np.zeros(LEVELS, np.int64)
    histogram[65534] = 3 * 2**40
    histogram[1] = 2**40
    found = count_statistics(histogram)
    assert found.mean == float(Fraction(3 * 65534 + 1, 4))
    assert found.std == math.sqrt(float(Fraction(3, 16) * 65533**2))
    # Both ways of summing say the same where both hold.
    counts, _ = scene()
    small = histogram_by_detector(counts)[0]
    quick = count_statistics(small)
    monkeypatch.setattr(image_module, "_EXACT_IN_64_BITS", 0)
    assert count_statistics(small) == quick


def test_mask_values_that_name_no_detector_stand_apart() -> None:
    counts = np.full((2, 3), 500, np.uint16)
    detectors = np.array([[0, 1, 12], [13, 17, 255]], np.uint8)
    histogram = histogram_by_detector(counts, detectors)
    assert histogram[:, 500].tolist() == [1, 1] + [0] * 10 + [1, 3]
    assert band_statistics(histogram, band="B01", resolution=60).detectors == (None, "01", "12")


def test_wrong_types_and_shapes_are_refused() -> None:
    counts = np.zeros((4, 4), np.uint16)
    with pytest.raises(ValueError, match="uint16 or uint8"):
        histogram_by_detector(counts.astype(np.int32))
    with pytest.raises(ValueError, match="detector footprint must be uint8"):
        histogram_by_detector(counts, np.zeros((4, 5), np.uint8))
    with pytest.raises(ValueError, match="65536 bins"):
        count_statistics(np.zeros(10, np.int64))


@given(
    shape=hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_histograms_equal_numpy_for_any_image(shape: tuple[int, int], data: st.DataObject) -> None:
    counts = data.draw(hnp.arrays(np.uint16, shape, elements=st.integers(0, 65535) | st.sampled_from([0, 65535])))
    detectors = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 255)))
    histogram = histogram_by_detector(counts, detectors)
    for number in range(13):
        assert np.array_equal(histogram[number], np.bincount(counts[detectors == number], minlength=LEVELS))
    assert np.array_equal(histogram[13], np.bincount(counts[detectors > 12], minlength=LEVELS))
    assert np.array_equal(histogram_by_detector(counts)[0], np.bincount(counts.ravel(), minlength=LEVELS))


def test_images_larger_than_one_pass_are_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, detectors = scene()
    whole = histogram_by_detector(counts, detectors)
    monkeypatch.setattr(kernel_module, "_MAX_PIXELS_PER_PASS", 3 * counts.shape[1] + 1)
    assert np.array_equal(histogram_by_detector(counts, detectors), whole)
    assert np.array_equal(histogram_by_detector(counts)[0], whole.sum(axis=0))


def test_class_counts_name_every_class() -> None:
    classes = np.array([[0, 4, 4], [11, 8, 8]], np.uint8)
    histogram = histogram_by_detector(classes)[0]
    assert class_counts(histogram, range(12)) == {0: 1, 4: 2, 8: 2, 11: 1} | dict.fromkeys((1, 2, 3, 5, 6, 7, 9, 10), 0)
