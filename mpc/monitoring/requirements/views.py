"""Pages of requirements."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.safestring import SafeString

from mpc.monitoring.compliance.matrix import Row, rows_of_requirement
from mpc.monitoring.forms import add_errors
from mpc.monitoring.history import history_of, newest_first, rows_of_records
from mpc.monitoring.models import Metric, Requirement, RequirementLimit
from mpc.monitoring.reading import band_order
from mpc.monitoring.requirements import forms, services
from mpc.monitoring.requirements.limits import FIELDS as LIMIT_FIELDS
from mpc.ui.filters import ChipFilter, SearchFilter
from mpc.ui.search import SearchHit
from mpc.ui.tables import IdColumn, NumberColumn, Table, WhyColumn
from mpc.ui.templatetags import mpc as tags
from mpc.ui.views import DetailPage, ListPage, Page

EDIT = "monitoring.requirements"
HISTORY_FIELDS = tuple("metric_id" if name == "metric" else name for name in services.FIELDS)
SUGGESTIONS = 200


class RequirementFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("code", "title", "document", "metric__code"), placeholder="Code, title or document")
    group = ChipFilter(label="Group", field_name="metric__group")
    verified = django_filters.BooleanFilter(label="Verified")
    edited = django_filters.BooleanFilter(label="Changed by people")

    class Meta:
        model = Requirement
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["group"].extra["choices"] = groups()


def groups() -> list[tuple[str, str]]:
    """Groups of metrics that requirements are about."""
    found = Requirement.objects.order_by("metric__group").values_list("metric__group", flat=True).distinct()
    return [(group, group) for group in found if group]


class RequirementTable(Table):
    code = IdColumn()
    title = tables.Column(attrs={"td": {"class": "prose"}})
    group = tables.Column(accessor="metric__group", default="–")
    statistic = tables.Column()
    window_days = NumberColumn(verbose_name="Window, d")
    limit_count = NumberColumn(verbose_name="Limits")
    document = WhyColumn(length=70)
    section = tables.Column(default="–", attrs={"td": {"class": "prose"}})
    verified = tables.Column(empty_values=())
    edited = tables.Column(empty_values=(), verbose_name="Changed")
    metric = IdColumn(accessor="metric_id", linkify=False)

    class Meta(Table.Meta):
        model = Requirement
        fields: tuple[str, ...] = ()
        order_by = ("code",)

    def render_verified(self, value: bool) -> SafeString:
        return tags.tag("verified", kind="pass") if value else tags.tag("unverified", kind="warn")

    def value_statistic(self, value: str) -> str:
        return value

    def render_edited(self, value: bool) -> str:
        return "by people" if value else "–"


class RequirementList(ListPage):
    policy_action = "monitoring.view"
    title = "Requirements"
    subtitle = "What each metric must be, and by which document"
    template_name = "monitoring/requirements/list.html"
    queryset = Requirement.objects.select_related("metric").annotate(limit_count=Count("limits"))
    filterset_class = RequirementFilter
    table_class = RequirementTable
    primary_filters = ("q", "group")
    columns_off = ("section", "metric", "edited")
    empty_text = (
        "Requirements are loaded from the centre's table after each migration, or by manage.py load_requirements."
    )


class RequirementPage(DetailPage):
    policy_action = "monitoring.view"
    queryset = Requirement.objects.select_related("metric").prefetch_related("limits")
    template_name = "monitoring/requirements/detail.html"
    panel_kind = "monitoring.requirement"
    slug_field = slug_url_kwarg = "code"

    def get_subtitle(self) -> str:
        return f"{self.object.code} · {self.object.metric.name}"

    def get_breadcrumb(self) -> list[tuple[str, str]]:
        return [("Compliance", reverse("monitoring:compliance")), ("Requirements", reverse("monitoring:requirements"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row: Row = rows_of_requirement(self.object)
        limits = sorted(self.object.limits.all(), key=lambda limit: (limit.unit, band_order(limit.band)))
        return super().get_context_data(
            limits=limits, row=row, history=history_of_requirement(self.object), wide=True, **kwargs
        )


def history_of_requirement(requirement: Requirement) -> list[Any]:
    """What was changed of the requirement and of its limits; two queries."""
    own = history_of(requirement.history.all(), HISTORY_FIELDS, "requirement")
    records = RequirementLimit.history.filter(requirement_id=requirement.pk).select_related("history_user")
    by_limit: dict[int, list[Any]] = {}
    for record in records.order_by("-history_date", "-history_id")[:300]:
        by_limit.setdefault(record.id, []).append(record)
    return newest_first(own, *(limit_rows(found, LIMIT_FIELDS) for found in by_limit.values()))


def limit_rows(records: list[Any], fields: tuple[str, ...]) -> list[Any]:
    """The changes of one limit, whose records are given newest first."""
    newest = records[0]
    where = " ".join(part for part in (newest.unit, newest.band) if part) or "all"
    return rows_of_records(records, fields, f"limit of {where}", told=True)


class RequirementFormPage(Page):
    policy_action = EDIT
    template_name = "monitoring/requirements/form.html"

    def answer(self, form: Any, lines: Any, status: int = 200) -> HttpResponse:
        codes = Metric.objects.order_by("code").values_list("code", flat=True)[:SUGGESTIONS]
        context = self.get_context_data(form=form, lines=lines, metrics=list(codes))
        return self.render_to_response(context, status=status)


class RequirementAdd(RequirementFormPage):
    title = "Add a requirement"

    def get(self, request: HttpRequest) -> HttpResponse:
        initial = {"metric": request.GET.get("metric", "")[:60], "window_days": 90, "statistic": "mean"}
        return self.answer(forms.NewRequirementForm(initial=initial), forms.limit_lines())

    def post(self, request: HttpRequest) -> HttpResponse:
        form, lines = forms.NewRequirementForm(request.POST), forms.limit_lines(request.POST)
        if form.is_valid() & lines.is_valid():
            fields = dict(form.cleaned_data)
            try:
                made = services.make_requirement(request.user, fields.pop("code"), fields, forms.rows_of(lines))
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, f"{made.code} is kept; its cells are reckoned within a minute.")
                return HttpResponseRedirect(made.get_absolute_url())
        return self.answer(form, lines, 422)


class RequirementEdit(RequirementFormPage):
    def load(self) -> Requirement:
        if not hasattr(self, "requirement"):
            found = Requirement.objects.select_related("metric").prefetch_related("limits")
            self.requirement = get_object_or_404(found, code=self.kwargs["code"])
        return self.requirement

    def get_title(self) -> str:
        return f"Change “{self.load().title}”"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(requirement=self.load(), **kwargs)

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        found = self.load()
        return self.answer(
            forms.RequirementForm(initial=forms.RequirementForm.initial_of(found)), forms.limit_lines(None, found)
        )

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        found, form = self.load(), forms.RequirementForm(request.POST)
        lines = forms.limit_lines(request.POST, found)
        if form.is_valid() & lines.is_valid():
            try:
                changed = services.change_requirement(found, request.user, form.cleaned_data, forms.rows_of(lines))
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(
                    request,
                    f"{found.code} is changed; its cells are reckoned within a minute."
                    if changed
                    else "Nothing was changed.",
                )
                return HttpResponseRedirect(found.get_absolute_url())
        return self.answer(form, lines, 422)


def search_requirements(user: Any, query: str, limit: int) -> list[SearchHit]:
    """Requirements whose code, title or document hold every word of the query; one query."""
    found: QuerySet = Requirement.objects.all()
    for word in query.split():
        found = found.filter(Q(code__icontains=word) | Q(title__icontains=word) | Q(document__icontains=word))
    return [SearchHit(r.code, r.title, r.get_absolute_url(), "requirement") for r in found[:limit]]
