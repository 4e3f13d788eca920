"""Series with known truth for the tests: AR(1) noise of standard deviation 1, many at once."""

from __future__ import annotations

import numpy as np

from mpc.monitoring.detectors import Series, series_of

START = 20_000.25
EVERY = 3.0


def noise(seed: int, trials: int, count: int, correlation: float = 0.0) -> np.ndarray:
    """(trials, count): stationary AR(1) noise."""
    fresh = np.random.default_rng(seed).standard_normal((trials, count))
    values = fresh.copy()
    for i in range(1, count):
        values[:, i] = correlation * values[:, i - 1] + (1 - correlation**2) ** 0.5 * fresh[:, i]
    return values


def times(count: int, every: float = EVERY) -> np.ndarray:
    return START + every * np.arange(count)


def series(values: object, every: float = EVERY, uncertainties: object = None) -> Series:
    numbers = np.asarray(values, float)
    return series_of(times(len(numbers), every), numbers, uncertainties)
