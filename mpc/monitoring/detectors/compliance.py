"""The statistics of which requirements speak, each with its standard uncertainty (k = 1), and the margin to a limit.

A percentile is read between two sorted values at position (n - 1) p (definition 7 of Hyndman and Fan 1996). Its
uncertainty needs no bootstrap: the number of values below the true percentile is binomial, so the sorted values at
ranks n p -+ sqrt(n p (1 - p)) enclose it with 68 % (David and Nagaraja, Order Statistics, section 7.1). Where the upper
rank lies beyond the largest value there are too few samples, and the result says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mpc.monitoring.detectors.noise import effective_size, lag_one, robust_scale


@dataclass(frozen=True)
class Statistic:
    """One statistic of a sample.

    Attributes:
        code: as in ``STATISTICS``.
        value: in the unit of the values; NaN for an empty sample.
        uncertainty: one standard uncertainty, None where none can be told; ``note`` says why.
        low, high: the interval of 68 % where it is not symmetric (percentiles), else value -+ uncertainty.
        samples: how many values.
        enough: whether the sample is large enough to speak of this statistic at all.
    """

    code: str
    value: float
    uncertainty: float | None
    low: float
    high: float
    samples: int
    enough: bool = True
    note: str = ""


@dataclass(frozen=True)
class Margin:
    """How far a value is within its limits: positive within, negative beyond, in the value's unit.

    ``relative`` is the margin in units of the limit (NaN for a limit of 0), ``sigmas`` in standard uncertainties of the
    value (None where it has none); ``limit`` is the nearer one.
    """

    margin: float
    relative: float
    sigmas: float | None
    limit: float

    @property
    def within(self) -> bool:
        return self.margin >= 0


def mean(values: np.ndarray) -> Statistic:
    """Mean with s / sqrt(n_eff), neighbours in time being correlated; ``values`` (n,) in order of time, NaN left
    out."""
    known = _known(values)
    if not len(known):
        return _nothing("mean")
    value = math.fsum(known) / len(known)
    if len(known) < 2:
        return Statistic("mean", value, None, math.nan, math.nan, 1, True, "one value does not show how it scatters")
    rho = lag_one(known - np.median(known))
    uncertainty = float(np.std(known, ddof=1)) / math.sqrt(effective_size(len(known), rho))
    return Statistic("mean", value, uncertainty, value - uncertainty, value + uncertainty, len(known))


def median(values: np.ndarray) -> Statistic:
    """Median with the interval of its ranks; neighbours in time being correlated, n_eff stands for n in their
    spread."""
    known = _known(values)
    rho = lag_one(known - np.median(known)) if len(known) else 0.0
    return _quantile("median", known, 0.5, effective_size(len(known), rho) if len(known) else 0.0)


def percentile(values: np.ndarray, percent: float, code: str = "") -> Statistic:
    """Percentile ``percent`` (between 0 and 100) of ``values`` (n,), taken as independent; NaN left out."""
    if not 0 < percent < 100:
        raise ValueError(f"a percentile lies between 0 and 100, not at {percent:g}")
    known = _known(values)
    return _quantile(code or f"p{percent:g}", known, percent / 100, float(len(known)))


def circular_error(radii: np.ndarray, percent: float) -> Statistic:
    """CE90, CE95: the radius within which ``percent`` of the points lie; ``radii`` (n,) are errors that are radial
    already.

    Raises:
        ValueError: a radius is negative.
    """
    known = _known(radii)
    if (known < 0).any():
        raise ValueError("a radial error is not negative")
    return percentile(known, percent, f"ce{percent:g}")


def maximum(values: np.ndarray) -> Statistic:
    """Largest value. It grows with the sample and has no standard uncertainty of its own; that of the values is
    theirs."""
    known = _known(values)
    if not len(known):
        return _nothing("maximum")
    value = float(known.max())
    return Statistic("maximum", value, None, value, value, len(known), True, "a maximum grows with the sample")


def scatter(values: np.ndarray) -> Statistic:
    """Robust standard deviation about the median, with s / sqrt(2 (n - 1))."""
    known = _known(values)
    if len(known) < 2:
        return _nothing("scatter") if not len(known) else Statistic(
            "scatter", math.nan, None, math.nan, math.nan, 1, False, "one value does not show how it scatters"
        )  # fmt: skip
    value = robust_scale(known - np.median(known)) * math.sqrt(len(known) / (len(known) - 1))
    uncertainty = value / math.sqrt(2 * (len(known) - 1))
    return Statistic("scatter", value, uncertainty, value - uncertainty, value + uncertainty, len(known))


STATISTICS: dict[str, Callable[[np.ndarray], Statistic]] = {
    "mean": mean,
    "median": median,
    "p90": lambda values: percentile(values, 90),
    "p95": lambda values: percentile(values, 95),
    "p95.45": lambda values: percentile(values, 95.45),
    "p99.73": lambda values: percentile(values, 99.73),
    "ce90": lambda values: circular_error(values, 90),
    "ce95": lambda values: circular_error(values, 95),
    "maximum": maximum,
    "scatter": scatter,
}
"""Every statistic that a requirement may name: values (n,) in order of time -> its statistic."""


def statistic_of(code: str, values: np.ndarray) -> Statistic:
    """The statistic ``code`` of ``values`` (n,), NaN left out.

    Raises:
        ValueError: no such statistic, or an infinite value.
    """
    if code not in STATISTICS:
        raise ValueError(f"no statistic “{code}”; known are: {', '.join(STATISTICS)}")
    return STATISTICS[code](np.asarray(values, np.float64))


def margin(value: float, low: float | None, high: float | None, uncertainty: float | None = None) -> Margin | None:
    """The margin of ``value`` to the nearer of its limits; None without any limit, or for a value that is NaN."""
    if math.isnan(value):
        return None
    rooms = [(value - low, low)] if low is not None else []
    rooms += [(high - value, high)] if high is not None else []
    if not rooms:
        return None
    room, limit = min(rooms)
    return Margin(
        margin=room,
        relative=room / abs(limit) if limit else math.nan,
        sigmas=room / uncertainty if uncertainty else None,
        limit=limit,
    )


def samples_needed(share: float) -> int:
    """Values from which the 68 % interval of a percentile ends within the sample: n p + sqrt(n p (1 - p)) <= n."""
    odds = share / (1 - share)
    # Not 10 for 0.9 / 0.1 = 9.000000000000002.
    return math.ceil(max(odds, 1 / odds) - 1e-9)


def _known(values: np.ndarray) -> np.ndarray:
    numbers = np.asarray(values, np.float64)
    if np.isinf(numbers).any():
        raise ValueError("a value is infinite; a missing value is NaN")
    return numbers[~np.isnan(numbers)]


def _quantile(code: str, known: np.ndarray, share: float, effective: float) -> Statistic:
    count = len(known)
    if not count:
        return _nothing(code)
    ordered = np.sort(known)
    value = _at(ordered, (count - 1) * share)
    needed = samples_needed(share)
    if effective < max(needed, 2):
        note = f"{effective:.0f} independent values; this percentile needs {max(needed, 2)}"
        return Statistic(code, value, None, math.nan, math.nan, count, False, note)
    z = NormalDist().inv_cdf(0.5 + 0.6827 / 2)
    spread = z * math.sqrt(share * (1 - share) / effective)
    # Rank r of the sample stands for the share (r - 1/2) / n.
    low, high = _at(ordered, count * (share - spread) - 0.5), _at(ordered, count * (share + spread) - 0.5)
    return Statistic(code, value, (high - low) / 2, low, high, count)


def _at(ordered: np.ndarray, position: float) -> float:
    return float(np.interp(position, np.arange(len(ordered)), ordered))


def _nothing(code: str) -> Statistic:
    return Statistic(code, math.nan, None, math.nan, math.nan, 0, False, "no value")
