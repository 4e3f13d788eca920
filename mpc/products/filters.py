"""How lists of products and intakes are narrowed."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q

from mpc.msi.units import UNITS
from mpc.products.models import Intake, Kind, Product, Status
from mpc.ui.filters import ChipFilter, DayFromFilter, DayToFilter, SearchFilter

LEVELS = ("L0", "L1A", "L1B", "L1C", "L2A")


TILE_LENGTH = 5
"""Of the name of a whole tile, "56JMM"; it is found by its index, the beginning of one by looking at all."""


def has_tile(text: str, prefix: str = "") -> Q:
    """Products over a tile that begins like ``text``; ``prefix`` is the path to the product ("product__").

    A product of one tile has it in its own indexed column. Those of the old multi-tile format, few and with an empty
    column, are asked by the text of their list.
    """
    tile = text.strip().upper().removeprefix("T")
    several = Q(**{f"{prefix}tile": "", f"{prefix}tiles__icontains": f'"{tile}'})
    lookup = "tile" if len(tile) == TILE_LENGTH else "tile__istartswith"
    return Q(**{f"{prefix}{lookup}": tile}) | several


class ProductFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("name", "datatake_id", "datastrip_id"), placeholder="Name, datatake, datastrip")
    unit = ChipFilter(choices=[(u, u) for u in UNITS])
    level = ChipFilter(choices=[(level, level) for level in LEVELS])
    status = ChipFilter(choices=[(status.value, status.value.lower()) for status in Status], label="Quality")
    kind = ChipFilter(choices=Kind.choices)
    baseline = django_filters.CharFilter(lookup_expr="startswith", label="Baseline")
    tile = django_filters.CharFilter(method="by_tile", label="Tile")
    relative_orbit = django_filters.NumberFilter(label="Relative orbit", min_value=1, max_value=143)
    absolute_orbit = django_filters.NumberFilter(label="Absolute orbit", min_value=1)
    since = DayFromFilter(field_name="sensing_start", label="Sensed from")
    until = DayToFilter(field_name="sensing_start", label="Sensed to")
    arrived_since = DayFromFilter(field_name="taken_in", label="Arrived from")
    arrived_until = DayToFilter(field_name="taken_in", label="Arrived to")
    cloud_max = django_filters.NumberFilter(field_name="cloud_cover", lookup_expr="lte", label="Cloud at most (%)")
    cloud_min = django_filters.NumberFilter(field_name="cloud_cover", lookup_expr="gte", label="Cloud at least (%)")
    newest = django_filters.ChoiceFilter(
        choices=(("true", "newest only"), ("false", "older only")), method="by_version", label="Versions"
    )
    observation = django_filters.CharFilter(label="Observation")
    withdrawn = django_filters.ChoiceFilter(
        choices=(("true", "withdrawn only"), ("any", "those too")), method="by_withdrawal", label="Withdrawn"
    )

    class Meta:
        model = Product
        fields: list[str] = []

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        # An empty address is a filter too: it says "in use".
        super().__init__({} if data is None else data, *args, **kwargs)

    def filter_queryset(self, queryset):  # type: ignore[no-untyped-def]
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("withdrawn") else found.in_use()

    def by_withdrawal(self, queryset, name, value):  # type: ignore[no-untyped-def]
        return queryset.withdrawn() if value == "true" else queryset

    def by_tile(self, queryset, name, value):  # type: ignore[no-untyped-def]
        """A tile as people write it: T56JMM, 56JMM, or its beginning; any tile of an old multi-tile product."""
        return queryset.filter(has_tile(value))

    def by_version(self, queryset, name, value):  # type: ignore[no-untyped-def]
        return queryset.filter(newest=value == "true")


class IntakeFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("source", "message"), placeholder="Path or reason")
    result = ChipFilter(choices=Intake.Result.choices)
    trigger = ChipFilter(choices=[(t, t) for t in ("ingest", "upload", "inbox", "demo")])
    since = DayFromFilter(field_name="at", label="From")
    until = DayToFilter(field_name="at", label="To")

    class Meta:
        model = Intake
        fields: list[str] = []
