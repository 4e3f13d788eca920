"""How the catalogue is narrowed."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from mpc.monitoring.models import Direction, Metric
from mpc.ui.filters import ChipFilter, SearchFilter

YES_NO = [("yes", "with values"), ("no", "never measured")]
KINDS = [("measured", "measured"), ("declared", "declared")]


class CatalogueFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("code", "name", "description", "method", "document"), placeholder="Name, code or document")
    has = ChipFilter(label="Values", choices=YES_NO, method="by_values")
    kind = ChipFilter(label="Kind", choices=KINDS, method="by_kind")
    direction = ChipFilter(label="Better", choices=[(d.value, d.value) for d in Direction if d.value])
    edited = django_filters.BooleanFilter(label="Edited by a person")

    class Meta:
        model = Metric
        fields: list[str] = []

    def by_values(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        return queryset if len(value) != 1 else queryset.filter(measured=value == ["yes"])

    def by_kind(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        return queryset if len(value) != 1 else queryset.filter(declared=value == ["declared"])
