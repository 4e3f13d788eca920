"""Recording mission events: by hand, by the API and from files. Nothing is deleted: what was wrong is withdrawn."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from mpc.accounts import audit, policy
from mpc.monitoring.models import MissionEvent
from mpc.msi.bands import BANDS, DETECTORS

FIELDS = ("kind", "title", "text", "unit", "bands", "detectors", "start", "end", "source", "verified")
BAND_NAMES = tuple(band.name for band in BANDS)
DETECTOR_NAMES = tuple(f"{number:02d}" for number in DETECTORS)
CHUNK = 200
_UNIT = re.compile(r"S2[A-Z]")


class CannotChange(ValueError):
    """The event is in no state for that; the text says why."""


def record_event(actor: Any, fields: Mapping[str, Any], origin: str = MissionEvent.Origin.HAND) -> MissionEvent:
    """Record an event with these ``FIELDS``. Raises PermissionDenied, or ValidationError with what is wrong where."""
    policy.require(actor, "monitoring.events")
    event = MissionEvent(origin=origin, created_by=_known(actor))
    with transaction.atomic():
        _keep(event, fields, actor)
        audit.record(actor, "monitoring.event_record", event, after=facts_of(event))
    return event


@transaction.atomic
def change_event(event: MissionEvent, actor: Any, fields: Mapping[str, Any]) -> bool:
    """Change what ``fields`` names; returns whether anything changed. Raises PermissionDenied, CannotChange for a
    withdrawn one, or ValidationError."""
    policy.require(actor, "monitoring.events")
    kept = _locked(event)
    if kept.withdrawn_at is not None:
        raise CannotChange("This event is withdrawn; record a new one instead.")
    before = facts_of(kept)
    differs = {name: value for name, value in fields.items() if getattr(kept, name) != value}
    if not differs:
        return False
    _keep(kept, differs, actor)
    after = facts_of(kept)
    changed = [name for name in after if before[name] != after[name]]
    audit.record(
        actor, "monitoring.event_change", kept,
        before={name: before[name] for name in changed}, after={name: after[name] for name in changed},
    )  # fmt: skip
    event.refresh_from_db()
    return True


@transaction.atomic
def withdraw_event(event: MissionEvent, actor: Any, reason: str) -> None:
    """Take an event out of plots and explanations; it stays to be read. Raises PermissionDenied or CannotChange."""
    policy.require(actor, "monitoring.events")
    reason = " ".join(reason.replace("\x00", "").split())[:300]
    if not reason:
        raise CannotChange("Say why the event is withdrawn.")
    kept = _locked(event)
    if kept.withdrawn_at is not None:
        raise CannotChange("This event is withdrawn already.")
    kept.withdrawn_at, kept.withdrawn_why = timezone.now(), reason
    kept._history_user = _known(actor)
    kept.save()
    audit.record(actor, "monitoring.event_withdraw", kept, after={"reason": reason})
    event.refresh_from_db()


def import_events(actor: Any, rows: Sequence[Mapping[str, Any]]) -> list[MissionEvent]:
    """Record events of a file that was read (``csvfile.read_csv``), in chunks. Raises PermissionDenied, or
    ValidationError for a row that does not fit; then earlier chunks stay."""
    policy.require(actor, "monitoring.events")
    made: list[MissionEvent] = []
    for start in range(0, len(rows), CHUNK):
        with transaction.atomic():
            for fields in rows[start : start + CHUNK]:
                event = MissionEvent(origin=MissionEvent.Origin.CSV, created_by=_known(actor))
                _keep(event, fields, actor)
                made.append(event)
    if made:
        after = {"count": len(made), "first": made[0].pk, "last": made[-1].pk}
        audit.record(actor, "monitoring.events_import", after=after, label=f"{len(made)} mission events")
    return made


def check(event: MissionEvent) -> None:
    """Raises ValidationError with what is wrong with which field."""
    wrong: dict[str, str] = {}
    if event.unit and not _UNIT.fullmatch(event.unit):
        wrong["unit"] = f"“{event.unit}” is no unit; they are written S2A, S2B …"
    for name, known in (("bands", BAND_NAMES), ("detectors", DETECTOR_NAMES)):
        unknown = [value for value in getattr(event, name) if value not in known]
        if unknown:
            wrong[name] = f"not known: {', '.join(map(str, unknown))[:100]}; {name} are {known[0]} to {known[-1]}"
    if event.end is not None and event.start is not None and event.end < event.start:
        wrong["end"] = "It ends before it starts."
    if wrong:
        raise ValidationError(wrong)
    event.full_clean(exclude=["created_by"], validate_unique=False, validate_constraints=False)


def facts_of(event: MissionEvent) -> dict[str, Any]:
    """The fields of an event as the audit keeps them."""
    found = {name: getattr(event, name) for name in FIELDS}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in found.items()}


def _keep(event: MissionEvent, fields: Mapping[str, Any], actor: Any) -> None:
    for name, value in fields.items():
        if name not in FIELDS:
            raise TypeError(f"an event has no field {name} that can be set")
        setattr(event, name, value)
    check(event)
    event._history_user = _known(actor)
    event.save()


def _known(actor: Any) -> Any:
    return actor if actor is not None and actor.pk is not None else None


def _locked(event: MissionEvent) -> MissionEvent:
    return MissionEvent.objects.select_for_update().get(pk=event.pk)
