"""Making and changing requirements, with their limits and the history of both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from mpc.accounts import audit, policy
from mpc.monitoring.events.services import BAND_NAMES
from mpc.monitoring.models import Requirement
from mpc.monitoring.requirements.limits import FIELDS as LIMIT_FIELDS
from mpc.monitoring.requirements.limits import LimitRow, limits_of, replace_limits

FIELDS = (
    *("title", "text", "metric", "statistic", "absolute", "level", "window_days", "valid_from", "valid_to"),
    *("document", "section", "verified", "note"),
)


@transaction.atomic
def make_requirement(actor: Any, code: str, fields: Mapping[str, Any], limits: Iterable[LimitRow]) -> Requirement:
    """Make a requirement with these ``FIELDS`` and limits. Raises PermissionDenied, or ValidationError."""
    policy.require(actor, "monitoring.requirements")
    requirement = Requirement(code=code)
    rows = _keep(requirement, fields, limits, actor)
    audit.record(actor, "monitoring.requirement_make", requirement, after=facts_of(requirement, rows))
    return requirement


@transaction.atomic
def change_requirement(
    requirement: Requirement, actor: Any, fields: Mapping[str, Any], limits: Iterable[LimitRow] | None = None
) -> bool:
    """Change what ``fields`` names, and the limits unless None; returns whether anything changed. From then on the
    centre's table leaves it alone. Raises PermissionDenied, or ValidationError."""
    policy.require(actor, "monitoring.requirements")
    kept = Requirement.objects.select_for_update().get(pk=requirement.pk)
    before = facts_of(kept, limits_of(kept))
    wanted = limits_of(kept) if limits is None else limits
    rows = tuple(sorted(wanted, key=lambda row: row[:2]))
    same = all(getattr(kept, name) == value for name, value in fields.items())
    if same and rows == limits_of(kept):
        return False
    kept.edited = True
    rows = _keep(kept, fields, rows, actor)
    after = facts_of(kept, rows)
    changed = [name for name in after if before[name] != after[name]]
    audit.record(
        actor, "monitoring.requirement_change", kept,
        before={name: before[name] for name in changed}, after={name: after[name] for name in changed},
    )  # fmt: skip
    requirement.refresh_from_db()
    return True


def facts_of(requirement: Requirement, limits: Iterable[LimitRow]) -> dict[str, Any]:
    """The requirement as the audit keeps it."""
    found = {name: getattr(requirement, f"{name}_id" if name == "metric" else name) for name in FIELDS}
    plain = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in found.items()}
    return {**plain, "limits": [list(row) for row in limits]}


def _keep(
    requirement: Requirement, fields: Mapping[str, Any], limits: Iterable[LimitRow], actor: Any
) -> tuple[LimitRow, ...]:
    for name, value in fields.items():
        if name not in FIELDS:
            raise TypeError(f"a requirement has no field {name} that can be set")
        setattr(requirement, name, value)
    rows = tuple(sorted(limits, key=lambda row: row[:2]))
    check_limits(rows)
    start, stop = requirement.valid_from, requirement.valid_to
    if start is not None and stop is not None and stop < start:
        raise ValidationError({"valid_to": "It ends before it begins."})
    requirement.full_clean()
    requirement._history_user = actor if actor.pk is not None else None
    requirement.save()
    replace_limits(requirement, rows, actor)
    return rows


def check_limits(rows: Iterable[LimitRow]) -> None:
    """Raises ValidationError (``limits``) for limits that say nothing, contradict themselves or stand twice."""
    seen: set[tuple[str, str]] = set()
    for unit, band, *values in rows:
        where = " ".join(part for part in (unit, band) if part) or "all units and bands"
        numbers = dict(zip(LIMIT_FIELDS, values, strict=True))
        if all(value is None for value in values):
            raise ValidationError({"limits": f"The limit of {where} says nothing."})
        if any(value is not None and not math.isfinite(value) for value in values):
            raise ValidationError({"limits": f"A limit of {where} is no finite number."})
        if band and band not in BAND_NAMES:
            raise ValidationError({"limits": f"There is no band “{band}”."})
        for low, high in (("low", "high"), ("goal_low", "goal_high")):
            if numbers[low] is not None and numbers[high] is not None and numbers[low] > numbers[high]:
                raise ValidationError({"limits": f"The limits of {where} leave nothing between them."})
        if (unit, band) in seen:
            raise ValidationError({"limits": f"There are two limits of {where}."})
        seen.add((unit, band))
    if not seen:
        raise ValidationError({"limits": "A requirement needs at least one limit."})
