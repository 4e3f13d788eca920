"""Exact statistics of images from integer histograms. Pure: numpy and numba only."""

from qc.statistics.image import (
    PERCENTILES,
    BandStatistics,
    CountStatistics,
    DisplayHistogram,
    band_statistics,
    class_counts,
    count_statistics,
    display_histogram,
)
from qc.statistics.kernel import LEVELS, histogram_by_detector

__all__ = [
    "LEVELS",
    "PERCENTILES",
    "BandStatistics",
    "CountStatistics",
    "DisplayHistogram",
    "band_statistics",
    "class_counts",
    "count_statistics",
    "display_histogram",
    "histogram_by_detector",
]
