"""Granting and withdrawing waivers. A waiver is not changed: it is withdrawn, and another granted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from mpc.accounts import audit, policy
from mpc.monitoring.events.services import BAND_NAMES, DETECTOR_NAMES
from mpc.monitoring.models import Waiver

FIELDS = ("title", "reason", "requirement", "metric", "unit", "band", "detector", "valid_from", "valid_to")
MOST_DAYS = 3 * 366
"""A known issue is looked at again after three years at the latest."""


class CannotChange(ValueError):
    """The waiver is in no state for that; the text says why."""


@transaction.atomic
def grant(actor: Any, fields: Mapping[str, Any]) -> Waiver:
    """Grant a waiver with these ``FIELDS``. Raises PermissionDenied, or ValidationError with what is wrong where."""
    policy.require(actor, "monitoring.waive")
    known = actor if actor is not None and actor.pk is not None else None
    waiver = Waiver(author=known, **{name: fields[name] for name in FIELDS if name in fields})
    _check(waiver)
    waiver._history_user = known
    waiver.save()
    audit.record(actor, "monitoring.waiver_grant", waiver, after=facts_of(waiver))
    return waiver


@transaction.atomic
def withdraw(waiver: Waiver, actor: Any, reason: str = "") -> None:
    """End a waiver now. Raises PermissionDenied or CannotChange."""
    policy.require(actor, "monitoring.waive")
    kept = Waiver.objects.select_for_update().get(pk=waiver.pk)
    if kept.withdrawn_at is not None:
        raise CannotChange("This waiver is withdrawn already.")
    reason = " ".join(reason.replace("\x00", "").split())
    kept.withdrawn_at = timezone.now()
    kept._history_user = actor if actor is not None and actor.pk is not None else None
    kept._change_reason = reason[:100] or None
    kept.save()
    audit.record(actor, "monitoring.waiver_withdraw", kept, after={"reason": reason[:300]})
    waiver.refresh_from_db()


def facts_of(waiver: Waiver) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(waiver, name) for name in ("title", "reason", "unit", "band", "detector")}
    found["requirement"] = waiver.requirement.code if waiver.requirement else None
    found["metric"] = waiver.metric_id
    return found | {name: getattr(waiver, name).isoformat() for name in ("valid_from", "valid_to")}


def _check(waiver: Waiver) -> None:
    wrong: dict[str, str] = {}
    if waiver.requirement_id is None and waiver.metric_id is None:
        wrong["requirement"] = "Say which requirement it excuses, or which metric."
    elif waiver.requirement_id and waiver.metric_id and waiver.requirement.metric_id != waiver.metric_id:
        wrong["metric"] = f"The requirement is about {waiver.requirement.metric_id}; leave the metric out."
    for name, known in (("band", BAND_NAMES), ("detector", DETECTOR_NAMES)):
        if getattr(waiver, name) and getattr(waiver, name) not in known:
            wrong[name] = f"There is no {name} “{getattr(waiver, name)}”."
    if isinstance(waiver.valid_from, date) and isinstance(waiver.valid_to, date):
        if waiver.valid_to < waiver.valid_from:
            wrong["valid_to"] = "It ends before it begins."
        elif waiver.valid_to - waiver.valid_from > timedelta(days=MOST_DAYS):
            wrong["valid_to"] = "A waiver holds for three years at most; grant it anew when it is looked at again."
    if wrong:
        raise ValidationError(wrong)
    waiver.full_clean(exclude=["author"])
