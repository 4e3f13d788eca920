"""How the cells of the compliance matrix are narrowed; the matrix and the list share it."""

from __future__ import annotations

from typing import Any

import django_filters
from django.conf import settings

from mpc.monitoring.compliance.matrix import WORDS, WORST_FIRST
from mpc.monitoring.models import Compliance, Requirement
from mpc.msi.bands import BANDS
from mpc.ui.filters import ChipFilter, DayInput, SearchFilter


class ComplianceFilter(django_filters.FilterSet):
    q = SearchFilter(
        fields=("requirement__code", "requirement__title", "requirement__metric__code"), placeholder="Requirement"
    )
    unit = ChipFilter(label="Unit")
    state = ChipFilter(label="State", choices=[(s.value, WORDS[s][1]) for s in WORST_FIRST])
    group = ChipFilter(label="Group", field_name="requirement__metric__group")
    band = ChipFilter(label="Band", choices=[(b.name, b.name) for b in BANDS])
    verified = django_filters.BooleanFilter(field_name="requirement__verified", label="Verified limit")
    drifting = django_filters.BooleanFilter(
        field_name="breach_on", lookup_expr="isnull", exclude=True, label="With a predicted breach"
    )

    breach_until = django_filters.DateFilter(
        field_name="breach_on", lookup_expr="lte", label="Predicted breach by", widget=DayInput
    )

    class Meta:
        model = Compliance
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Requirement.objects.order_by("metric__group").values_list("metric__group", flat=True).distinct()
        self.filters["group"].extra["choices"] = [(group, group) for group in found if group]
        units = Compliance.objects.order_by("unit").values_list("unit", flat=True).distinct()
        self.filters["unit"].extra["choices"] = [(unit, unit) for unit in sorted({*settings.MPC_UNITS, *units})]
