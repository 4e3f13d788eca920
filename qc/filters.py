"""How lists of quality reports are narrowed."""

from __future__ import annotations

import django_filters

from mpc.msi.units import UNITS
from mpc.products.filters import LEVELS, has_tile
from mpc.ui.filters import ChipFilter, DayFromFilter, DayToFilter, SearchFilter
from qc.models import CheckResult, CheckStatus, QualityReport, Verdict


class ReportFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("product__name", "product__datatake_id"), placeholder="Product, datatake")
    verdict = ChipFilter(choices=Verdict.choices)
    unit = ChipFilter(field_name="product__unit", choices=[(u, u) for u in UNITS], label="Unit")
    level = ChipFilter(field_name="product__level", choices=[(level, level) for level in LEVELS], label="Level")
    baseline = django_filters.CharFilter(field_name="product__baseline", lookup_expr="startswith", label="Baseline")
    tile = django_filters.CharFilter(method="by_tile", label="Tile")
    check = django_filters.CharFilter(method="by_check", label="Check did not pass")
    since = DayFromFilter(field_name="product__sensing_start", label="Sensed from")
    until = DayToFilter(field_name="product__sensing_start", label="Sensed to")
    made_since = DayFromFilter(field_name="made", label="Checked from")

    class Meta:
        model = QualityReport
        fields: list[str] = []

    def by_tile(self, queryset, name, value):  # type: ignore[no-untyped-def]
        return queryset.filter(has_tile(value, "product__"))

    def by_check(self, queryset, name, value):  # type: ignore[no-untyped-def]
        """Reports in which this check (its id) failed, warned or broke."""
        bad = (CheckStatus.FAILED, CheckStatus.WARNING, CheckStatus.ERROR)
        found = CheckResult.objects.filter(check_id=value.strip(), status__in=bad).order_by()
        return queryset.filter(pk__in=found.values("report"))
