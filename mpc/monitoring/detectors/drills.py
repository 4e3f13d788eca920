"""Fault drills: series of known truth, known faults, and how detectors fare on them.

A drill makes series (or copies real ones that are handed in), plants one fault in each, runs a detector and tells how
many it found, how soon, and how often it cried without cause. All is *online*: a fault counts as found by what was
known at most ``within`` points after it, and a finding that was ever made counts as false even if a later run takes it
back. Detectors that look at a whole series (drift, silence) are run again as the series grows. Everything is drawn from
one seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from mpc.monitoring.detectors.registry import detect
from mpc.monitoring.detectors.series import YEAR, Series

FIRST_DAY = 16_983.0
"""2016-07-01: any day will do, the phase of the season is drawn."""


@dataclass(frozen=True)
class Recipe:
    """How series are made. All sizes are in standard deviations of the noise (``sigma``, in the metric's unit).

    ``correlation``: of neighbours (AR(1)). ``outliers``: share of values that are 5 to 15 sigma off, up or down.
    ``season``: amplitude of the yearly course, whose second harmonic has three tenths of it. ``points``: a year, at
    gaps that scatter by ``jitter`` (standard deviation over mean, gamma distributed; 0 for a fixed step).
    """

    years: float = 3.0
    points: float = 120.0
    correlation: float = 0.3
    outliers: float = 0.01
    season: float = 1.0
    jitter: float = 0.5
    level: float = 1.0
    sigma: float = 0.001

    @property
    def cadence_days(self) -> float:
        return YEAR / self.points

    @property
    def count(self) -> int:
        return round(self.years * self.points)


@dataclass(frozen=True)
class Fault:
    """What is planted. ``kind``: step, drift (a year), noise (relative), dead (constant 0), frozen (last value),
    missing.

    ``size`` in sigmas for steps, drifts and outliers, relative for noise, unused else. Their sign is drawn.
    """

    kind: str
    size: float = 0.0
    title: str = ""


GAIN_STEP = Fault("step", 3.0, "gain step of 0.3 %")
GAIN_DRIFT = Fault("drift", 5.0, "drift of 0.5 % a year")
MORE_NOISE = Fault("noise", 0.1, "noise +10 %")
TWICE_NOISE = Fault("noise", 1.0, "noise +100 %")
OUTLIER = Fault("outlier", 8.0, "outlier of 8 sigma")
DEAD = Fault("dead", 0.0, "one dead detector")
FROZEN = Fault("frozen", 0.0, "one frozen detector")
MISSING = Fault("missing", 0.0, "missing data")
"""In sigmas of 0.1 % of the level, as ``Recipe`` makes them."""


@dataclass(frozen=True)
class Share:
    """``hits`` of ``trials`` with the interval of 95 % (Wilson 1927)."""

    hits: int
    trials: int

    @property
    def value(self) -> float:
        return self.hits / self.trials if self.trials else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        if not self.trials:
            return (0.0, 1.0)
        z, n, p = NormalDist().inv_cdf(0.975), self.trials, self.value
        middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return ((middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n))


@dataclass(frozen=True)
class Rate:
    """``events`` in ``years`` of series, with the interval of 95 % of a Poisson rate."""

    events: int
    years: float

    @property
    def value(self) -> float:
        return self.events / self.years if self.years else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Byar's approximation to the exact limits."""
        z, k = NormalDist().inv_cdf(0.975), self.events
        low = k * (1 - 1 / (9 * k) - z / (3 * math.sqrt(k))) ** 3 if k else 0.0
        high = (k + 1) * (1 - 1 / (9 * (k + 1)) + z / (3 * math.sqrt(k + 1))) ** 3
        return (low / self.years, high / self.years)


@dataclass(frozen=True)
class Record:
    """How a detector fared.

    ``detected``: faults found within ``within`` points (or their time, where points no longer come); ``ever``: by the
    end of the series. Latencies are of all that were found by the end: points and days from the first faulty point to
    the one that revealed it, median and 90th percentile. ``false``: findings on series without fault.
    """

    detector: str
    fault: str
    cadence_days: float
    within: int
    detected: Share
    ever: Share
    false: Rate
    points_median: float = math.nan
    points_90: float = math.nan
    days_median: float = math.nan
    days_90: float = math.nan
    notes: dict[str, float] = field(default_factory=dict)


# --- Making and planting -------------------------------------------------------------------------------------------
def make_series(recipe: Recipe, count: int, seed: int) -> list[Series]:
    """``count`` series without fault; the same for the same seed."""
    generator = np.random.default_rng(seed)
    return [_one(recipe, generator, _times(recipe, generator)) for _ in range(count)]


def make_family(recipe: Recipe, bands: int, detectors: int, shared: float, seed: int) -> dict[tuple[int, int], Series]:
    """Series of one unit, all at the same times; ``shared`` is the part of the variance that they have in common."""
    generator = np.random.default_rng(seed)
    times = _times(recipe, generator)
    common = ar1(generator, len(times), recipe.correlation)
    made = {}
    for band in range(bands):
        for detector in range(detectors):
            own = _one(replace(recipe, level=0.0, sigma=1.0), generator, times)
            values = math.sqrt(1 - shared) * own.values + math.sqrt(shared) * common
            made[band, detector] = replace(own, values=recipe.level + recipe.sigma * values)
    return made


def ar1(generator: np.random.Generator, count: int, correlation: float) -> np.ndarray:
    """Stationary noise of standard deviation 1."""
    fresh = generator.standard_normal(count) * math.sqrt(1 - correlation**2)
    fresh[:1] /= math.sqrt(1 - correlation**2)
    for i in range(1, count):
        fresh[i] += correlation * fresh[i - 1]
    return fresh


def _times(recipe: Recipe, generator: np.random.Generator) -> np.ndarray:
    gaps = np.ones(recipe.count)
    if recipe.jitter:
        shape = recipe.jitter**-2
        gaps = generator.gamma(shape, 1 / shape, recipe.count)
    return FIRST_DAY + recipe.cadence_days * np.cumsum(gaps)


def _one(recipe: Recipe, generator: np.random.Generator, times: np.ndarray) -> Series:
    values = ar1(generator, len(times), recipe.correlation)
    phase = generator.uniform(0, 2 * math.pi, 2)
    angle = 2 * math.pi * times / YEAR
    values += recipe.season * (np.sin(angle + phase[0]) + 0.3 * np.sin(2 * angle + phase[1]))
    spoiled = generator.random(len(times)) < recipe.outliers
    values += spoiled * generator.choice([-1.0, 1.0], len(times)) * generator.uniform(5, 15, len(times))
    return Series(times, recipe.level + recipe.sigma * values, None, float(times[-1]))


def plant(series: Series, fault: Fault, at: int, sigma: float, sign: float = 1.0) -> Series:
    """A copy of ``series`` with the fault from point ``at`` on; the original is left as it is.

    ``sigma``: standard deviation of the noise, in the metric's unit.

    Raises:
        ValueError: an unknown kind of fault, or a place outside the series.
    """
    if not 0 < at < len(series):
        raise ValueError(f"a series of {len(series)} points has no place {at} for a fault")
    values = series.values.copy()
    after = slice(at, None)
    if fault.kind == "step":
        values[after] += sign * fault.size * sigma
    elif fault.kind == "drift":
        values[after] += sign * fault.size * sigma * (series.times[after] - series.times[at]) / YEAR
    elif fault.kind == "noise":
        values[after] += fault.size * _fast_part(values)[after]
    elif fault.kind == "outlier":
        values[at] += sign * fault.size * sigma
    elif fault.kind == "dead":
        values[after] = 0.0
    elif fault.kind == "frozen":
        values[after] = values[at - 1]
    elif fault.kind == "missing":
        return Series(series.times[:at], values[:at], _first(series, at), series.until)
    else:
        raise ValueError(f"no fault “{fault.kind}”; known are step, drift, noise, outlier, dead, frozen, missing")
    return replace(series, values=values)


def _first(series: Series, at: int) -> np.ndarray | None:
    return None if series.uncertainties is None else series.uncertainties[:at]


def _fast_part(values: np.ndarray) -> np.ndarray:
    """The values less the median of the 15 around each: what scatters, without season, drift and level."""
    padded = np.pad(values, 7, mode="reflect") if len(values) > 7 else np.pad(values, 7, mode="edge")
    return values - np.median(np.lib.stride_tricks.sliding_window_view(padded, 15), axis=1)


def noise_of_real(series: Series) -> float:
    """Standard deviation of the noise of a real series, for faults stated in sigmas: from its differences."""
    from mpc.monitoring.detectors.noise import difference_noise

    return difference_noise(series.values).sigma


# --- Running -------------------------------------------------------------------------------------------------------
Online = Callable[[Series], list[tuple[float, float]]]
"""Of a series: what was found, each as (time of finding, earliest time at which it can have happened), as on the
day."""


def online(code: str, params: Any = None, every: int = 0) -> Online:
    """A detector as it runs day by day.

    Detectors whose scan is the same on the day and afterwards run once (``every`` 0); others run again at every
    ``every``-th point, and count when their verdict begins.
    """

    def once(series: Series) -> list[tuple[float, float]]:
        return [(one.found, one.interval_start) for one in detect(code, series, params)]

    def again(series: Series) -> list[tuple[float, float]]:
        found: list[tuple[float, float]] = []
        standing = False
        for count in range(every, len(series) + 1, every):
            verdict = detect(code, series.first(count), params)
            if verdict and not standing:
                found.append((float(series.times[count - 1]), verdict[0].interval_start))
            standing = bool(verdict)
        return found

    return again if every else once


def online_silence(params: Any = None) -> Online:
    """Silence as a clock finds it: the deadline after each point, where the next came later or not at all."""
    from mpc.monitoring.detectors.silence import silence_at

    def walk(series: Series) -> list[tuple[float, float]]:
        found = []
        ends = np.append(series.times[1:], series.until)
        for count, end in enumerate(ends, start=1):
            state = silence_at(series.first(count), float(end), params)
            if state is not None and state.silent and state.deadline is not None:
                found.append((state.deadline, state.last))
        return found

    return walk


def drill(
    detector: str,
    run: Online,
    series: Sequence[Series],
    fault: Fault,
    sigma: float,
    *,
    within: int = 12,
    places: tuple[float, float] = (1 / 3, 1.0),
    seed: int = 1,
    false: Rate | None = None,
) -> Record:
    """Plant ``fault`` in a copy of each of ``series`` and see what ``run`` makes of it.

    The place is drawn between the two parts of the series in ``places``, and leaves ``within`` points behind it. A
    finding counts for the fault when it was made at the fault or later. ``false`` is the rate on the same series
    without fault, if it has been told already.
    """
    generator = np.random.default_rng(seed)
    latencies: list[tuple[float, float]] = []
    soon = 0
    for one in series:
        first, last = int(places[0] * len(one)), min(int(places[1] * len(one)), len(one) - within)
        at = int(generator.integers(first, max(last, first + 1)))
        spoiled = plant(one, fault, at, sigma, float(generator.choice([-1.0, 1.0])))
        begin = float(one.times[at])
        moments = [moment for moment, _ in run(spoiled) if moment >= begin]
        if not moments:
            continue
        # Points that have come since the fault, the first faulty one included; of missing ones, as many as were due.
        points = float(np.searchsorted(one.times, min(moments), side="right") - at)
        latencies.append((points, min(moments) - begin))
        soon += points <= within
    points_of, days_of = zip(*latencies, strict=True) if latencies else ((), ())
    return Record(
        detector=detector,
        fault=fault.title or fault.kind,
        cadence_days=float(np.median([np.median(np.diff(one.times)) for one in series])),
        within=within,
        detected=Share(soon, len(series)),
        ever=Share(len(latencies), len(series)),
        false=false_alarms(run, series) if false is None else false,
        points_median=_quantile(points_of, 0.5),
        points_90=_quantile(points_of, 0.9),
        days_median=_quantile(days_of, 0.5),
        days_90=_quantile(days_of, 0.9),
    )


def false_alarms(run: Online, series: Iterable[Series]) -> Rate:
    """Findings on series without fault, each that was ever made."""
    kept = list(series)
    return Rate(sum(len(run(one)) for one in kept), sum(one.years for one in kept))


def _quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else math.nan
