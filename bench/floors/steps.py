"""The least that a step scan can be: the plain windowed t of all places, by cumulative sums."""

from __future__ import annotations

import numpy as np


def windowed_t(values: np.ndarray, before: int = 36, after: int = 8) -> np.ndarray:
    """|mean of the next ``after`` values - mean of the last ``before``| over its uncertainty; one scatter for all."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(before, len(values) - after + 1)
    late = (sums[places + after] - sums[places]) / after
    early = (sums[places] - sums[places - before]) / before
    return np.abs(late - early) / (values.std() * np.sqrt(1 / after + 1 / before))
