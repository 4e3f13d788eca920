"""Statistics of one image, exact, from its histogram by detector.

Sums are whole numbers of any size, so the mean and the standard deviation are the correctly rounded values of the exact
ratios; nothing is lost to the order of additions. Valid pixels are those that hold neither the no-data nor the
saturation value (``Special_Values`` of the product metadata: 0 and 65535).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qc.statistics.kernel import LEVELS

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
"""Percentiles that are kept of every image, in per cent."""

DISPLAY_BINS = 256
NO_DATA = 0
SATURATED = 65535
WHOLE_BAND: str | None = None
"""Stands in ``BandStatistics.detectors`` for all pixels of the image, whichever detector saw them."""

_EXACT_IN_64_BITS = 2**31
"""Up to this many pixels the sum of squares of 16-bit counts stays below 2^63."""

_VALUES = np.arange(LEVELS, dtype=np.int64)
_SQUARES = _VALUES * _VALUES


@dataclass(frozen=True)
class CountStatistics:
    """Statistics of one set of pixels, in counts (DN). Where no pixel is valid, all after ``valid`` is None.

    ``std`` is the standard deviation of the pixels themselves (divisor n). ``percentiles`` has one value for each of
    ``PERCENTILES``, linear between neighbouring sorted pixels (definition 7 of Hyndman and Fan 1996, numpy's default).
    """

    count: int
    nodata: int
    saturated: int
    valid: int
    minimum: int | None
    maximum: int | None
    mean: float | None
    std: float | None
    percentiles: tuple[float | None, ...]


@dataclass(frozen=True)
class DisplayHistogram:
    """Histogram for a plot: bin i holds ``counts[i]`` valid pixels from ``start + i * width``, in DN.

    It covers the percentiles 0.1 to 99.9 of the whole band; pixels beyond stand in ``below`` and ``above``.
    """

    start: int
    width: int
    counts: tuple[int, ...]
    below: int = 0
    above: int = 0


@dataclass(frozen=True)
class BandStatistics:
    """One compact record: the statistics of one image, for the whole band and for each detector in it.

    The tuples run along ``detectors``: first None (the whole band), then "01" to "12" as far as the footprint has
    them. Values are DN; :meth:`scaled` turns them into reflectance (bands), or into the unit of ``scaled_unit``.
    ``offset`` and ``quantification`` are as the product says them; ``None`` when it does not say.
    """

    band: str
    resolution: int
    tile: str
    detectors: tuple[str | None, ...]
    count: tuple[int, ...]
    nodata: tuple[int, ...]
    saturated: tuple[int, ...]
    valid: tuple[int, ...]
    minimum: tuple[int | None, ...]
    maximum: tuple[int | None, ...]
    mean: tuple[float | None, ...]
    std: tuple[float | None, ...]
    p1: tuple[float | None, ...]
    p5: tuple[float | None, ...]
    p25: tuple[float | None, ...]
    p50: tuple[float | None, ...]
    p75: tuple[float | None, ...]
    p95: tuple[float | None, ...]
    p99: tuple[float | None, ...]
    histogram: DisplayHistogram
    offset: float | None = None
    quantification: float | None = None
    scaled_unit: str = "reflectance"
    unit: str = "DN"

    LOCATIONS = ("minimum", "maximum", "mean", "p1", "p5", "p25", "p50", "p75", "p95", "p99")
    COUNTS = ("count", "nodata", "saturated", "valid")

    def scaled(self, statistic: str) -> tuple[float | None, ...]:
        """A statistic as ``(DN + offset) / quantification``; exact because both are linear. None where unknown."""
        values = getattr(self, statistic)
        if statistic not in (*self.LOCATIONS, "std"):
            raise ValueError(f"{statistic} is a number of pixels and has no scale")
        if not self.quantification or self.offset is None:
            return tuple(None for _ in values)
        shift = 0.0 if statistic == "std" else self.offset
        return tuple(None if value is None else (value + shift) / self.quantification for value in values)

    def rows(self) -> list[dict[str, Any]]:
        """One plain mapping a detector, in DN, for JSON and tables."""
        return [
            {
                "tile": self.tile,
                "band": self.band,
                "resolution": self.resolution,
                "detector": detector,
                **{name: getattr(self, name)[index] for name in self.COUNTS},
                "min": self.minimum[index],
                "max": self.maximum[index],
                "mean": self.mean[index],
                "std": self.std[index],
                **{f"p{percent}": getattr(self, f"p{percent}")[index] for percent in PERCENTILES},
            }
            for index, detector in enumerate(self.detectors)
        ]


def count_statistics(histogram: np.ndarray, *, nodata: int = NO_DATA, saturated: int = SATURATED) -> CountStatistics:
    """Statistics of the pixels behind ``histogram`` (int64, 65536 bins: how often each DN occurs)."""
    if histogram.shape != (LEVELS,):
        raise ValueError(f"a histogram has {LEVELS} bins, not {histogram.shape}")
    total = int(histogram.sum())
    empty = int(histogram[nodata])
    full = int(histogram[saturated]) if saturated != nodata else 0
    valid = _valid_part(histogram, nodata, saturated)
    number = total - empty - full
    if number == 0:
        return CountStatistics(total, empty, full, 0, None, None, None, None, (None,) * len(PERCENTILES))
    present = np.flatnonzero(valid)
    first, second = _power_sums(valid, present, number)
    variance = (number * second - first * first) / (number * number)
    cumulative = np.cumsum(valid)
    return CountStatistics(
        count=total,
        nodata=empty,
        saturated=full,
        valid=number,
        minimum=int(present[0]),
        maximum=int(present[-1]),
        mean=first / number,
        std=math.sqrt(variance),
        percentiles=tuple(_percentile(cumulative, number, percent) for percent in PERCENTILES),
    )


def band_statistics(
    histogram: np.ndarray,
    *,
    band: str,
    resolution: int,
    tile: str = "",
    offset: float | None = None,
    quantification: float | None = None,
    scaled_unit: str = "reflectance",
    nodata: int = NO_DATA,
    saturated: int = SATURATED,
) -> BandStatistics:
    """The record of one image from its histogram by detector (int64 (14, 65536) of ``histogram_by_detector``)."""
    whole = histogram.sum(axis=0)
    numbers = [number for number in range(1, 13) if histogram[number].any()]
    parts: list[tuple[str | None, CountStatistics]] = [
        (WHOLE_BAND, count_statistics(whole, nodata=nodata, saturated=saturated))
    ]
    parts += [
        (f"{number:02d}", count_statistics(histogram[number], nodata=nodata, saturated=saturated)) for number in numbers
    ]

    def column(name: str) -> tuple[Any, ...]:
        return tuple(getattr(part, name) for _, part in parts)

    percentiles: dict[str, Any] = {
        f"p{percent}": tuple(part.percentiles[index] for _, part in parts) for index, percent in enumerate(PERCENTILES)
    }
    return BandStatistics(
        band=band,
        resolution=resolution,
        tile=tile,
        detectors=tuple(detector for detector, _ in parts),
        count=column("count"),
        nodata=column("nodata"),
        saturated=column("saturated"),
        valid=column("valid"),
        minimum=column("minimum"),
        maximum=column("maximum"),
        mean=column("mean"),
        std=column("std"),
        **percentiles,
        histogram=display_histogram(whole, nodata=nodata, saturated=saturated),
        offset=offset,
        quantification=quantification,
        scaled_unit=scaled_unit,
    )


def display_histogram(
    histogram: np.ndarray, *, bins: int = DISPLAY_BINS, nodata: int = NO_DATA, saturated: int = SATURATED
) -> DisplayHistogram:
    """At most ``bins`` bins of equal whole width over the percentiles 0.1 to 99.9 of the valid pixels."""
    valid = _valid_part(histogram, nodata, saturated)
    number = int(valid.sum())
    if number == 0:
        return DisplayHistogram(start=0, width=1, counts=())
    cumulative = np.cumsum(valid)
    low = math.floor(_percentile(cumulative, number, 0.1))
    high = math.ceil(_percentile(cumulative, number, 99.9))
    width = max(1, -(-(high - low + 1) // bins))
    edges = np.arange(low, high + 1, width)
    inside = valid[low : high + 1]
    counts = np.add.reduceat(inside, edges - low)
    return DisplayHistogram(
        start=low,
        width=width,
        counts=tuple(int(n) for n in counts),
        below=int(valid[:low].sum()),
        above=int(valid[high + 1 :].sum()),
    )


def class_counts(histogram: np.ndarray, classes: Sequence[int]) -> dict[int, int]:
    """How many pixels hold each class value; ``histogram`` as for :func:`count_statistics`."""
    return {value: int(histogram[value]) for value in classes}


def _valid_part(histogram: np.ndarray, nodata: int, saturated: int) -> np.ndarray:
    valid = np.array(histogram, dtype=np.int64)
    valid[nodata] = 0
    valid[saturated] = 0
    return valid


def _power_sums(valid: np.ndarray, present: np.ndarray, number: int) -> tuple[int, int]:
    """Sum of the counts and of their squares, as whole numbers without overflow."""
    if number <= _EXACT_IN_64_BITS:
        return int(valid @ _VALUES), int(valid @ _SQUARES)
    weights = [(int(value), int(valid[value])) for value in present]
    return sum(n * value for value, n in weights), sum(n * value * value for value, n in weights)


def _percentile(cumulative: np.ndarray, number: int, percent: float) -> float:
    """Linear between the two sorted pixels around position (n - 1) p / 100."""
    position = (number - 1) * percent / 100
    below = math.floor(position)
    lower = int(np.searchsorted(cumulative, below, side="right"))
    share = position - below
    if share == 0:
        return float(lower)
    upper = int(np.searchsorted(cumulative, below + 1, side="right"))
    return lower + share * (upper - lower)
