"""Robust statistics of many buckets at once, in one pass over sorted values. No database, no Django."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True)
class Buckets:
    """Statistics of buckets, one element each, by ascending key. Floats are in the metric's unit.

    ``median``, ``low`` (5 %) and ``high`` (95 %) interpolate linearly between the two nearest values (Hyndman and Fan
    1996, type 7). ``spread`` is the sample standard deviation (n - 1), NaN for one value. ``uncertainty`` is the
    standard uncertainty of the mean from those of the values, taken as independent: sqrt(sum u^2) / n; NaN when any
    value has none. ``samples`` is the sum of the sample sizes.
    """

    key: Integers
    count: Integers
    samples: Integers
    mean: Floats
    median: Floats
    low: Floats
    high: Floats
    minimum: Floats
    maximum: Floats
    spread: Floats
    uncertainty: Floats
    out_of_limits: Integers

    def __len__(self) -> int:
        return len(self.key)

    def chosen(self, wanted: NDArray[np.bool_]) -> Buckets:
        return Buckets(*(getattr(self, field.name)[wanted] for field in fields(self)))


def statistics_of(
    key: Integers, value: Floats, uncertainty: Floats, samples: Integers, outside: NDArray[np.bool_]
) -> Buckets:
    """Statistics of the buckets named by ``key`` (any order). All arrays have one element a value.

    ``value`` is finite, ``uncertainty`` NaN where there is none. The result does not depend on the order of the values,
    to the last bit: they are sorted before anything is summed.
    """
    order = np.lexsort((uncertainty, value, key))
    key, value, uncertainty = key[order], value[order], uncertainty[order]
    samples, outside = samples[order], outside[order]
    if not len(key):
        none, nothing = np.zeros(0), np.zeros(0, dtype=np.int64)
        return Buckets(nothing, nothing, nothing, none, none, none, none, none, none, none, none, nothing)
    start = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    count = np.diff(np.r_[start, len(key)])
    minimum, maximum = value[start], value[start + count - 1]
    # Rounding may carry the mean of equal values a bit past them.
    mean = np.clip(np.add.reduceat(value, start) / count, minimum, maximum)
    deviation = value - np.repeat(mean, count)
    squares = np.add.reduceat(deviation * deviation, start)
    spread = np.full(len(start), np.nan)
    several = count > 1
    spread[several] = np.sqrt(squares[several] / (count[several] - 1))
    return Buckets(
        key=key[start],
        count=count,
        samples=np.add.reduceat(samples, start),
        mean=mean,
        median=_quantile(value, start, count, 0.5),
        low=_quantile(value, start, count, LOW),
        high=_quantile(value, start, count, HIGH),
        minimum=minimum,
        maximum=maximum,
        spread=spread,
        uncertainty=np.sqrt(np.add.reduceat(uncertainty * uncertainty, start)) / count,
        out_of_limits=np.add.reduceat(outside.astype(np.int64), start),
    )


def _quantile(value: Floats, start: Integers, count: Integers, share: float) -> Floats:
    place = (count - 1) * share
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, count - 1)
    low, high = value[start + below], value[start + above]
    return low + (high - low) * (place - below)
