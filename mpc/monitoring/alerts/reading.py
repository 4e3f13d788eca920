"""Alerts for other pages: how many are open, mine, the newest; and what stands behind one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils import timezone

from mpc.monitoring.models import Alert, AlertPart, ChangePoint, DetectorMode, MissionEvent, Series, Severity

WAITING = (Alert.State.OPEN, Alert.State.ACKNOWLEDGED)
"""States in which an alert waits for people: neither snoozed nor closed."""


@dataclass(frozen=True)
class OpenCount:
    """How many alerts of a unit and a severity wait, and how many of them nobody has acknowledged."""

    unit: str
    severity: Severity
    waiting: int
    unacknowledged: int


def open_count() -> int:
    """How many alerts are open: not acknowledged, not snoozed, not closed. One query."""
    return Alert.objects.filter(state=Alert.State.OPEN).count()


def open_counts() -> list[OpenCount]:
    """By unit and severity, the gravest first. One query."""
    rows = Alert.objects.filter(state__in=WAITING).order_by().values_list("unit", "severity", "state")
    found: dict[tuple[str, int], list[int]] = {}
    for unit, severity, state, n in rows.annotate(n=Count("pk")):
        counts = found.setdefault((unit, severity), [0, 0])
        counts[0] += n
        counts[1] += n if state == Alert.State.OPEN else 0
    ordered = sorted(found.items(), key=lambda item: (-item[0][1], item[0][0]))
    return [OpenCount(unit, Severity(severity), *counts) for (unit, severity), counts in ordered]


def mine(user: Any) -> QuerySet[Alert]:
    """What waits for this person, the gravest and then the oldest first."""
    return Alert.objects.filter(assigned_to=user.pk, state__in=WAITING).order_by("-severity", "opened_at", "pk")


def newest(limit: int = 10, units: Iterable[str] | None = None) -> list[Alert]:
    """The alerts that were opened last and are not closed. One query."""
    rows = Alert.objects.exclude(state=Alert.State.CLOSED)
    if units is not None:
        rows = rows.filter(unit__in=list(units))
    return list(rows.select_related("assigned_to").order_by("-opened_at", "-pk")[:limit])


def since(moment: datetime) -> dict[str, int]:
    """What happened to alerts since a moment: ``opened``, ``came_back``, ``closed``. Two queries."""
    from mpc.monitoring.models import AlertNote

    notes = AlertNote.objects.filter(at__gte=moment, what="came back")
    counts = Alert.objects.aggregate(
        opened=Count("pk", filter=_after("opened_at", moment)), closed=Count("pk", filter=_after("closed_at", moment))
    )
    return {**counts, "came_back": notes.count()}


def _after(field: str, moment: datetime) -> Any:
    from django.db.models import Q

    return Q(**{f"{field}__gte": moment})


def changes_of(
    series: Iterable[int], start: datetime | None = None, end: datetime | None = None, *, shadow: bool = False
) -> list[ChangePoint]:
    """The changes to draw on a trend: standing ones, explained or not, with their event; oldest first. One query."""
    rows = ChangePoint.objects.filter(series__in=list(series), gone_at=None).select_related("event")
    if not shadow:
        rows = rows.filter(mode=DetectorMode.LIVE)
    if start is not None:
        rows = rows.filter(time__gte=start)
    if end is not None:
        rows = rows.filter(time__lte=end)
    return list(rows.order_by("time", "pk"))


def trend_of(series: Series, when: datetime | None = None, days: int = 180) -> str:
    """The trend of this part of all units, around a moment where one is given."""
    query = {name: getattr(series, name) for name in ("level", "band", "detector", "site") if getattr(series, name)}
    if when is not None:
        query["since"] = f"{when - timedelta(days=days):%Y-%m-%d}"
        query["until"] = f"{min(when + timedelta(days=days), timezone.now()):%Y-%m-%d}"
    address = reverse("monitoring:trend", kwargs={"code": series.metric_id})
    return f"{address}?{urlencode(query)}" if query else address


def events_near(parts: Iterable[AlertPart]) -> list[MissionEvent]:
    """Events of the unit around what an alert speaks of, whether they explain it or not. One query."""
    from mpc.monitoring.events.reading import events_for

    found = list(parts)
    if not found:
        return []
    reach = timedelta(days=max(settings.MPC_EXPLAIN_DAYS, 1) * 5)
    times = [p.time for p in found]
    return events_for(
        units={p.series.unit for p in found},
        bands={p.series.band for p in found},
        since=min(times) - reach,
        until=max(times) + reach,
    )
