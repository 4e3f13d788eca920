"""Which mission events concern a part of the mission in a stretch of time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from mpc.monitoring.models import MissionEvent


def standing() -> QuerySet[MissionEvent]:
    """All that were not withdrawn."""
    return MissionEvent.objects.filter(withdrawn_at__isnull=True)


def events_for(
    units: Iterable[str] | None = None,
    bands: Iterable[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    kinds: Iterable[str] | None = None,
) -> list[MissionEvent]:
    """The events that touch ``since <= t <= until`` (UTC, both included; None: open), oldest first. One query.

    ``units`` and ``bands`` narrow them to those that concern one of these, or all units or bands; None or nothing, or
    an empty name (a series that is not divided), asks for all. ``kinds`` are values of ``EventKind``; nothing: all.
    """
    found = standing()
    asked_units = _names(units)
    if asked_units:
        found = found.filter(unit__in=["", *sorted(asked_units)])
    asked_kinds = _names(kinds)
    if asked_kinds:
        found = found.filter(kind__in=sorted(asked_kinds))
    if since is not None:
        found = found.filter(Q(end__isnull=True, start__gte=since) | Q(end__gte=since))
    if until is not None:
        found = found.filter(start__lte=until)
    asked_bands = _names(bands)
    return [event for event in found.order_by("start", "id") if concerns_bands(event, asked_bands)]


def concerns_bands(event: MissionEvent, bands: Collection[str]) -> bool:
    """Whether the event is about one of these bands; an event of no band is about all, and nothing asks for all."""
    return not bands or not event.bands or not set(bands).isdisjoint(event.bands)


def _names(names: Iterable[str] | None) -> frozenset[str]:
    asked = frozenset(names or ())
    return frozenset() if "" in asked else asked
