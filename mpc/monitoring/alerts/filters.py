"""How lists of alerts and of changes are narrowed."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet

from mpc.monitoring.alerts.words import NOUNS
from mpc.monitoring.models import Alert, AlertPart, ChangePoint, DetectorMode, Severity
from mpc.msi.bands import BANDS
from mpc.msi.units import UNITS
from mpc.ui.filters import ChipFilter, DayFromFilter, DayToFilter, KeyFilter, SearchFilter

UNIT_CHOICES = [(name, name) for name in UNITS]
BAND_CHOICES = [(band.name, band.name) for band in BANDS]
KIND_CHOICES = [(kind, noun) for kind, noun in NOUNS.items()]


class AlertFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("title", "closed_why", "judged_why"), placeholder="Words of the alert")
    state = ChipFilter(choices=Alert.State.choices)
    severity = ChipFilter(choices=[(str(s.value), s.label) for s in reversed(Severity)])
    unit = ChipFilter(choices=UNIT_CHOICES)
    whose = django_filters.ChoiceFilter(
        choices=[("me", "mine"), ("nobody", "nobody's")], method="filter_whose", label="Whose"
    )
    assigned_to = django_filters.CharFilter(
        field_name="assigned_to__username", lookup_expr="iexact", label="Assigned to (user name)"
    )
    kind = django_filters.ChoiceFilter(choices=KIND_CHOICES, method="filter_parts", label="What")
    band = django_filters.ChoiceFilter(choices=BAND_CHOICES, method="filter_parts", label="Band")
    metric = django_filters.CharFilter(method="filter_parts", label="Metric (code)")
    series = KeyFilter(method="filter_parts", label="Series (number)")
    judgement = ChipFilter(choices=[(j.value, j.label) for j in Alert.Judgement if j != Alert.Judgement.NONE])
    since = DayFromFilter(field_name="opened_at", label="Opened from")
    until = DayToFilter(field_name="opened_at", label="Opened to")
    closed_since = DayFromFilter(field_name="closed_at", label="Closed from")
    closed_until = DayToFilter(field_name="closed_at", label="Closed to")

    class Meta:
        model = Alert
        fields: list[str] = []

    def filter_whose(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        user: Any = getattr(self.request, "user", None)
        if value == "nobody":
            return rows.filter(assigned_to=None)
        return rows.filter(assigned_to=user.pk) if user is not None and user.pk else rows.none()

    _OF_PARTS = {"kind": "kind", "band": "series__band", "metric": "series__metric", "series": "series"}

    def filter_parts(self, rows: QuerySet, name: str, value: Any) -> QuerySet:
        """Alerts one of whose parts fits; each once, however many fit."""
        return rows.filter(Exists(AlertPart.objects.filter(alert=OuterRef("pk"), **{self._OF_PARTS[name]: value})))


class ChangeFilter(django_filters.FilterSet):
    metric = django_filters.CharFilter(field_name="series__metric", label="Metric (code)")
    unit = ChipFilter(field_name="series__unit", choices=UNIT_CHOICES, label="Unit")
    band = django_filters.ChoiceFilter(field_name="series__band", choices=BAND_CHOICES, label="Band")
    kind = ChipFilter(choices=[choice for choice in KIND_CHOICES if choice[0] != "breach"])
    explained = ChipFilter(choices=ChangePoint.Explained.choices)
    mode = ChipFilter(choices=[(DetectorMode.LIVE.value, "live"), (DetectorMode.SHADOW.value, "in shadow")])
    detector = django_filters.CharFilter(label="Detector (code)")
    series = KeyFilter(field_name="series", label="Series (number)")
    gone = django_filters.BooleanFilter(field_name="gone_at", lookup_expr="isnull", exclude=True, label="Found no more")
    since = DayFromFilter(field_name="time", label="Changed from")
    until = DayToFilter(field_name="time", label="Changed to")
    found_since = DayFromFilter(field_name="found_at", label="Found from")
    found_until = DayToFilter(field_name="found_at", label="Found to")

    class Meta:
        model = ChangePoint
        fields: list[str] = []
