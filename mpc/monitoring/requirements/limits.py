"""The limits of one requirement as plain values, and how they are replaced with their history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mpc.monitoring.models import Requirement, RequirementLimit

LimitRow = tuple[str, str, float | None, float | None, float | None, float | None]
"""Unit, band, low, high, goal low, goal high."""

FIELDS = ("low", "high", "goal_low", "goal_high")


def limits_of(requirement: Requirement) -> tuple[LimitRow, ...]:
    """The limits as they are kept, sorted by unit and band."""
    rows = requirement.limits.all()
    return tuple(sorted(((r.unit, r.band, *(getattr(r, f) for f in FIELDS)) for r in rows), key=lambda r: r[:2]))


def replace_limits(requirement: Requirement, wanted: Iterable[LimitRow], actor: Any, reason: str = "") -> None:
    """Make the limits these: what is equal stays, what differs is changed, what is not named goes."""
    kept = {(row.unit, row.band): row for row in RequirementLimit.objects.filter(requirement=requirement)}
    for unit, band, *values in wanted:
        row = kept.pop((unit, band), None) or RequirementLimit(requirement=requirement, unit=unit, band=band)
        if row.pk is not None and [getattr(row, field) for field in FIELDS] == values:
            continue
        for field, value in zip(FIELDS, values, strict=True):
            setattr(row, field, value)
        _by(row, actor, reason)
        row.save()
    for row in kept.values():
        _by(row, actor, reason)
        row.delete()


def _by(row: RequirementLimit, actor: Any, reason: str) -> None:
    row._history_user = actor if actor is not None and actor.pk is not None else None
    row._change_reason = reason or None
