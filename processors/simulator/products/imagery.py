"""All images of a product (bands, TCI, PVI; at L2A also SCL, AOT, WVP and the probabilities), with their statistics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from processors.simulator.instrument import BAND_NAMES, GSD
from processors.simulator.products.content import MEAN_AOT, MEAN_WATER_VAPOUR
from processors.simulator.products.images import ImageFrame, frame_of, write_jp2
from processors.simulator.products.layout import L2A_IMAGES, granule_path, image_member, preview_member
from processors.simulator.products.pixels import OFFSET, QUANTIFICATION, Pixels
from processors.simulator.products.spec import ProductSpec
from processors.simulator.products.truth import BandTruth, StatisticsCounter

PREVIEW_SIZE = 343
_DISPLAY_BANDS = ("B04", "B03", "B02")
_DISPLAY_WHITE = 0.3
"""Reflectance that TCI shows as 255."""

BandTruths = dict[tuple[str, int, int | None], BandTruth]


def write_images(pixels: Pixels, root: Path) -> BandTruths:
    """Write the images below ``root``; gives the statistics of each, keyed by (name, gsd, detector or None).

    At L2A a band is also written at coarser grids than its own; its detectors are known on its own grid only, so that
    the others have whole-image statistics alone. SCL, AOT and WVP have whole-image statistics.
    """
    spec = pixels.spec
    if spec.level == "L1C":
        wanted = [(band, GSD[band]) for band in BAND_NAMES] + [("TCI", 10)]
    else:
        wanted = [(name, gsd) for gsd, names in L2A_IMAGES.items() for name in names]
    truths: BandTruths = {}
    for name, gsd in wanted:
        path = root / image_member(spec, name, gsd)
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = frame_of(spec, gsd)
        if name == "TCI":
            write_jp2(path, frame, "uint8", _display(pixels, gsd), layers=3, quality=20)
            continue
        counter = StatisticsCounter(name, gsd)
        if name in BAND_NAMES:
            write_jp2(path, frame, "uint16", _band(pixels, name, gsd, counter))
        else:
            dtype = "uint8" if name == "SCL" else "uint16"
            write_jp2(path, frame, dtype, _map(pixels, name, gsd, counter))
        truths |= {(name, gsd, truth.detector): truth for truth in counter.result()}
    _write_preview(pixels, root / preview_member(spec))
    if spec.level == "L2A":
        _write_probabilities(pixels, root / granule_path(spec) / "QI_DATA")
    return truths


def write_band(spec: ProductSpec, band: str, path: Path) -> BandTruths:
    """Write one band of a product on its own grid to ``path``, the same bytes as in the product; gives its statistics.

    Meant for trials that need a full-size band and not the twelve others.
    """
    counter = StatisticsCounter(band, GSD[band])
    write_jp2(path, frame_of(spec, GSD[band]), "uint16", _band(Pixels(spec), band, GSD[band], counter))
    return {(band, GSD[band], truth.detector): truth for truth in counter.result()}


def _band(pixels: Pixels, band: str, gsd: int, counter: StatisticsCounter) -> Iterator[tuple[int, np.ndarray]]:
    own_grid = gsd == GSD[band]
    for first, rows in pixels.rows(gsd):
        counts, detectors = pixels.counts(band, gsd, first, rows)
        counter.add(counts, detectors if own_grid else np.zeros_like(detectors))
        yield first, counts


def _map(pixels: Pixels, name: str, gsd: int, counter: StatisticsCounter) -> Iterator[tuple[int, np.ndarray]]:
    """SCL, or a smooth map of aerosol optical thickness or water vapour (thousandths), zero outside the swath."""
    size = pixels.spec.pixels(gsd)
    for first, rows in pixels.rows(gsd):
        if name == "SCL":
            values = pixels.scene_classes(gsd, first, rows)
        else:
            mean = MEAN_AOT if name == "AOT" else MEAN_WATER_VAPOUR
            y = (np.arange(first, first + rows) / size)[:, None]
            x = (np.arange(size) / size)[None, :]
            values = np.rint(1000 * mean * (1 + 0.08 * np.sin(4 * x + 1) * np.cos(3 * y))).astype(np.uint16)
            values[pixels.layout("B05").numbers(gsd, first, rows) == 0] = 0
        counter.add(values, np.zeros(values.shape, np.uint8))
        yield first, values


def _display(pixels: Pixels, gsd: int) -> Iterator[tuple[int, np.ndarray]]:
    for first, rows in pixels.rows(gsd):
        yield first, _true_colour(pixels, gsd, first, rows)


def _true_colour(pixels: Pixels, gsd: int, first: int, rows: int) -> np.ndarray:
    """Red, green, blue of a strip: uint8 (3, rows, columns), 0 for no-data, 1 to 255 else."""
    offset = OFFSET if pixels.spec.era.has_offsets else 0
    layers = []
    for band in _DISPLAY_BANDS:
        counts, _ = pixels.counts(band, gsd, first, rows)
        rho = (counts.astype(np.float32) + offset) / QUANTIFICATION
        shown = np.clip(1 + 254 * rho / _DISPLAY_WHITE, 1, 255).astype(np.uint8)
        layers.append(np.where(counts == 0, np.uint8(0), shown))
    return np.stack(layers)


def _write_preview(pixels: Pixels, path: Path) -> None:
    """PVI: 343 px a side at 320 m for a full tile, half the 10 m grid for a small one."""
    spec = pixels.spec
    factor = max(2, round(spec.size_10m / PREVIEW_SIZE))
    size = spec.size_10m // factor
    frame = ImageFrame(size, 10 * factor, spec.tile.epsg, spec.tile.ulx, spec.tile.uly)
    preview = np.zeros((3, size, size), np.uint8)
    for first, rows in pixels.rows(10):
        lines = np.arange(size) * factor + factor // 2
        inside = (lines >= first) & (lines < first + rows)
        strip = _true_colour(pixels, 10, first, rows)
        preview[:, inside] = strip[:, lines[inside] - first][:, :, factor // 2 :: factor][:, :, :size]
    write_jp2(path, frame, "uint8", [(0, preview)], layers=3, quality=20)


def _write_probabilities(pixels: Pixels, folder: Path) -> None:
    """Cloud and snow probability (0..100) at 20 and 60 m."""
    for gsd in (20, 60):
        frame = frame_of(pixels.spec, gsd)
        write_jp2(folder / f"MSK_CLDPRB_{gsd}m.jp2", frame, "uint8", _cloud_probability(pixels, gsd))
        write_jp2(folder / f"MSK_SNWPRB_{gsd}m.jp2", frame, "uint8", ())


def _cloud_probability(pixels: Pixels, gsd: int) -> Iterator[tuple[int, np.ndarray]]:
    for first, rows in pixels.rows(gsd):
        probability = np.rint(100 * pixels.ground(gsd, first, rows).cloud).astype(np.uint8)
        probability[pixels.layout("B05").numbers(gsd, first, rows) == 0] = 0
        yield first, probability
