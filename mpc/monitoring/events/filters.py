"""How lists of mission events are narrowed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import django_filters
from django.db.models import Q, QuerySet

from mpc.monitoring.models import EventKind, MissionEvent
from mpc.msi.units import UNITS
from mpc.ui.filters import ChipFilter, DayFromFilter, DayToFilter, SearchFilter

STATES = (("standing", "standing"), ("withdrawn", "withdrawn"))


class EventFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("title", "text", "source"), placeholder="Title, text or source")
    kind = ChipFilter(label="Kind", choices=EventKind.choices)
    unit = ChipFilter(label="Unit", choices=[(u, u) for u in UNITS], method="by_unit")
    since = DayFromFilter(label="From", method="touching")
    until = DayToFilter(field_name="start", label="To, with this day")
    known_since = DayFromFilter(field_name="created_at", label="Known from")
    known_until = DayToFilter(field_name="created_at", label="Known to")
    origin = ChipFilter(label="Origin", choices=MissionEvent.Origin.choices)
    state = ChipFilter(label="State", choices=STATES, method="by_state")
    verified = django_filters.BooleanFilter(label="Verified")

    class Meta:
        model = MissionEvent
        fields: list[str] = []

    def by_unit(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        """Events of all units concern this one too."""
        return queryset.filter(unit__in=["", *value]) if value else queryset

    def touching(self, queryset: QuerySet, name: str, value: date | None) -> QuerySet:
        """An event that began before and lasts is shown too."""
        if not value:
            return queryset
        begins = datetime.combine(value, time.min, UTC)
        return queryset.filter(Q(start__gte=begins) | Q(end__gte=begins))

    def by_state(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        if not value or len(value) == len(STATES):
            return queryset
        return queryset.filter(withdrawn_at__isnull=value == ["standing"])
