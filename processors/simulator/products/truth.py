"""Known truth of a simulated product: exact statistics of the pixels as written, and the faults planted in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from processors.simulator.products.faults import PlantedFault

NODATA = 0
SATURATED = 65535


@dataclass(frozen=True)
class BandTruth:
    """Counts and sums of one image, over one detector or (``detector`` None) over all pixels.

    ``count`` pixels are neither no-data (0) nor saturated (65535); minimum, maximum, ``total`` and ``squares`` (sum of
    the squares) are over these, exact integers in DN. Both extremes are 0 where ``count`` is 0.
    """

    band: str
    gsd: int
    detector: int | None
    count: int
    nodata: int
    saturated: int
    minimum: int
    maximum: int
    total: int
    squares: int

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else float("nan")

    @property
    def std(self) -> float:
        """Standard deviation of the pixels as a whole population."""
        if not self.count:
            return float("nan")
        return sqrt((self.count * self.squares - self.total**2) / self.count**2)


@dataclass(frozen=True)
class ProductTruth:
    """What is known of a product beside its specification.

    ``bands`` are keyed by (band, gsd, detector or None). Percentages are those that the metadata state; they are
    None for products without images.
    """

    bands: Mapping[tuple[str, int, int | None], BandTruth] = field(default_factory=dict)
    cloud_percentage: float | None = None
    snow_percentage: float | None = None
    nodata_percentage: float | None = None
    u: float | None = None
    faults: tuple[PlantedFault, ...] = ()


class StatisticsCounter:
    """Adds up statistics of one image over strips of rows, per detector and over all."""

    def __init__(self, band: str, gsd: int) -> None:
        self._band, self._gsd = band, gsd
        self._sums: dict[int, list[int]] = {}

    def add(self, pixels: np.ndarray, detectors: np.ndarray) -> None:
        """Take in a strip: uint16 DN and uint8 detector numbers, both rows x columns."""
        for detector in np.unique(detectors):
            values = pixels[detectors == detector]
            good = values[(values != NODATA) & (values != SATURATED)].astype(np.int64)
            sums = self._sums.setdefault(int(detector), [0, 0, 0, SATURATED, 0, 0, 0])
            sums[0] += good.size
            sums[1] += int(np.count_nonzero(values == NODATA))
            sums[2] += int(np.count_nonzero(values == SATURATED))
            if good.size:
                sums[3] = min(sums[3], int(good.min()))
                sums[4] = max(sums[4], int(good.max()))
                sums[5] += int(good.sum())
                sums[6] += int(np.dot(good, good))

    def result(self) -> list[BandTruth]:
        """One record per detector that has pixels (0, outside the swath, is in none), and one over all."""
        records = [self._record(detector, sums) for detector, sums in sorted(self._sums.items()) if detector]
        parts = list(self._sums.values())
        whole = [
            sum(part[0] for part in parts),
            sum(part[1] for part in parts),
            sum(part[2] for part in parts),
            min(part[3] for part in parts),
            max(part[4] for part in parts),
            sum(part[5] for part in parts),
            sum(part[6] for part in parts),
        ]
        return [*records, self._record(None, whole)]

    def _record(self, detector: int | None, sums: list[int]) -> BandTruth:
        count, nodata, saturated, low, high, total, squares = sums
        low = low if count else 0
        return BandTruth(self._band, self._gsd, detector, count, nodata, saturated, low, high, total, squares)
