"""Deciding over many series at once: which of the steps found in the 156 band-detector pairs of a unit reach a person.

Each series is scanned at a threshold at which a small step is found soon, and about one false step a series comes in
eight years: far too many for a person who watches 156. So a step is *raised*, and only then notifies, by one of two
means:

* **threshold**: its score reaches a limit that knows how many series there are, ``confirm`` points or more after it was
  found. The score is told again with every point until the step has settled, so a true step gets there a few points
  later and a chance one falls back;
* **neighbours**: ``agree`` series of one band, or of one detector, have steps of one sign whose intervals overlap. Each
  of them may be weaker.

Raised steps whose intervals overlap that of the first one are one change with parts, and one message.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mpc.jobs.params import param
from mpc.monitoring.detectors.step import Step

RATE_AT = 3.8
RATE = 1.5e-4
RATE_DECADES = 0.88
"""False steps a point that are confirmed by two further points with a score of 3.8, and by how many decades they get
fewer for each unit of score: measured on the step scan (docs/detectors.md), whose false steps come of outliers and of
noise that is not as expected, and have wider tails than a normal distribution."""


@dataclass(frozen=True)
class FamilyParams:
    false_a_month: float = param(0.23, help="False changes a month that may be raised", minimum=0.001, maximum=100)
    points_a_year: float = param(120.0, help="Points that a series gets", minimum=1, unit="points/year")
    confirm: int = param(2, help="Further points that a step needs before it is raised", minimum=0, maximum=12)
    agree: int = param(3, help="Neighbours that raise weaker steps together (0: they do not)", minimum=0, maximum=13)
    agree_score: float = param(3.5, help="Score that each of them needs", minimum=2, unit="sigma")
    tolerance_days: float = param(6.0, help="How far apart steps of one change may lie", minimum=0, unit="days")


@dataclass(frozen=True)
class Member:
    """One series of the family and the steps found in it, with the times of all its points (days)."""

    band: str
    detector: str
    times: Sequence[float]
    steps: Sequence[Step]


@dataclass(frozen=True)
class Part:
    """A step of one series, when it was raised (days) and by which means: "threshold" or "neighbours"."""

    band: str
    detector: str
    step: Step
    raised: float
    means: str


@dataclass(frozen=True)
class Change:
    """Steps that are one change; ``raised`` when the first of its ``parts`` was. ``start`` to ``end``: where they
    lie."""

    parts: tuple[Part, ...]
    start: float
    end: float
    raised: float


def family_threshold(series: int, params: FamilyParams | None = None) -> float:
    """The score at which ``series`` series raise ``false_a_month`` false changes a month, by threshold alone.

    series x points a month x RATE x 10^(-RATE_DECADES (h - RATE_AT)) = false a month; never below 3.
    """
    p = params or FamilyParams()
    if series < 1:
        raise ValueError("a family has at least one series")
    expected = series * p.points_a_year / 12 * RATE
    return max(3.0, RATE_AT + math.log10(expected / p.false_a_month) / RATE_DECADES)


def decide(members: Sequence[Member], params: FamilyParams | None = None) -> list[Change]:
    """The changes that reach a person, in order of the time at which they were raised. No member, no change."""
    p = params or FamilyParams()
    if not members:
        return []
    threshold = family_threshold(len(members), p)
    parts = []
    for member in members:
        for step in member.steps:
            part = _by_threshold(member, step, threshold, p.confirm)
            friends = _by_neighbours(member, step, members, p)
            best = min((one for one in (part, friends) if one is not None), key=lambda one: one.raised, default=None)
            if best is not None:
                parts.append(best)
    return _grouped(sorted(parts, key=lambda part: (part.raised, part.step.time)), p.tolerance_days)


def _by_threshold(member: Member, step: Step, threshold: float, confirm: int) -> Part | None:
    for later, score in enumerate(step.course):
        if later >= confirm and score >= threshold:
            return Part(member.band, member.detector, step, member.times[step.found_index + later], "threshold")
    return None


def _by_neighbours(member: Member, step: Step, members: Sequence[Member], p: FamilyParams) -> Part | None:
    """Raised when the last of the ``agree`` first ones (itself among them) was found."""
    if p.agree < 1:
        return None
    own = _reached(member, step, p.agree_score)
    if own is None:
        return None
    moments = []
    for shared in ("band", "detector"):
        found = [own]
        for other in members:
            if other is member or not getattr(member, shared) or getattr(other, shared) != getattr(member, shared):
                continue
            near = [
                moment
                for one in other.steps
                if one.magnitude * step.magnitude > 0 and _together(one, step, p.tolerance_days)
                if (moment := _reached(other, one, p.agree_score)) is not None
            ]
            found += [min(near)] if near else []
        if len(found) >= p.agree:
            moments.append(max(own, sorted(found)[p.agree - 1]))
    return Part(member.band, member.detector, step, min(moments), "neighbours") if moments else None


def _reached(member: Member, step: Step, score: float) -> float | None:
    part = _by_threshold(member, step, score, 0)
    return None if part is None else part.raised


def _together(one: Step, other: Step, tolerance: float) -> bool:
    """Judged by the intervals as they were told when the steps were found, not by what was learnt later."""
    return one.found_start <= other.found_end + tolerance and other.found_start <= one.found_end + tolerance


def _grouped(parts: Sequence[Part], tolerance: float) -> list[Change]:
    groups: list[list[Part]] = []
    for part in parts:
        home = next((group for group in groups if _together(part.step, group[0].step, tolerance)), None)
        if home is None:
            groups.append([part])
        else:
            home.append(part)
    return [
        Change(
            parts=tuple(group),
            start=min(part.step.interval_start for part in group),
            end=max(part.step.interval_end for part in group),
            raised=min(part.raised for part in group),
        )
        for group in groups
    ]
