"""Pixels of a product's images: from the scene's reflectance to counts, detector by detector, strip by strip.

Every strip is a function of the specification, the band, the grid and the first row, so that it can be made again (for
TCI, masks, truth) instead of being kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from processors.simulator import instrument
from processors.simulator.products.detectors import DetectorLayout, detector_layout
from processors.simulator.products.scene import STRIP_ROWS, Scene, Strip
from processors.simulator.products.spec import ProductSpec
from processors.simulator.products.truth import NODATA, SATURATED

QUANTIFICATION = 10_000
OFFSET = -1000

# what the atmosphere adds and takes, crudely, by band: BOA = (TOA - path) * stretch
_PATH = dict(
    zip(
        instrument.BAND_NAMES,
        (0.095, 0.065, 0.035, 0.018, 0.015, 0.010, 0.008, 0.007, 0.006, 0.004, 0.0, 0.001, 0.0),
        strict=True,
    )
)
_STRETCH = 1.06

SCENE_CLASSES = (
    "SC_NODATA",
    "SC_SATURATED_DEFECTIVE",
    "SC_DARK_FEATURE_SHADOW",
    "SC_CLOUD_SHADOW",
    "SC_VEGETATION",
    "SC_NOT_VEGETATED",
    "SC_WATER",
    "SC_UNCLASSIFIED",
    "SC_CLOUD_MEDIUM_PROBA",
    "SC_CLOUD_HIGH_PROBA",
    "SC_THIN_CIRRUS",
    "SC_SNOW_ICE",
)


class Pixels:
    """Source of all pixels of one product."""

    def __init__(self, spec: ProductSpec) -> None:
        self.spec = spec
        self.scene = Scene(spec)
        self._strips: dict[int, tuple[int, Strip]] = {}
        self._layouts: dict[str, DetectorLayout] = {}

    def layout(self, band: str) -> DetectorLayout:
        """The detectors of a band in this tile."""
        if band not in self._layouts:
            self._layouts[band] = detector_layout(self.spec, band)
        return self._layouts[band]

    def rows(self, gsd: int) -> Iterator[tuple[int, int]]:
        """(first row, rows) of the strips of the grid with this ground sampling distance."""
        size, step = self.spec.pixels(gsd), STRIP_ROWS * 10 // gsd
        for first in range(0, size, step):
            yield first, min(step, size - first)

    def ground(self, gsd: int, first_row: int, rows: int) -> Strip:
        """Ground and sky of a strip; the newest of each grid is kept, since thirteen bands ask for it."""
        kept = self._strips.get(gsd)
        if kept is None or kept[0] != first_row:
            kept = (first_row, self.scene.strip(gsd, first_row, rows))
            self._strips[gsd] = kept
        return kept[1]

    def counts(self, band: str, gsd: int, first_row: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """DN (uint16) and detector numbers (uint8) of a strip, both rows x columns."""
        spec = self.spec
        rng = np.random.default_rng([5, spec.seed, instrument.BAND_ID[band], gsd, first_row])
        rho = self.scene.reflectance(self.ground(gsd, first_row, rows), band, rng)
        if spec.level == "L2A":
            rho = (rho - np.float32(_PATH[band])) * np.float32(_STRETCH)
        detectors = self.layout(band).numbers(gsd, first_row, rows)
        rho *= self._gains(band)[detectors]
        counts = rho * np.float32(QUANTIFICATION) - np.float32(OFFSET if spec.era.has_offsets else 0)
        out = np.clip(np.rint(counts), 1, SATURATED - 1).astype(np.uint16)
        out[self._saturated(band, gsd, first_row, rows)] = SATURATED
        out[detectors == 0] = NODATA
        return out, detectors

    def _gains(self, band: str) -> np.ndarray:
        """Relative gain by detector number (float32, 13; entry 0 is for pixels outside the swath)."""
        steps = self.spec.gain_steps
        gains = [instrument.detector_gain(self.spec.unit, band, n) * steps.get((band, n), 1.0) for n in range(1, 13)]
        return np.array([1.0, *gains], np.float32)

    def _saturated(self, band: str, gsd: int, first_row: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (within the strip) and columns of the planted saturated pixels."""
        rng = np.random.default_rng([7, self.spec.seed, instrument.BAND_ID[band]])
        row, column = rng.integers(0, self.spec.pixels(gsd), (2, self.spec.saturated_pixels))
        inside = (row >= first_row) & (row < first_row + rows)
        return row[inside] - first_row, column[inside]

    def saturation(self, band: str, gsd: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of saturated pixels on the whole grid of a band, those outside the swath left out."""
        row, column = self._saturated(band, gsd, 0, self.spec.pixels(gsd))
        layout = self.layout(band)
        inside = [bool(layout.numbers(gsd, int(r), 1)[0, c]) for r, c in zip(row, column, strict=True)]
        return row[inside], column[inside]

    # -- classification

    @cached_property
    def clouds(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Opaque cloud, cirrus, snow on the 60 m grid (bool, rows x columns), none outside the swath. No snow falls."""
        opaque, cirrus = [], []
        for first, rows in self.rows(60):
            cloud = self.ground(60, first, rows).cloud
            seen = self.layout("B01").numbers(60, first, rows) > 0
            opaque.append((cloud > 0.5) & seen)
            cirrus.append((cloud > 0.1) & (cloud <= 0.5) & seen)
        whole = np.concatenate(opaque)
        return whole, np.concatenate(cirrus), np.zeros_like(whole)

    @cached_property
    def nodata_percentage(self) -> float:
        """Part of the 60 m grid of B01 outside the swath, percent."""
        outside = sum(int((self.layout("B01").numbers(60, a, n) == 0).sum()) for a, n in self.rows(60))
        return 100 * outside / self.spec.pixels(60) ** 2

    @cached_property
    def cloud_percentage(self) -> float:
        """Opaque clouds and cirrus in percent of the pixels inside the swath, on the 60 m grid."""
        opaque, cirrus, _ = self.clouds
        seen = self.spec.pixels(60) ** 2 * (1 - self.nodata_percentage / 100)
        return 100 * float((opaque | cirrus).sum()) / seen if seen else 0.0

    def scene_classes(self, gsd: int, first_row: int, rows: int) -> np.ndarray:
        """Scene classification (uint8 0..11, rows x columns) of a strip."""
        ground = self.ground(gsd, first_row, rows)
        classes = np.where(ground.vegetation > ground.soil, np.uint8(4), np.uint8(5))
        classes[ground.texture * (ground.soil + ground.vegetation) > 1.19] = 7
        classes[ground.water > 0.5] = 6
        shift = max(1, self.spec.pixels(gsd) // 60)
        classes[np.roll(ground.cloud, (shift, shift), (0, 1)) > 0.6] = 3
        classes[ground.cloud > 0.02] = 10
        classes[ground.cloud > 0.15] = 8
        classes[ground.cloud > 0.5] = 9
        classes[self.layout("B05").numbers(gsd, first_row, rows) == 0] = 0
        return classes

    @cached_property
    def class_counts(self) -> np.ndarray:
        """Pixels of each scene class on the 20 m grid (int64, 12)."""
        strips = (self.scene_classes(20, a, n) for a, n in self.rows(20))
        return sum((np.bincount(strip.ravel(), minlength=12) for strip in strips), np.zeros(12, np.int64))
