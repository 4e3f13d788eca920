"""The compliance matrix and the list of its cells."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import Count, F, Max
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mpc.monitoring.compliance import matrix
from mpc.monitoring.compliance.filters import ComplianceFilter
from mpc.monitoring.compliance.matrix import WORDS, WORST_FIRST, view_of
from mpc.monitoring.models import Compliance, Requirement
from mpc.ui import filters, numbers
from mpc.ui.tables import NumberColumn, Table, UnitColumn, UtcColumn, WhyColumn
from mpc.ui.templatetags import mpc as tags
from mpc.ui.views import ListPage, Page

ORDERS = (("group", "by group"), ("state", "worst first"), ("days", "days left"))


class MatrixPage(Page):
    """Requirement by unit, with the bands inside."""

    policy_action = "monitoring.view"
    template_name = "monitoring/compliance/matrix.html"
    title = "Compliance"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = ComplianceFilter(self.request.GET or None, matrix.cells(), request=self.request)
        shown = (
            list(asked.qs.order_by("requirement__code", "unit", "band"))
            if asked.is_valid() or not asked.is_bound
            else []
        )
        requirements = Requirement.objects.select_related("metric").prefetch_related("limits")
        units, rows = matrix.matrix_rows(shown, requirements.order_by("metric__group", "code"))
        order = self.request.GET.get("sort", "group")
        order = order if order in dict(ORDERS) else "group"
        counts = {row["state"]: row["n"] for row in _counts()}
        return super().get_context_data(
            filter=asked,
            form=asked.form,
            chips=filters.chips_of(asked, self.request.GET),
            units=units,
            rows=matrix.sort_rows(rows, order),
            order=order,
            orders=ORDERS,
            counts=[(s.value, *WORDS[s], counts.get(s.value, 0)) for s in WORST_FIRST],
            computed_at=Compliance.objects.aggregate(newest=Max("computed_at"))["newest"],
            **kwargs,
        )

    def get_subtitle(self) -> str:
        return "Every requirement for every unit, from what was measured"


def _counts() -> Any:
    return Compliance.objects.order_by().values("state").annotate(n=Count("pk"))


class CellTable(Table):
    state = tables.Column()
    code = tables.Column(
        accessor="requirement__code",
        verbose_name="Requirement",
        linkify=lambda record: record.requirement.get_absolute_url(),
    )
    title = tables.Column(accessor="requirement__title", attrs={"td": {"class": "prose"}})
    unit = UnitColumn()
    band = tables.Column(default="")
    value = tables.Column(attrs={"th": {"class": "num"}, "td": {"class": "num"}})
    limit = tables.Column(empty_values=(), orderable=False, accessor="pk")
    margin = NumberColumn()
    trend = tables.Column(accessor="slope", verbose_name="Trend", attrs={"td": {"class": "nowrap"}})
    days_left = NumberColumn(verbose_name="Days left")
    breach_on = UtcColumn(verbose_name="Predicted breach", style="date", initial_sort_descending=False)
    breach_from = UtcColumn(verbose_name="Earliest", style="date", initial_sort_descending=False)
    breach_to = UtcColumn(verbose_name="Latest", style="date", initial_sort_descending=False)
    count = NumberColumn(verbose_name="Values")
    uncertainty = NumberColumn(verbose_name="Uncertainty, k = 1")
    metric_unit = tables.Column(accessor="requirement__metric__unit", verbose_name="In", default="")
    waiver = tables.Column(default="", linkify=lambda record: record.waiver and record.waiver.get_absolute_url())
    why = WhyColumn(length=120)
    computed_at = UtcColumn(verbose_name="Reckoned", style="min")

    class Meta(Table.Meta):
        model = Compliance
        fields: tuple[str, ...] = ()
        order_by = ("days_left",)

    def order_days_left(self, queryset: Any, descending: bool) -> tuple[Any, bool]:
        return _known_first(queryset, "days_left", descending)

    def order_margin(self, queryset: Any, descending: bool) -> tuple[Any, bool]:
        return _known_first(queryset, "margin", descending)

    def order_breach_on(self, queryset: Any, descending: bool) -> tuple[Any, bool]:
        return _known_first(queryset, "breach_on", descending)

    def order_value(self, queryset: Any, descending: bool) -> tuple[Any, bool]:
        return _known_first(queryset, "value", descending)

    def render_state(self, record: Compliance) -> SafeString:
        kind, word = WORDS[matrix.State(record.state)]
        return tags.tag(record.state, label=word, kind=kind)

    def value_state(self, record: Compliance) -> str:
        return record.state

    def render_value(self, record: Compliance) -> SafeString:
        return format_html('<a href="{}">{}</a>', matrix.trend_address(record), view_of(record).value)

    def render_limit(self, record: Compliance) -> str:
        return matrix.asked_of(record)

    def value_limit(self, record: Compliance) -> str:
        return matrix.asked_of(record)

    def render_margin(self, value: float) -> str:
        return numbers.signed(float(f"{value:.3g}"))

    def render_trend(self, record: Compliance) -> str:
        view = view_of(record)
        return f"{view.arrow} {view.trend}"


def _known_first(queryset: Any, name: str, descending: bool) -> tuple[Any, bool]:
    """Rows without the number come last, and first when it is turned round, on either database."""
    rest = (F("margin").asc(nulls_last=True), "requirement__code", "unit", "band", "pk")
    if descending:
        return queryset.order_by(F(name).desc(nulls_first=True), *rest), True
    return queryset.order_by(F(name).asc(nulls_last=True), *rest), True


class CellList(ListPage):
    policy_action = "monitoring.view"
    title = "Compliance: all cells"
    subtitle = "Sorted by the days that are left until a drift crosses its limit"
    template_name = "monitoring/compliance/cells.html"
    filterset_class = ComplianceFilter
    table_class = CellTable
    primary_filters = ("q", "unit", "state")
    columns_off = (
        "title",
        "breach_from",
        "breach_to",
        "uncertainty",
        "metric_unit",
        "waiver",
        "computed_at",
        "count",
        "why",
    )
    empty_text = "The sweeper reckons a cell for every requirement, unit and band within a minute of its start."

    def get_queryset(self) -> Any:
        return matrix.cells().prefetch_related("requirement__limits")
