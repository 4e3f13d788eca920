"""Histograms of counts by detector, in one pass over the pixels.

Every statistic of an image is taken from these histograms (see :mod:`qc.statistics.image`), so each pixel is looked
at once and every number is exact: counts are 16-bit integers, and 65 536 bins hold them all.
"""

from __future__ import annotations

import numba
import numpy as np

LEVELS = 65536
"""Bins of a histogram: one for each value of a 16-bit count."""

DETECTOR_ROWS = 14
"""Rows of a histogram by detector: 0 (no detector), 1 to 12, and 13 for mask values that name no detector."""

_MAX_PIXELS_PER_PASS = 2**32 - 1
"""The kernel counts in 32 bits: half the memory and twice the cache of 64, and no image reaches the limit."""


@numba.njit(nogil=True, cache=True)
def _fill_by_detector(counts: np.ndarray, detectors: np.ndarray, histogram: np.ndarray) -> None:
    rows, columns = counts.shape
    for row in range(rows):
        for column in range(columns):
            detector = min(detectors[row, column], numba.uint8(13))
            histogram[detector, counts[row, column]] += numba.uint32(1)


@numba.njit(nogil=True, cache=True)
def _fill(counts: np.ndarray, histogram: np.ndarray) -> None:
    # Neighbouring pixels often hold the same value (no-data, saturation, masks). Two tables used in turn keep one
    # increment from waiting for the one before it.
    rows, columns = counts.shape
    pairs = columns // 2
    for row in range(rows):
        for pair in range(pairs):
            histogram[0, counts[row, 2 * pair]] += numba.uint32(1)
            histogram[1, counts[row, 2 * pair + 1]] += numba.uint32(1)
        if columns % 2:
            histogram[0, counts[row, columns - 1]] += numba.uint32(1)


def histogram_by_detector(counts: np.ndarray, detectors: np.ndarray | None = None) -> np.ndarray:
    """How often each count occurs in each detector.

    ``counts``: (rows, columns), uint16 or uint8, DN. ``detectors``: the same shape, uint8, the number of the detector
    that saw the pixel (1 to 12), 0 where none did; without it all pixels stand in row 0.
    Returns int64 (14, 65536): row d holds detector d, row 0 the pixels without one, row 13 mask values above 12. The
    sum over the rows is the histogram of the whole band. The GIL is released while the pixels are counted.

    Raises ValueError for other types or shapes that differ.
    """
    if counts.ndim != 2 or counts.dtype not in (np.uint16, np.uint8):
        raise ValueError(f"counts must be a uint16 or uint8 image of two dimensions, not {counts.dtype} {counts.shape}")
    if detectors is not None and (detectors.dtype != np.uint8 or detectors.shape != counts.shape):
        raise ValueError(
            f"the detector footprint must be uint8 {counts.shape} like the image, "
            f"not {detectors.dtype} {detectors.shape}"
        )
    total = np.zeros((DETECTOR_ROWS, LEVELS), np.int64)
    rows_per_pass = max(1, _MAX_PIXELS_PER_PASS // max(1, counts.shape[1]))
    for first in range(0, counts.shape[0], rows_per_pass):
        part = slice(first, first + rows_per_pass)
        if detectors is None:
            pair = np.zeros((2, LEVELS), np.uint32)
            _fill(counts[part], pair)
            total[0] += pair[0]
            total[0] += pair[1]
        else:
            filled = np.zeros((DETECTOR_ROWS, LEVELS), np.uint32)
            _fill_by_detector(counts[part], detectors[part], filled)
            total += filled
    return total
