"""What a finished job hands back: plain values that travel between processes."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class Verdict(enum.StrEnum):
    """The verdict of a report. PASSED needs every required check to have looked."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    INCOMPLETE = "INCOMPLETE"


@dataclass(frozen=True)
class MeasuredValue:
    """One number about the mission, before it becomes a row of its series.

    ``uncertainty`` is one standard uncertainty (k = 1) in the metric's unit; where there is none,
    ``no_uncertainty`` says why. ``samples`` is the number of independent values behind ``value``. ``in_unit`` is the
    physical unit that the number is in, to be compared with the metric's ("": as the metric says); ``unit`` is the
    satellite.
    """

    metric: str
    time: datetime
    value: float
    samples: int
    uncertainty: float | None = None
    no_uncertainty: str = ""
    unit: str = ""
    band: str = ""
    detector: str = ""
    site: str = ""
    level: str = ""
    baseline: str = ""
    in_unit: str = ""

    def __post_init__(self) -> None:
        if self.time.tzinfo is None:
            raise ValueError(f"measurement {self.metric}: the time needs a zone (UTC)")
        if self.uncertainty is None and not self.no_uncertainty:
            raise ValueError(f"measurement {self.metric}: no uncertainty and no reason for it")
        if self.samples < 0:
            raise ValueError(f"measurement {self.metric}: negative sample size")


@dataclass(frozen=True)
class Artifact:
    """A file that the job wrote below ``context.workdir``; ``path`` is relative to it."""

    name: str
    path: str
    media_type: str
    title: str = ""


@dataclass(frozen=True)
class Outcome:
    """Everything a job found out.

    ``results`` is a picklable structure of plain values and frozen dataclasses; the job's ``finish`` hook writes it
    to the database inside the transaction that closes the run.
    """

    summary: str
    verdict: Verdict | None = None
    results: Any = None
    measurements: tuple[MeasuredValue, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
