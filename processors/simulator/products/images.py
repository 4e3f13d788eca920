"""Writing of JP2 images as ESA's processors lay them out: losslessly, tiled, with georeferencing in a GML box."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.transform import Affine
from rasterio.windows import Window

from processors.simulator.products.spec import ProductSpec

# sides of the code-stream tiles by ground sampling distance, as in products of ESA
_TILE_SIDE = {10: 1024, 20: 640, 60: 192}
# an image of more samples than this is staged in an uncompressed file instead of in memory
_STAGED_ABOVE = 64_000_000


@dataclass(frozen=True)
class ImageFrame:
    """Where a square image lies: ``size`` pixels of ``pixel`` metres from (``ulx``, ``uly``) in ``epsg``."""

    size: int
    pixel: float
    epsg: int
    ulx: int
    uly: int


def frame_of(spec: ProductSpec, gsd: int) -> ImageFrame:
    """Frame of the tile's grid with this ground sampling distance (10, 20, 60 m)."""
    return ImageFrame(spec.pixels(gsd), gsd, spec.tile.epsg, spec.tile.ulx, spec.tile.uly)


def write_jp2(
    path: Path,
    frame: ImageFrame,
    dtype: str,
    strips: Iterable[tuple[int, np.ndarray]],
    *,
    layers: int = 1,
    quality: float | None = None,
) -> None:
    """Write an image from strips of whole rows.

    Args:
        strips: (first row, array of layers x rows x columns or rows x columns); rows that no strip brings are zero.
        quality: None for lossless (reversible 5-3 wavelet); else the quality 1..100 of the irreversible wavelet, as
            TCI and PVI have it.
    """
    profile = {
        "width": frame.size,
        "height": frame.size,
        "count": layers,
        "dtype": dtype,
        "crs": f"EPSG:{frame.epsg}",
        "transform": Affine(frame.pixel, 0, frame.ulx, 0, -frame.pixel, frame.uly),
    }
    options = _jp2_options(frame, quality)
    if frame.size * frame.size * layers <= _STAGED_ABOVE:
        with rasterio.open(path, "w", driver="JP2OpenJPEG", **profile, **options) as image:
            _fill(image, strips)
        return
    staged = path.with_suffix(".staged.tif")
    try:
        tiling = {"tiled": True, "blockxsize": 1024, "blockysize": 1024, "sparse_ok": True, "interleave": "band"}
        with rasterio.open(staged, "w", driver="GTiff", **profile, **tiling) as image:
            _fill(image, strips)
        with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS"):
            rasterio.shutil.copy(staged, path, driver="JP2OpenJPEG", **options)
    finally:
        staged.unlink(missing_ok=True)
        # GDAL notes beside the image what JPEG 2000 does not hold of the staged file; no product has such a note.
        path.with_name(f"{path.name}.aux.xml").unlink(missing_ok=True)


def _jp2_options(frame: ImageFrame, quality: float | None) -> dict[str, str | int]:
    gsd = next((gsd for gsd in _TILE_SIDE if frame.pixel <= gsd), 60)
    side = _TILE_SIDE[gsd]
    return {
        "QUALITY": "100" if quality is None else f"{quality:g}",
        "REVERSIBLE": "YES" if quality is None else "NO",
        "YCBCR420": "NO",
        "YCC": "NO",
        "BLOCKXSIZE": side,
        "BLOCKYSIZE": side,
        "RESOLUTIONS": 6 if gsd == 10 else 5,
        "CODEBLOCK_WIDTH": 64,
        "CODEBLOCK_HEIGHT": 64,
        "PROGRESSION": "LRCP",
        "GEOJP2": "NO",
        "GMLJP2": "YES",
    }


def _fill(image: rasterio.io.DatasetWriter, strips: Iterable[tuple[int, np.ndarray]]) -> None:
    for first_row, strip in strips:
        layers = strip[None] if strip.ndim == 2 else strip
        image.write(layers, window=Window(0, first_row, layers.shape[2], layers.shape[1]))
