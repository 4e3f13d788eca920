"""Work that writes more than a small disk holds."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import rasterio

from mpc.jobs import Artifact, Context, Inputs, Outcome, param


@dataclass(frozen=True)
class WriteParams:
    kilobytes: int = param(help="How much to write", minimum=1, maximum=100_000)


def write_plain(params: WriteParams, inputs: Inputs, context: Context) -> Outcome:
    with (context.workdir / "out.bin").open("wb") as file:
        for _ in range(params.kilobytes):
            file.write(os.urandom(1024))
    return Outcome(summary="written", artifacts=(Artifact("out", "out.bin", "application/octet-stream"),))


def write_picture(params: WriteParams, inputs: Inputs, context: Context) -> Outcome:
    """A picture of noise, written by GDAL."""
    rows = max(params.kilobytes, 8)
    noise = np.random.default_rng(1).integers(0, 256, (1, rows, 1024), dtype=np.uint8)
    place = context.workdir / "out.png"
    with rasterio.open(place, "w", driver="PNG", width=1024, height=rows, count=1, dtype="uint8") as target:
        target.write(noise)
    return Outcome(summary="written", artifacts=(Artifact("out", "out.png", "image/png"),))
