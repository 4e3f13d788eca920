"""Which mission events follow from what first came in the products of one unit. Pure: rows in, events out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mpc.msi.bands import BANDS

KEY = "seen:"
OF_BASELINE = frozenset({"PROBAS", "PROBA2"})
"""These name the processing baseline, which has events of its own."""
MOST_APART = 8
"""Where more GIPPs change at once they are one event: a new baseline changes dozens."""


@dataclass(frozen=True)
class Seen:
    """One thing that came in products of the unit, first at ``time`` in ``product``. ``content`` is the GIPP set as
    entries [type, version, name], or the irradiance table (W m-2 um-1 by band)."""

    value: str
    time: datetime
    product: str
    content: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Derived:
    """One event as the system tells it; ``key`` is what it is about."""

    key: str
    kind: str
    title: str
    text: str
    start: datetime
    bands: tuple[str, ...] = ()


def baseline_events(unit: str, seen: Sequence[Seen]) -> list[Derived]:
    """One event a baseline. That of the oldest products is no change: it may have been in use before."""
    found = []
    for n, one in enumerate(sorted(seen, key=_order)):
        title = f"Baseline {one.value}" if n else f"Baseline {one.value} first seen"
        found.append(_event(f"baseline:{unit}:{one.value}", "baseline" if n else "other", title, one, first=not n))
    return found


def gipp_events(unit: str, seen: Sequence[Seen]) -> list[Derived]:
    """One event for each type and version that no older product had; one for all where more than 8 come at once."""
    found: list[Derived] = []
    known: set[tuple[str, str]] = set()
    for n, one in enumerate(sorted(seen, key=_order)):
        pairs = {(_short(kind), str(version)) for kind, version, *_ in one.content}
        pairs = {(kind, version) for kind, version in pairs if kind not in OF_BASELINE}
        new = sorted(pairs - known)
        known |= pairs
        if not n:
            count = len({kind for kind, _ in pairs})
            title = f"{count} type{'' if count == 1 else 's'} of GIPP first seen"
            found.append(_event(f"gipp:{unit}:first", "other", title, one, first=True))
        elif len(new) > MOST_APART:
            names = ", ".join(f"{kind} {version}" for kind, version in new)
            title = f"{len(new)} GIPPs changed"
            found.append(_event(f"gipp:{unit}:set:{one.value[:16]}", "gipp", title, one, more=f"{names}. "))
        else:
            found += [
                _event(f"gipp:{unit}:{kind}:{version}", "gipp", f"GIPP {kind} {version}", one) for kind, version in new
            ]
    return found


def irradiance_events(unit: str, seen: Sequence[Seen]) -> list[Derived]:
    """One event for each table, with the bands that changed and by how much."""
    found: list[Derived] = []
    before: Mapping[str, float] = {}
    for n, one in enumerate(sorted(seen, key=_order)):
        key = f"irradiance:{unit}:{one.value[:16]}"
        if not n:
            found.append(_event(key, "other", "Irradiance table first seen", one, first=True))
        else:
            changes = _changes(before, one.content)
            more = f"{', '.join(f'{band} {change:+.2f} %' for band, change in changes.items())}. " if changes else ""
            event = _event(key, "irradiance", "Irradiance table changed", one, more=more)
            found.append(Derived(event.key, event.kind, event.title, event.text, event.start, tuple(changes)))
        before = one.content
    return found


def _short(kind: Any) -> str:
    return str(kind).removeprefix("GIP_")


def _changes(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Per cent, of the bands of both tables that differ, in the instrument's order."""
    order = [band.name for band in BANDS if band.name in before and band.name in after and before[band.name]]
    changes = {band: 100 * (after[band] / before[band] - 1) for band in order}
    return {band: change for band, change in changes.items() if change}


def _order(one: Seen) -> tuple[datetime, str]:
    return (one.time, one.value)


def _event(key: str, kind: str, title: str, one: Seen, *, first: bool = False, more: str = "") -> Derived:
    where = f"In products from {one.time:%Y-%m-%d %H:%M} UTC on, the first of them {one.product}."
    if first:
        where += " No older product of the unit is here, so it may have been in use before."
    return Derived(KEY + key, kind, title[:120], more + where, one.time)
