"""A series as detectors see it: times in days, values, their uncertainties, and up to when it is known.

Times are float days since 1970-01-01T00:00 UTC; :func:`days_of` turns ``datetime64`` into them.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import Any

import numpy as np

YEAR = 365.25
"""Days of a year, of which slopes and seasons are told."""


@dataclass(frozen=True)
class Series:
    """Finite values in order of time; made by :func:`series_of`.

    Attributes:
        times: float64 (n,), days since 1970-01-01 UTC, not falling; equal times are allowed (two products of one
            moment).
        values: float64 (n,), finite, in the metric's unit.
        uncertainties: float64 (n,), standard uncertainties (k = 1) in the same unit, NaN where there is none; or None.
        until: the moment up to which the series is known, in days; what came later has not been looked for.
        missing: how many values were NaN and have been left out.
    """

    times: np.ndarray
    values: np.ndarray
    uncertainties: np.ndarray | None
    until: float
    missing: int = 0

    def __len__(self) -> int:
        return len(self.times)

    @property
    def years(self) -> float:
        """From the first value to the last."""
        return float(self.times[-1] - self.times[0]) / YEAR if len(self.times) else 0.0

    def first(self, count: int) -> Series:
        """The series as it was known when its value number ``count`` had just come."""
        known = None if self.uncertainties is None else self.uncertainties[:count]
        until = float(self.times[count - 1]) if count else self.until
        return Series(self.times[:count], self.values[:count], known, until)


def series_of(times: Any, values: Any, uncertainties: Any = None, until: Any = None) -> Series:
    """A series from plain sequences, in any order.

    ``times``: days (float) or ``datetime64``. NaN values are missing and left out. ``uncertainties`` that are NaN or
    not positive count as unknown. ``until`` is the last time when it is not given.

    Raises:
        ValueError: shapes differ, a time is not finite, a value is infinite, or ``until`` lies before the last time.
    """
    days = days_of(times)
    numbers = np.asarray(values, dtype=np.float64)
    if days.ndim != 1 or numbers.shape != days.shape:
        raise ValueError(f"times {days.shape} and values {numbers.shape} must be of one length")
    if not np.isfinite(days).all():
        raise ValueError("a time is not finite")
    if np.isinf(numbers).any():
        raise ValueError(f"value {int(np.argmax(np.isinf(numbers)))} is infinite; a missing value is NaN")
    there = ~np.isnan(numbers)
    order = np.argsort(days[there], kind="stable")
    known = None
    if uncertainties is not None:
        known = np.asarray(uncertainties, dtype=np.float64)
        if known.shape != days.shape:
            raise ValueError(f"times {days.shape} and uncertainties {known.shape} must be of one length")
        known = known[there][order]
        known = np.where(np.isfinite(known) & (known > 0), known, np.nan)
    ordered = days[there][order]
    newest = float(ordered[-1]) if len(ordered) else float("-inf")
    end = newest if until is None else float(days_of([until])[0])
    if end < newest:
        raise ValueError("the series has values later than the moment up to which it is known")
    return Series(ordered, numbers[there][order], known, end, int(len(days) - there.sum()))


def days_of(times: Any) -> np.ndarray:
    """Days since 1970-01-01 UTC, float64, of ``datetime64`` or of what are days already. NaT becomes NaN."""
    given = np.asarray(times)
    if given.dtype.kind != "M":
        return np.asarray(given, dtype=np.float64)
    days = given.astype("datetime64[us]").astype(np.int64) / 86_400e6
    return np.where(np.isnat(given), np.nan, days)


def datetime_of(days: float) -> np.datetime64:
    """The moment (UTC) of a number of days, to the microsecond."""
    return np.datetime64(round(days * 86_400e6), "us")


def date_text(days: float) -> str:
    """The date for people, e.g. 2026-03-14."""
    return str(datetime_of(days))[:10]


def weights_of(uncertainties: np.ndarray | None, count: int) -> np.ndarray:
    """Relative weights (count,): 1 for a value of the usual uncertainty (the median so far), less for a worse one.

    Bounded to 0.04 ... 4, since a value that claims to be far better than its neighbours is still one value of a series
    that scatters for other reasons too. Without uncertainties all weigh 1.
    """
    if uncertainties is None or np.isnan(uncertainties).all():
        return np.ones(count)
    ordered: list[float] = []
    weights = np.ones(count)
    for i, own in enumerate(uncertainties):
        if not np.isnan(own):
            insort(ordered, float(own))
            half = len(ordered) // 2
            usual = (ordered[half] + ordered[~half]) / 2
            weights[i] = min(max((usual / own) ** 2, 0.04), 4.0)
    return weights
