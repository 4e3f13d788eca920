"""``read-band``: reading a JPEG 2000 band with all that proves it whole, against rasterio decoding it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import rasterio

from bench.floors.decode import decode
from bench.harness import Figure, Options, compare
from bench.registry import bench
from mpc.msi.images import read_image
from mpc.msi.jp2 import check_codestream

SIDE = 5490


def _write_band(path: Path, side: int) -> None:
    generator = np.random.default_rng(2)
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    image = 2500 + 800 * np.sin(rows / 173) * np.cos(columns / 211) + generator.normal(0, 20, (side, side))
    profile = {
        "driver": "JP2OpenJPEG",
        "width": side,
        "height": side,
        "count": 1,
        "dtype": "uint16",
        "QUALITY": "100",
        "REVERSIBLE": "YES",
        "BLOCKXSIZE": 1024,
        "BLOCKYSIZE": 1024,
        "RESOLUTIONS": 6,
    }
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.clip(image, 1, 65534).astype(np.uint16), 1)


@bench("read-band")
def read_band(options: Options) -> Figure:
    """Reading a JPEG 2000 band with all that proves it whole, against rasterio decoding it."""
    side = 512 if options.tiny else SIDE
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "B05.jp2"
        _write_band(path, side)

        def ours() -> None:
            with path.open("rb") as stream:
                check_codestream(stream, path.stat().st_size)
            read = read_image(str(path), threads=2)
            if read.array is None or read.gdal_errors:
                raise RuntimeError(f"the band could not be read: {read.exception or read.gdal_errors}")

        return compare(
            "read-band",
            ours,
            lambda: decode(str(path), 2),
            by="cpu",
            pairs=options.pairs,
            detail={
                "pixels": side * side,
                "bytes": path.stat().st_size,
                "floor": "rasterio, two threads, nothing else",
            },
        )
