"""What travels between the database and the process in which detectors look at series: plain values. No Django here.

Times are days (float) since 1970-01-01 UTC, as in :mod:`mpc.monitoring.detectors.series`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Trial:
    """One detector to be run on a series: ``mode`` is live or shadow, ``params`` what differs from its defaults."""

    detector: str
    mode: str
    params: dict[str, Any]
    version: str = ""


@dataclass(frozen=True)
class EachLimit:
    """A requirement on each value: what must be kept, and the days (both included) on which it holds."""

    requirement: int
    low: float | None
    high: float | None
    absolute: bool
    first: float | None
    last: float | None


@dataclass(frozen=True)
class OpenPart:
    """A change that an alert speaks of, whose way back is followed: since when, from which level to which."""

    part: int
    time: float
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Looked:
    """One series as the detectors get it: ``times`` (n,), ``values`` (n,), ``uncertainties`` (n,), NaN for none.

    ``rule``: settings of the detector of limits, None where limits are not judged.
    """

    series: int
    times: np.ndarray
    values: np.ndarray
    uncertainties: np.ndarray
    by_day: bool
    trials: tuple[Trial, ...]
    rule: dict[str, Any] | None = None
    limits: tuple[EachLimit, ...] = ()
    parts: tuple[OpenPart, ...] = ()


@dataclass(frozen=True)
class Found:
    """One change: what a detector says of it, in the words of ``ChangePoint``."""

    kind: str
    time: float
    interval_start: float
    interval_end: float
    magnitude: float | None = None
    magnitude_uncertainty: float | None = None
    score: float | None = None
    before: float | None = None
    after: float | None = None
    text: str = ""
    points_after: int = 0


@dataclass(frozen=True)
class Verdict:
    """What one detector says of one series; ``failed`` says why it says nothing."""

    detector: str
    version: str
    mode: str
    found: tuple[Found, ...] = ()
    too_little: bool = False
    failed: str = ""


@dataclass(frozen=True)
class Breach:
    """A requirement on each value that does not hold now: since when, and the value that is furthest out."""

    requirement: int
    since: float
    value: float
    uncertainty: float | None
    limit: float
    side: str
    back: int


@dataclass(frozen=True)
class Seen:
    """What came of looking at one series. ``first`` is the time of the oldest value that was looked at."""

    series: int
    count: int
    by_day: bool
    first: float | None
    newest: float | None
    verdicts: tuple[Verdict, ...] = ()
    breaches: tuple[Breach, ...] = ()
    back: dict[int, int] = field(default_factory=dict)
