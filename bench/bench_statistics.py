"""``statistics-kernel``: counting a 10 m band by detector against numpy's bincount of the counts alone."""

from __future__ import annotations

import numpy as np

from bench.floors.histogram import count_values
from bench.harness import Figure, Options, compare
from bench.registry import bench
from qc.statistics.kernel import histogram_by_detector

SIDE = 5490


@bench("statistics-kernel")
def statistics_kernel(options: Options) -> Figure:
    """Counting a band of 5490 x 5490 pixels by detector, against numpy's bincount of the counts alone."""
    side = 512 if options.tiny else SIDE
    generator = np.random.default_rng(1)
    smooth = np.cumsum(generator.normal(0, 6, (side, side)), axis=1) + 2500
    counts = np.clip(smooth + generator.normal(0, 15, (side, side)), 1, 65534).astype(np.uint16)
    detectors = np.repeat(np.arange(1, 13, dtype=np.uint8), side // 12 + 1)[:side][None, :].repeat(side, axis=0)
    return compare(
        "statistics-kernel",
        lambda: histogram_by_detector(counts, detectors),
        lambda: count_values(counts),
        by="cpu",
        pairs=options.pairs,
        detail={"pixels": counts.size, "floor": "numpy.bincount of the counts, without detectors"},
    )
