"""Outliers: single values far from their neighbours in time.

A value is compared with the median of the ``before`` values before it. The limit is in units of the scatter of a single
value about such a median, its own uncertainty included; the scatter is told of the last ``memory`` comparisons,
robustly. A value is an outlier only when ``back`` further ones have come, and most of these are back near the median:
else it may begin a step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mpc.jobs.params import param
from mpc.monitoring.detectors.noise import robust_scale
from mpc.monitoring.detectors.series import Series


@dataclass(frozen=True)
class OutlierParams:
    threshold: float = param(5.0, help="Distance from which a value is an outlier", minimum=2.5, unit="sigma")
    before: int = param(9, help="Values before it with which it is compared", minimum=3, maximum=60, unit="points")
    memory: int = param(120, help="Comparisons of which the scatter is told", minimum=12, unit="points")
    memory_least: int = param(15, help="Comparisons needed before the first verdict", minimum=6, unit="points")
    back: int = param(2, help="Values after it that must be back (0: told at once)", minimum=0, maximum=10)


@dataclass(frozen=True)
class Outlier:
    """``distance`` from ``expected`` (the median before), its standard ``uncertainty``; ``found``: when it was sure."""

    index: int
    time: float
    value: float
    expected: float
    distance: float
    uncertainty: float
    score: float
    found_index: int
    found: float


def find_outliers(series: Series, params: OutlierParams | None = None) -> list[Outlier]:
    """Outliers in order of time, each told by values up to ``back`` points later only; none in a series too short, nor
    where the values before do not scatter at all."""
    p = params or OutlierParams()
    count = len(series)
    if count <= p.before + p.memory_least:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(series.values, p.before)[:-1]
    expected = np.concatenate([np.full(p.before, np.nan), np.median(windows, axis=1)])
    distance = series.values - expected
    known = np.zeros(count) if series.uncertainties is None else np.nan_to_num(series.uncertainties)
    usual = float(np.median(known))
    found = []
    for i in range(p.before + p.memory_least, count - p.back):
        scale = robust_scale(distance[max(p.before, i - p.memory) : i])
        if scale == 0 or abs(distance[i]) <= p.threshold * scale:
            continue
        uncertainty = math.sqrt(scale**2 + max(known[i] ** 2 - usual**2, 0.0))
        score = abs(distance[i]) / uncertainty
        later = np.abs(series.values[i + 1 : i + 1 + p.back] - expected[i])
        if score <= p.threshold or 2 * int((later > p.threshold * scale / 2).sum()) > p.back:
            continue
        found.append(
            Outlier(
                index=i,
                time=float(series.times[i]),
                value=float(series.values[i]),
                expected=float(expected[i]),
                distance=float(distance[i]),
                uncertainty=uncertainty,
                score=score,
                found_index=i + p.back,
                found=float(series.times[i + p.back]),
            )
        )
    return found
