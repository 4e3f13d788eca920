"""Small JPEG 2000 images with known pixels, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray


def write_jp2(
    path: Path,
    array: NDArray[Any],
    *,
    pixel: float = 10.0,
    origin: tuple[float, float] | None = (600_000.0, 5_000_040.0),
    epsg: int = 32632,
    block: int = 256,
    **options: Any,
) -> Path:
    """Write (rows, columns) or (layers, rows, columns) losslessly (reversible 5-3); no position without origin."""
    layers = array if array.ndim == 3 else array[None]
    path.parent.mkdir(parents=True, exist_ok=True)
    place = (
        {}
        if origin is None
        else {"crs": f"EPSG:{epsg}", "transform": Affine(pixel, 0, origin[0], 0, -pixel, origin[1])}
    )
    with rasterio.open(
        path,
        "w",
        driver="JP2OpenJPEG",
        width=layers.shape[2],
        height=layers.shape[1],
        count=layers.shape[0],
        dtype=layers.dtype,
        QUALITY=100,
        REVERSIBLE="YES",
        tiled=True,  # else rasterio drops the width of the blocks
        BLOCKXSIZE=block,
        BLOCKYSIZE=block,
        **place,
        **options,
    ) as dataset:
        dataset.write(layers)
    return path


def scene(rows: int, columns: int, seed: int = 1) -> NDArray[np.uint16]:
    """A field of counts with structure and noise, no zero in it."""
    noise = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    field = 1500 + 300 * np.sin(x / 17) + 200 * np.cos(y / 23) + noise.normal(0, 20, (rows, columns))
    return field.clip(1, 65535).astype(np.uint16)
