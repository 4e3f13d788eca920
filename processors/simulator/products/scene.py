"""The scene that simulated products look at: smooth, textured land with water and clouds, made strip by strip.

The ground is a function of the tile alone, so that products of different dates and units see the same ground; clouds
and noise depend on the product's seed. Fields are value noise on coarse random grids, interpolated linearly; nothing
larger than a strip of rows is held at full resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from processors.simulator import instrument
from processors.simulator.products.spec import ProductSpec

STRIP_ROWS = 1026
"""Rows made at a time at 10 m (a multiple of 6, so that strips of all resolutions cover the same ground)."""

# top-of-atmosphere reflectance of the classes by band: B01 .. B08, B8A, B09 .. B12
_SPECTRA = {
    "vegetation": (0.120, 0.095, 0.085, 0.060, 0.105, 0.230, 0.285, 0.300, 0.320, 0.110, 0.0025, 0.190, 0.095),
    "soil": (0.138, 0.124, 0.132, 0.148, 0.190, 0.210, 0.230, 0.240, 0.255, 0.090, 0.0025, 0.310, 0.250),
    "water": (0.115, 0.085, 0.060, 0.035, 0.032, 0.028, 0.027, 0.024, 0.022, 0.010, 0.0020, 0.012, 0.008),
    "cloud": (0.560, 0.550, 0.540, 0.550, 0.560, 0.570, 0.580, 0.580, 0.590, 0.330, 0.0150, 0.450, 0.360),
}
_GROUND_CLASSES = ("vegetation", "soil", "water")
# relative noise of a pixel: with the texture it gives images the 6 to 8 bit a pixel of real ones
_NOISE = {"B01": 0.006, "B09": 0.010, "B10": 0.020}
_DEFAULT_NOISE = 0.011


@dataclass(frozen=True)
class Strip:
    """Ground of some rows on one grid: part of each class (float32, rows x columns), texture about 1, cloud 0..1."""

    vegetation: np.ndarray
    soil: np.ndarray
    water: np.ndarray
    texture: np.ndarray
    cloud: np.ndarray


class Scene:
    """The scene of one product; all methods are deterministic in the specification."""

    def __init__(self, spec: ProductSpec) -> None:
        self._spec = spec
        ground = np.random.default_rng([2, *spec.tile.name.encode()])
        sky = np.random.default_rng([3, spec.seed, *spec.start.isoformat().encode()])
        self._cover = _octaves(ground, (3, 7, 16, 41), 0.55)
        self._moisture = _octaves(ground, (2, 5, 11), 0.5)
        finest = max(24, spec.size_10m // 4)
        cells = [24]
        while cells[-1] * 2.7 <= finest:
            cells.append(round(cells[-1] * 2.7))
        self._texture = _octaves(ground, cells, 0.8)
        self._clouds = _octaves(sky, (3, 6, 13, 29), 0.62)
        self._river = ground.uniform(0.25, 0.75, 4)
        # haze and surface change a little from day to day, alike in all bands
        self._brightness = np.float32(1 + 0.0015 * sky.standard_normal())

    @cached_property
    def cloud_threshold(self) -> float:
        """Value of the cloud field above which a pixel is cloud, so that the wanted cover comes out."""
        if self._spec.cloud_cover <= 0:
            return np.inf
        size = min(self._spec.pixels(60), 400)
        at = (np.arange(size) + 0.5) / size
        return float(np.quantile(_sample(self._clouds, at, at), 1 - self._spec.cloud_cover / 100))

    def strip(self, gsd: int, first_row: int, rows: int) -> Strip:
        """The ground and sky of ``rows`` rows from ``first_row`` on the grid of ``gsd`` metres."""
        size = self._spec.pixels(gsd)
        x = (np.arange(size, dtype=np.float32) + 0.5) / size
        y = (np.arange(first_row, first_row + rows, dtype=np.float32) + 0.5) / size
        a, b, c, d = self._river
        course = (a + 0.16 * np.sin(5 * y + 6 * b) + 0.05 * np.sin(17 * y + 6 * c)).astype(np.float32)
        distance = np.abs(x[None, :] - course[:, None])
        water = _smooth_step((0.012 + 0.03 * d) - distance, 0.004)
        water = np.maximum(water, _smooth_step(_sample(self._moisture, y, x) - 1.35, 0.06))
        land = 1 - water
        green = _smooth_step(_sample(self._cover, y, x) + 0.15, 0.35)
        cloud = _smooth_step(_sample(self._clouds, y, x) - self.cloud_threshold, 0.05)
        return Strip(
            vegetation=land * green,
            soil=land * (1 - green),
            water=water,
            texture=1 + 0.055 * _sample(self._texture, y, x) * (land + 0.15),
            cloud=cloud,
        )

    def reflectance(self, strip: Strip, band: str, rng: np.random.Generator) -> np.ndarray:
        """Reflectance with sensor noise of ``band`` (float32, rows x columns)."""
        index = instrument.BAND_ID[band]
        ground = sum(getattr(strip, name) * np.float32(_SPECTRA[name][index]) for name in _GROUND_CLASSES)
        rho = ground * strip.texture
        rho += strip.cloud * (np.float32(_SPECTRA["cloud"][index]) * (0.8 + 0.2 * strip.texture) - rho)
        noise = rng.standard_normal(rho.shape, dtype=np.float32)
        noise *= rho * np.float32(_NOISE.get(band, _DEFAULT_NOISE)) + np.float32(0.0006)
        rho += noise
        rho *= self._brightness
        return rho


def _octaves(rng: np.random.Generator, cells: tuple[int, ...] | list[int], gain: float) -> list[np.ndarray]:
    """Random grids of growing fineness and falling amplitude, together of about unit variance."""
    weights = gain ** np.arange(len(cells))
    weights = weights / np.sqrt((weights**2).sum()) * 1.5  # linear interpolation takes a third of the amplitude
    return [
        (weight * rng.standard_normal((n + 2, n + 2), dtype=np.float32)).astype(np.float32)
        for n, weight in zip(cells, weights, strict=True)
    ]


def _sample(octaves: list[np.ndarray], y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Sum of the octaves at the crossings of ``y`` and ``x`` (both 0..1): float32, len(y) x len(x)."""
    total = np.zeros((len(y), len(x)), np.float32)
    for grid in octaves:
        cells = grid.shape[0] - 2
        row, row_part = _split(y, cells)
        column, column_part = _split(x, cells)
        lines = grid[row] * (1 - row_part)[:, None] + grid[row + 1] * row_part[:, None]
        total += lines[:, column] * (1 - column_part) + lines[:, column + 1] * column_part
    return total


def _split(at: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    position = at.astype(np.float32) * np.float32(cells)
    whole = np.floor(position)
    return whole.astype(np.intp), position - whole


def _smooth_step(value: np.ndarray, width: float) -> np.ndarray:
    """0 below zero, 1 above ``width``, smooth between (float32)."""
    t = np.clip(value / np.float32(width), 0, 1).astype(np.float32)
    return t * t * (3 - 2 * t)
