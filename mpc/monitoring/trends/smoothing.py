"""Moving medians. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort

import numpy as np
from numpy.typing import NDArray

FEWEST = 3
"""Points that a window must hold: the median of fewer is no smoothing."""


def moving_median(
    times: NDArray[np.datetime64], values: NDArray[np.float64], window: np.timedelta64
) -> NDArray[np.float64]:
    """Median of the values within half a ``window`` before and after each point, both ends included.

    Args:
        times: (n,) in order of time.
        values: (n,), any unit; NaN are left out.
        window: whole width.

    Returns:
        (n,) in the unit of the values; NaN where the window holds fewer than three.
    """
    if not len(times):
        return np.empty(0)
    at = times.astype("datetime64[us]").astype(np.int64)
    half = int(window.astype("timedelta64[us]").astype(np.int64)) // 2
    first = np.searchsorted(at, at - half, side="left")
    last = np.searchsorted(at, at + half, side="right")
    return np.array(_medians(values.tolist(), first.tolist(), last.tolist()), np.float64)


def _medians(values: list[float], first: list[int], last: list[int]) -> list[float]:
    """Medians of values[first:last]. The sorted window moves along: what leaves is taken out, what comes put in."""
    found = []
    window: list[float] = []
    begin = end = 0
    for start, stop in zip(first, last, strict=True):
        for value in values[end:stop]:
            if value == value:  # no NaN
                insort(window, value)
        for value in values[begin:start]:
            if value == value:
                del window[bisect_left(window, value)]
        begin, end = start, stop
        held, middle = len(window), len(window) // 2
        if held < FEWEST:
            found.append(float("nan"))
        else:
            found.append(window[middle] if held % 2 else 0.5 * (window[middle - 1] + window[middle]))
    return found
