"""Statistics with which the mission is watched: pure functions of numpy arrays.

Nothing here knows a database, a setting, a file or a clock. :func:`detect` runs a detector by its code on a
:class:`Series`; the modules hold the methods, one each.
"""

from mpc.monitoring.detectors.compliance import STATISTICS, Margin, Statistic, margin, statistic_of
from mpc.monitoring.detectors.drift import Breach, Drift, find_drift, predicted_breach, theil_sen
from mpc.monitoring.detectors.explain import Event, Explained, Explanation, Part, explain
from mpc.monitoring.detectors.finding import KINDS, Finding
from mpc.monitoring.detectors.registry import (
    Detector,
    UnknownDetector,
    all_detectors,
    detect,
    get_detector,
    register,
)
from mpc.monitoring.detectors.season import Season, remove_season
from mpc.monitoring.detectors.series import YEAR, Series, datetime_of, days_of, series_of
from mpc.monitoring.detectors.silence import Pace, Silence, pace_of, silence_at

__all__ = [
    "KINDS",
    "STATISTICS",
    "YEAR",
    "Breach",
    "Detector",
    "Drift",
    "Event",
    "Explained",
    "Explanation",
    "Finding",
    "Margin",
    "Pace",
    "Part",
    "Season",
    "Series",
    "Silence",
    "Statistic",
    "UnknownDetector",
    "all_detectors",
    "datetime_of",
    "days_of",
    "detect",
    "explain",
    "find_drift",
    "get_detector",
    "margin",
    "pace_of",
    "predicted_breach",
    "register",
    "remove_season",
    "series_of",
    "silence_at",
    "statistic_of",
    "theil_sen",
]
