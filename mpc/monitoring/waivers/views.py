"""Pages of waivers."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any

import django_filters
import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views import View

from mpc.monitoring.forms import add_errors
from mpc.monitoring.history import history_of
from mpc.monitoring.models import Compliance, Waiver
from mpc.monitoring.waivers import services
from mpc.monitoring.waivers.forms import WaiverForm, suggestions
from mpc.msi.units import UNITS
from mpc.ui.filters import ChipFilter, DayInput, SearchFilter
from mpc.ui.tables import Table, UnitColumn, UtcColumn, WhyColumn
from mpc.ui.templatetags import mpc as tags
from mpc.ui.views import DetailPage, ListPage, Page, PolicyMixin

EDIT = "monitoring.waive"
HOLDS, LATER, OVER, WITHDRAWN = "holds", "later", "over", "withdrawn"
_KINDS = {HOLDS: "warn", LATER: "idle", OVER: "idle", WITHDRAWN: "idle"}
HISTORY_FIELDS = ("title", "reason", "unit", "band", "detector", "valid_from", "valid_to", "withdrawn_at")


def today() -> date:
    return timezone.now().astimezone(UTC).date()


def state_of(waiver: Waiver) -> str:
    """Whether it excuses today."""
    if waiver.withdrawn_at is not None:
        return WITHDRAWN
    if waiver.valid_from > today():
        return LATER
    return HOLDS if waiver.valid_to >= today() else OVER


class WaiverFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("title", "reason", "requirement__code", "metric__code"), placeholder="Title or reason")
    unit = ChipFilter(label="Unit", choices=[(u, u) for u in UNITS], method="by_unit")
    state = ChipFilter(label="State", choices=[(s, s) for s in _KINDS], method="by_state")
    ends_since = django_filters.DateFilter(field_name="valid_to", lookup_expr="gte", label="Ends from", widget=DayInput)
    ends_until = django_filters.DateFilter(field_name="valid_to", lookup_expr="lte", label="Ends by", widget=DayInput)
    withdrawn = django_filters.BooleanFilter(
        field_name="withdrawn_at", lookup_expr="isnull", exclude=True, label="Withdrawn"
    )

    class Meta:
        model = Waiver
        fields: list[str] = []

    def by_unit(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        return queryset.filter(unit__in=["", *value]) if value else queryset

    def by_state(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        now, stands = today(), Q(withdrawn_at__isnull=True)
        by_name = {
            HOLDS: stands & Q(valid_from__lte=now, valid_to__gte=now),
            LATER: stands & Q(valid_from__gt=now),
            OVER: stands & Q(valid_to__lt=now),
            WITHDRAWN: ~stands,
        }
        wanted = Q()
        for one in value:
            wanted |= by_name[one]
        return queryset.filter(wanted)


class WaiverTable(Table):
    state = tables.Column(empty_values=(), orderable=False, accessor="pk")
    title = tables.Column(linkify=True, attrs={"td": {"class": "prose"}})
    excuses = tables.Column(empty_values=(), orderable=False, accessor="pk")
    unit = UnitColumn(empty_values=())
    band = tables.Column(default="all")
    detector = tables.Column(default="all")
    valid_from = UtcColumn(verbose_name="From", style="date")
    valid_to = UtcColumn(verbose_name="Until", style="date")
    reason = WhyColumn(length=90)
    author = tables.Column(accessor="author__username", verbose_name="By", default="–")

    class Meta(Table.Meta):
        model = Waiver
        fields: tuple[str, ...] = ()
        order_by = ("-valid_to",)

    def render_state(self, record: Waiver) -> SafeString:
        state = state_of(record)
        return tags.tag(state, kind=_KINDS[state])

    def value_state(self, record: Waiver) -> str:
        return state_of(record)

    def render_excuses(self, record: Waiver) -> str:
        return record.requirement.code if record.requirement else str(record.metric_id)

    def value_excuses(self, record: Waiver) -> str:
        return self.render_excuses(record)

    def render_unit(self, value: str) -> SafeString | str:
        return tags.unit(value) if value else "all"


class WaiverList(ListPage):
    policy_action = "monitoring.view"
    title = "Waivers"
    subtitle = "Known limits of the data, which excuse a breach until a day"
    template_name = "monitoring/waivers/list.html"
    queryset = Waiver.objects.select_related("requirement", "author")
    filterset_class = WaiverFilter
    table_class = WaiverTable
    primary_filters = ("q", "unit", "state")
    columns_off = ("detector",)
    empty_text = "A waiver says that a breach is known and accepted until a day, by whom and why. None was granted yet."


class WaiverPage(DetailPage):
    policy_action = "monitoring.view"
    queryset = Waiver.objects.select_related("requirement", "metric", "author")
    template_name = "monitoring/waivers/detail.html"
    panel_kind = "monitoring.waiver"

    def get_subtitle(self) -> str:
        return f"{self.object.valid_from} to {self.object.valid_to}"

    def get_status(self) -> str:
        return ""

    def get_breadcrumb(self) -> list[tuple[str, str]]:
        return [("Compliance", reverse("monitoring:compliance")), ("Waivers", reverse("monitoring:waivers"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        excused = Compliance.objects.filter(waiver=self.object).select_related("requirement")
        state = state_of(self.object)
        return super().get_context_data(
            history=history_of(self.object.history.all(), HISTORY_FIELDS),
            excused=list(excused[:50]),
            state=state,
            state_kind=_KINDS[state],
            wide=True,
            **kwargs,
        )


class WaiverAdd(Page):
    policy_action = EDIT
    template_name = "monitoring/waivers/form.html"
    title = "Grant a waiver"

    def answer(self, form: WaiverForm, status: int = 200) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form, suggested=suggestions()), status=status)

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = {name: request.GET.get(name, "")[:60] for name in ("requirement", "metric", "unit", "band")}
        days = {"valid_from": today(), "valid_to": today() + timedelta(days=90)}
        return self.answer(WaiverForm(initial={**asked, **days}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = WaiverForm(request.POST)
        if form.is_valid():
            try:
                waiver = services.grant(request.user, form.cleaned_data)
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, f"“{waiver.title}” is granted; the matrix shows it within a minute.")
                return HttpResponseRedirect(waiver.get_absolute_url())
        return self.answer(form, 422)


class WaiverWithdraw(PolicyMixin, View):
    policy_action = EDIT
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        waiver = get_object_or_404(Waiver, pk=pk)
        try:
            services.withdraw(waiver, request.user, request.POST.get("reason", ""))
        except services.CannotChange as reason:
            messages.error(request, str(reason))
        else:
            messages.success(request, f"“{waiver.title}” is withdrawn: it excuses nothing any more.")
        return HttpResponseRedirect(waiver.get_absolute_url())
