"""Where the detectors lie in a tile: slanted strips, numbered from west to east, staggered by band and parity.

A strip is bounded by lines ``x + SLANT * y = edge`` with x metres east and y metres south of the tile's upper left
corner. The detector of a pixel is that of its centre. Real GML footprints of neighbours overlap by about 1.5 km;
simulated ones do not, so that each pixel has one true detector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from shapely.geometry import Polygon, box

from mpc.msi.bands import BANDS
from processors.simulator.products.spec import ProductSpec

SLANT = 0.2211
"""Metres west per metre south of a descending track at middle latitudes."""

FULL_DETECTOR_WIDTH = 25_000.0
"""Width of a detector on ground in a full tile, m; reduced tiles have narrower ones in proportion."""

# order of the bands along the focal plane: it sets how far their footprints are shifted against each other
_FOCAL_PLANE = ("B02", "B08", "B03", "B10", "B04", "B05", "B11", "B06", "B07", "B8A", "B12", "B01", "B09")


@dataclass(frozen=True)
class DetectorLayout:
    """Strips of one band: ``edges[k]`` and ``edges[k + 1]`` (m) bound detector ``k + 1``; twelve detectors in all."""

    band: str
    edges: np.ndarray
    extent: int

    def numbers(self, gsd: int, first_row: int = 0, rows: int | None = None) -> np.ndarray:
        """Detector of each pixel (uint8, rows x columns, 0 outside the swath) in ``rows`` rows from ``first_row``."""
        size = self.extent // gsd
        rows = size - first_row if rows is None else rows
        x = (np.arange(size) + 0.5) * gsd
        y = (np.arange(first_row, first_row + rows) + 0.5) * gsd
        out = np.empty((rows, size), np.uint8)
        for index, offset in enumerate(SLANT * y):
            # the edges fall on columns in ascending order, so that each row is a handful of runs
            out[index] = np.searchsorted(self.edges - offset, x, side="right")
        out[out > 12] = 0
        return out

    def present(self) -> tuple[int, ...]:
        """Detectors that see at least one pixel of the band at the coarsest grid of the tile."""
        return tuple(int(number) for number in np.unique(self.numbers(_gsd(self.band))) if number)

    def polygon(self, detector: int) -> np.ndarray | None:
        """Closed ring (n, 2) of the detector's footprint in the tile, m east and south; None if it sees nothing."""
        west, east = self.edges[detector - 1], self.edges[detector]
        far = self.extent
        strip = Polygon([(west, 0), (east, 0), (east - SLANT * far, far), (west - SLANT * far, far)])
        clipped = strip.intersection(box(0, 0, far, far))
        if clipped.is_empty or clipped.area <= 0:
            return None
        return np.asarray(clipped.exterior.coords)

    def across(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Position across the swath in detectors from nadir: -6 at the western, +6 at the eastern edge."""
        return (x + SLANT * y - self.edges[0]) / (self.edges[12] - self.edges[0]) * 12 - 6


def detector_layout(spec: ProductSpec, band: str) -> DetectorLayout:
    """The detectors of ``band`` in the tile of ``spec``: the same for all products of a tile and relative orbit."""
    width = FULL_DETECTOR_WIDTH / 109_800 * spec.extent
    if spec.nodata_fraction:
        # the swath's western edge crosses the tile so that about this part of it lies outside
        origin = (spec.nodata_fraction + SLANT / 2) * spec.extent
    else:
        rng = np.random.default_rng([spec.orbit, *spec.tile.name.encode()])
        origin = -width * (rng.integers(0, 6) + rng.uniform(0.05, 0.6))
    index = _FOCAL_PLANE.index(band)
    edges = origin + width * np.arange(13, dtype=float)
    edges += 0.004 * width * index  # bands look at slightly different times
    edges[1:12] += 0.012 * width * np.where(np.arange(1, 12) % 2, 1, -1) * (1 - 2 * (index % 2))
    # never a whole metre, so that no pixel centre lies on an edge
    return DetectorLayout(band, np.floor(edges) + 0.317, spec.extent)


def _gsd(band: str) -> int:
    return next(item.gsd for item in BANDS if item.name == band)
