"""Steps between neighbouring detectors, measured where they meet.

The twelve detectors see neighbouring strips of ground. The means of whole detectors differ because the ground does; the
pixels on both sides of a boundary see almost the same ground, so their ratio shows what the detectors do: a relative
gain that has drifted, besides the difference of the viewing angles (odd and even detectors look from two sides) and
chance.

Chance is told by cutting the boundary into blocks of rows: the scatter of the blocks gives the uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from qc.statistics.image import NO_DATA, SATURATED

STRIP_PIXELS = 2
"""Pixels on either side of a boundary that are compared. Wider strips hold more pixels but see less of the same ground:
on real and simulated scenes the uncertainty grows with the width from here on."""

BLOCKS = 32
"""Parts along the rows of an image, taken as independent."""

MIN_BLOCKS = 3
"""From fewer blocks no scatter is told."""

_SIDES = 13


@dataclass(frozen=True)
class DetectorStep:
    """How much brighter the detector on the right is than that on the left, along their boundary.

    ``ratio`` is right over left of the mean reflectance (1 = no step), ``uncertainty`` one standard uncertainty of it
    from the scatter of ``blocks`` blocks of rows (None below three), ``pixels`` the number on both sides together.
    """

    left: str
    right: str
    ratio: float
    uncertainty: float | None
    blocks: int
    pixels: int


@numba.njit(nogil=True, cache=True)
def _sum_at_boundaries(
    counts: np.ndarray, detectors: np.ndarray, width: int, nodata: int, saturated: int, sums: np.ndarray
) -> None:
    rows, columns = counts.shape
    blocks = sums.shape[0]
    for row in range(rows):
        block = row * blocks // rows
        before = detectors[row, 0]
        for column in range(1, columns):
            here = detectors[row, column]
            if here == before:
                continue
            if 0 < before < 13 and 0 < here < 13:
                left = column - 1
                while left >= 0 and column - left <= width and detectors[row, left] == before:
                    value = np.int64(counts[row, left])
                    if value not in (nodata, saturated):
                        sums[block, before, here, 0] += value
                        sums[block, before, here, 1] += 1
                    left -= 1
                right = column
                while right < columns and right - column < width and detectors[row, right] == here:
                    value = np.int64(counts[row, right])
                    if value not in (nodata, saturated):
                        sums[block, before, here, 2] += value
                        sums[block, before, here, 3] += 1
                    right += 1
            before = here


def detector_steps(
    counts: np.ndarray,
    detectors: np.ndarray,
    *,
    offset: float,
    width: int = STRIP_PIXELS,
    nodata: int = NO_DATA,
    saturated: int = SATURATED,
) -> tuple[DetectorStep, ...]:
    """The steps at all boundaries of an image, from left to right by detector number.

    ``counts``: uint16 (rows, columns), DN; ``detectors``: uint8 of the same shape, 1 to 12, 0 where none. ``offset``
    is added to the counts, so that ratios are those of reflectances. Boundaries are looked for along the rows. Left
    out are those where one side has no valid pixel or no positive mean.
    """
    if counts.ndim != 2 or detectors.shape != counts.shape or detectors.dtype != np.uint8:
        raise ValueError(
            f"image {counts.dtype} {counts.shape} and footprint {detectors.dtype} {detectors.shape} do not fit"
        )
    sums = np.zeros((BLOCKS, _SIDES, _SIDES, 4), np.int64)
    if counts.shape[1]:
        _sum_at_boundaries(counts, detectors, width, nodata, saturated, sums)
    pairs = np.argwhere(sums[..., 1].any(axis=0) & sums[..., 3].any(axis=0))
    found = (_step(int(left), int(right), sums[:, left, right], offset) for left, right in pairs)
    return tuple(step for step in found if step is not None)


def weighted_step(steps: Sequence[DetectorStep]) -> tuple[float, float, int] | None:
    """One number for the steps of a band: the root mean square of ``ratio - 1``, each weighted by its precision.

    Returns it, its standard uncertainty (1 / sqrt of the sum of weights) and the number of blocks behind it; None when
    no step has an uncertainty. Chance alone gives about its own size, so the number is not 0 where there is no step.
    """
    known = [(step.ratio - 1, 1 / step.uncertainty**2, step.blocks) for step in steps if step.uncertainty]
    weight = math.fsum(precision for _, precision, _ in known)
    if not known or not math.isfinite(weight):
        return None
    square = math.fsum(precision * value**2 for value, precision, _ in known) / weight
    return math.sqrt(square), 1 / math.sqrt(weight), sum(blocks for _, _, blocks in known)


def _step(left: int, right: int, sums: np.ndarray, offset: float) -> DetectorStep | None:
    """Ratio of the means of all blocks; its uncertainty by leaving out one block after the other (jackknife)."""
    used = sums[(sums[:, 1] > 0) & (sums[:, 3] > 0)]
    if not len(used):
        return None
    total = used.sum(axis=0)
    ratio = _ratio(total, offset)
    if ratio is None:
        return None
    without = [_ratio(total - block, offset) for block in used] if len(used) >= MIN_BLOCKS else []
    values = [value for value in without if value is not None]
    uncertainty = None
    if len(values) >= MIN_BLOCKS:
        mean = math.fsum(values) / len(values)
        uncertainty = math.sqrt((len(values) - 1) / len(values) * math.fsum((value - mean) ** 2 for value in values))
    return DetectorStep(
        left=f"{left:02d}",
        right=f"{right:02d}",
        ratio=ratio,
        uncertainty=uncertainty,
        blocks=len(used),
        pixels=int(total[1] + total[3]),
    )


def _ratio(sums: np.ndarray, offset: float) -> float | None:
    left_sum, left_count, right_sum, right_count = (int(value) for value in sums)
    if not left_count or not right_count:
        return None
    left, right = left_sum / left_count + offset, right_sum / right_count + offset
    return right / left if left > 0 and right > 0 else None
