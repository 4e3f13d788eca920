"""Whether a change is explained by what was done to the mission near it.

An event explains a change when it fits in time (the interval in which the change lies overlaps the event, widened by
the tolerance on both sides) and its scope covers the part that changed: unit, band and detector, an empty scope meaning
all. A change is *explained* when every part of it is covered by events that fit in time, *partly* when only some parts
are or an event that fits in time meets a part's unit but covers it only in part (one detector of a band that changed as
a whole), else *unexplained*.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from mpc.monitoring.detectors.series import YEAR

MISSION = ""
"""As a unit: all of them. As a band or detector of a part: the part is not told by it."""

_END_OF_TIME = 1000 * YEAR


class Explained(enum.StrEnum):
    EXPLAINED = "explained"
    PARTLY = "partly"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Event:
    """Something that happened to the mission.

    ``start``, ``end``: days; an ``end`` of None is a moment (a switch). ``unit``: "" for all. ``bands``, ``detectors``:
    empty for all. ``changes``: kinds of change that it can explain ("step", "noise" ...), empty for any.
    """

    kind: str
    start: float
    end: float | None = None
    unit: str = MISSION
    bands: frozenset[str] = frozenset()
    detectors: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    key: str = ""


@dataclass(frozen=True)
class Part:
    """What changed: a unit, band and detector ("" = not told by this), with the interval in which its change lies
    (days)."""

    interval_start: float
    interval_end: float
    unit: str = ""
    band: str = ""
    detector: str = ""
    change: str = "step"


@dataclass(frozen=True)
class Explanation:
    """``verdict``; the ``events`` that explain something, nearest first; the ``unexplained`` parts."""

    verdict: Explained
    events: tuple[Event, ...] = ()
    unexplained: tuple[Part, ...] = ()
    text: str = field(default="", compare=False)


class _Cover(enum.IntEnum):
    NONE = 0
    SOME = 1
    ALL = 2


def explain(parts: Iterable[Part], events: Collection[Event], tolerance_days: float = 3.0) -> Explanation:
    """Judge the ``parts`` of one change (one series, or several that changed together) against ``events``.

    ``tolerance_days`` widens every event on both sides: products of one day may be dated by sensing or by production.

    Raises:
        ValueError: the tolerance is negative, or no part is given.
    """
    changed = list(parts)
    if not changed:
        raise ValueError("a change has at least one part")
    if tolerance_days < 0:
        raise ValueError("a tolerance is not negative")
    used: dict[Event, float] = {}
    covers = []
    for part in changed:
        best = _Cover.NONE
        for event in events:
            cover = _cover(part, event, tolerance_days)
            if cover:
                used[event] = min(used.get(event, _END_OF_TIME), _distance(part, event))
            best = max(best, cover)
        covers.append(best)
    left = tuple(part for part, cover in zip(changed, covers, strict=True) if cover is not _Cover.ALL)
    if not left:
        verdict = Explained.EXPLAINED
    elif any(covers):
        verdict = Explained.PARTLY
    else:
        verdict = Explained.UNEXPLAINED
    near = tuple(sorted(used, key=lambda event: (used[event], event.start, event.kind, event.key)))
    return Explanation(verdict, near, left, _text(verdict, near, len(left), len(changed)))


def _cover(part: Part, event: Event, tolerance: float) -> _Cover:
    end = event.start if event.end is None else event.end
    if part.interval_end < event.start - tolerance or part.interval_start > end + tolerance:
        return _Cover.NONE
    if event.changes and part.change not in event.changes:
        return _Cover.NONE
    scopes = [
        _scope(part.unit, frozenset([event.unit]) if event.unit else frozenset()),
        _scope(part.band, event.bands),
        _scope(part.detector, event.detectors),
    ]
    return min(scopes)


def _scope(of_part: str, of_event: frozenset[str]) -> _Cover:
    """An event for some detectors covers a change of a whole band (no detector told) only in part."""
    if not of_event or of_part in of_event:
        return _Cover.ALL
    return _Cover.SOME if of_part == MISSION else _Cover.NONE


def _distance(part: Part, event: Event) -> float:
    """Days between the middle of the part's interval and the event; 0 within it."""
    middle = (part.interval_start + part.interval_end) / 2
    end = event.start if event.end is None else event.end
    return max(event.start - middle, middle - end, 0.0)


def _text(verdict: Explained, events: tuple[Event, ...], left: int, parts: int) -> str:
    if verdict is Explained.UNEXPLAINED:
        return "no event near it"
    names = ", ".join(dict.fromkeys(event.kind for event in events))
    return (
        f"explained by {names}" if verdict is Explained.EXPLAINED else f"{left} of {parts} parts not covered by {names}"
    )
