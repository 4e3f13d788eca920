"""The least that reading a JPEG 2000 image costs: rasterio decoding it whole, and nothing else."""

import rasterio


def decode(path: str, threads: int) -> None:
    with rasterio.Env(GDAL_NUM_THREADS=str(threads)), rasterio.open(path) as image:
        image.read()
