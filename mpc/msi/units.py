"""The satellites of the constellation: their orbits and the Sun's distance as the ground segment counts it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

UNITS = ("S2A", "S2B", "S2C", "S2D")
"""Units of the constellation, as they begin the names of products."""

ORBITS_PER_CYCLE = 143
"""Orbits of the ten-day repeat cycle: relative orbits run from 1 to 143."""


@dataclass(frozen=True)
class OrbitSlot:
    """While ``first <= t < last`` the unit flies in the slot with this offset; None means that no end is known."""

    first: datetime
    last: datetime | None
    offset: int


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


# S2A left its slot to S2C early in 2025 and drifted to another; the new offset is confirmed by products from
# 2025-07-31 on. What lies between is left out, so that nothing is judged there.
ORBIT_SLOTS: dict[str, tuple[OrbitSlot, ...]] = {
    "S2A": (OrbitSlot(_day(2015, 6, 23), _day(2025, 1, 1), 141), OrbitSlot(_day(2025, 7, 31), None, 27)),
    "S2B": (OrbitSlot(_day(2017, 3, 7), None, 27),),
    "S2C": (OrbitSlot(_day(2025, 1, 1), None, 114),),
}


def utc(when: datetime) -> datetime:
    """``when`` in UTC; a time without a zone is taken as UTC, as Sentinel-2 metadata mean it."""
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def relative_orbit(unit: str, absolute: int, when: datetime) -> int | None:
    """Relative orbit (1..143) of an absolute orbit: ``((absolute - k) mod 143) + 1``.

    ``k`` depends on the unit and on the date (:data:`ORBIT_SLOTS`). None when the unit or its slot at that date is
    not known: S2D, S2A while it moved in 2025, S2C while it was being commissioned.
    """
    moment = utc(when)
    for slot in ORBIT_SLOTS.get(unit, ()):
        if slot.first <= moment and (slot.last is None or moment < slot.last):
            return (absolute - slot.offset) % ORBITS_PER_CYCLE + 1
    return None


_EPOCH_1950 = datetime(1950, 1, 1, 12, tzinfo=UTC)


def sun_distance_u(when: datetime) -> float:
    """``Reflectance_Conversion/U``, the inverse squared Earth-Sun distance (au^-2), by the ground segment's formula.

    ``U = (1 - 0.01673 cos(0.0172 (t - 2)))^-2`` with t in days since 1950-01-01T12:00 UTC; ``when`` is the start of the
    *datatake*. It reproduces the U of products to 1e-13 and differs from an ephemeris by up to 0.27 %.
    Source: Sentinel-2 L1 ATBD, reflectance conversion; checked on products of 2017 to 2023.
    """
    days = (utc(when) - _EPOCH_1950).total_seconds() / 86400.0
    return (1.0 - 0.01673 * math.cos(0.0172 * (days - 2.0))) ** -2
