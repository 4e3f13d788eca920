"""Exact statistics of images from integer histograms. Pure: numpy and numba only."""

from qc.statistics.image import (
    NO_DATA,
    PERCENTILES,
    SATURATED,
    BandStatistics,
    CountStatistics,
    DisplayHistogram,
    band_statistics,
    class_counts,
    count_statistics,
    display_histogram,
)
from qc.statistics.kernel import LEVELS, histogram_by_detector
from qc.statistics.steps import DetectorStep, detector_steps, weighted_step

__all__ = [
    "LEVELS",
    "NO_DATA",
    "PERCENTILES",
    "SATURATED",
    "BandStatistics",
    "CountStatistics",
    "DetectorStep",
    "DisplayHistogram",
    "band_statistics",
    "class_counts",
    "count_statistics",
    "detector_steps",
    "display_histogram",
    "histogram_by_detector",
    "weighted_step",
]
