"""Silence: a series that should have spoken.

A series speaks at its own pace: the gaps between its times, equal times taken as one. The next value is expected one
usual gap (the median) after the last. The series is silent when it has waited longer than ``factor`` times the long gap
(the 95th percentile of the newest ``memory`` gaps by rank: with 20 gaps or more one outage is not taken for the pace),
and longer than a pause that it has taken ``habit`` times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpc.jobs.params import param
from mpc.monitoring.detectors.series import Series


@dataclass(frozen=True)
class SilenceParams:
    factor: float = param(2.0, help="Times the long gap that is waited", minimum=1, maximum=20)
    least_gaps: int = param(8, help="Gaps needed before a pace is known", minimum=3, unit="gaps")
    memory: int = param(120, help="Newest gaps of which the pace is told", minimum=8, unit="gaps")
    habit: int = param(3, help="A pause that was taken this often is no silence", minimum=1)
    least_days: float = param(0.0, help="No shorter wait is a silence", minimum=0, unit="days")


@dataclass(frozen=True)
class Pace:
    """``usual`` and ``long`` gap and the wait that is ``allowed``, in days; of how many ``gaps`` it was told."""

    usual: float
    long: float
    allowed: float
    gaps: int


@dataclass(frozen=True)
class Silence:
    """How a series stands at a moment.

    Attributes:
        last: time of the last value, days. ``expected``: when the next was to come. ``deadline``: from when on it is
            silent.
        late: days since ``expected``, 0 before it.
        score: the wait divided by the allowed one; silent above 1.
        pace: None when too few values have come to know it (then nothing is ever silent).
    """

    last: float
    expected: float | None
    deadline: float | None
    late: float
    score: float
    pace: Pace | None

    @property
    def silent(self) -> bool:
        return self.score > 1


def pace_of(times: np.ndarray, params: SilenceParams | None = None) -> Pace | None:
    """The pace of values at ``times`` (n,), days in order; None for fewer than ``least_gaps`` gaps."""
    p = params or SilenceParams()
    gaps = np.diff(np.unique(times))[-p.memory :]
    if len(gaps) < p.least_gaps:
        return None
    ordered = np.sort(gaps)
    long = float(ordered[int(np.ceil(0.95 * len(ordered))) - 1])
    habitual = float(ordered[-p.habit]) if len(ordered) >= p.habit else 0.0
    return Pace(float(np.median(ordered)), long, max(p.factor * long, habitual, p.least_days), len(gaps))


def silence_at(series: Series, now: float, params: SilenceParams | None = None) -> Silence | None:
    """How the series stands at ``now`` (days), by the values that had come by then; None if there was none."""
    times = series.times[: int(np.searchsorted(series.times, now, side="right"))]
    if not len(times):
        return None
    last = float(times[-1])
    pace = pace_of(times, params)
    if pace is None:
        return Silence(last, None, None, 0.0, 0.0, None)
    expected = last + pace.usual
    return Silence(
        last=last,
        expected=expected,
        deadline=last + pace.allowed,
        late=max(now - expected, 0.0),
        score=(now - last) / pace.allowed if pace.allowed else 0.0,
        pace=pace,
    )
