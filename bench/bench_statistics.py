"""``statistics-kernel``: counting a 10 m band by detector against numpy's bincount of the counts alone."""

from __future__ import annotations

import numpy as np

from bench.floors.histogram import count_values
from bench.harness import Figure, compare
from bench.registry import bench
from qc.statistics.kernel import histogram_by_detector

SIDE = 5490


@bench("statistics-kernel")
def statistics_kernel() -> Figure:
    generator = np.random.default_rng(1)
    smooth = np.cumsum(generator.normal(0, 6, (SIDE, SIDE)), axis=1) + 2500
    counts = np.clip(smooth + generator.normal(0, 15, (SIDE, SIDE)), 1, 65534).astype(np.uint16)
    detectors = np.repeat(np.arange(1, 13, dtype=np.uint8), SIDE // 12 + 1)[:SIDE][None, :].repeat(SIDE, axis=0)
    figure = compare(
        "statistics-kernel",
        lambda: histogram_by_detector(counts, detectors),
        lambda: count_values(counts),
        by="cpu",
        detail={"pixels": counts.size, "floor": "numpy.bincount of the counts, without detectors"},
    )
    return figure
