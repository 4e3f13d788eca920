"""Pages of the catalogue: all metrics, one metric with its history, its form."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views import View

from mpc.monitoring.catalogue import is_declared
from mpc.monitoring.metrics import services
from mpc.monitoring.metrics.filters import CatalogueFilter
from mpc.monitoring.metrics.forms import MetricForm
from mpc.monitoring.metrics.tables import CatalogueTable
from mpc.monitoring.models import Metric, Series
from mpc.ui.views import DetailPage, ListPage, Page, PolicyMixin

SERIES_SHOWN = 60


class MetricCatalogue(ListPage):
    """Every metric that a job declares or that has values, those with values first."""

    policy_action = "monitoring.view"
    title = "Catalogue of metrics"
    subtitle = "What is measured, how, by which document, and which way is better"
    filterset_class = CatalogueFilter
    table_class = CatalogueTable
    primary_filters = ("q", "has", "kind")
    columns_off = ("method", "document", "edited")
    empty_text = "No job of this centre declares a metric that fits."

    def get_queryset(self) -> QuerySet:
        return Metric.objects.catalogued()


class MetricPage(DetailPage):
    """One metric: what it is, its series, who changed what of its entry."""

    policy_action = "monitoring.view"
    panel_kind = "monitoring.metric"
    template_name = "monitoring/metrics/metric.html"
    slug_field = slug_url_kwarg = "code"

    def get_queryset(self) -> QuerySet:
        return Metric.objects.catalogued()

    def get_subtitle(self) -> str:
        return self.object.description

    def get_breadcrumb(self) -> list[tuple[str, str]]:
        return [("Catalogue of metrics", reverse("monitoring:catalogue"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        filled = Series.objects.filter(metric=self.object, count__gt=0)
        return super().get_context_data(
            steps=services.history_of(self.object),
            series=list(filled[:SERIES_SHOWN]),
            declared_here=is_declared(self.object.code),
            **kwargs,
        )


class MetricEdit(Page):
    """The form of an entry."""

    policy_action = "monitoring.catalogue"
    template_name = "monitoring/metrics/edit.html"

    @cached_property
    def metric(self) -> Metric:
        return get_object_or_404(Metric, code=self.kwargs["code"])

    def get_title(self) -> str:
        return f"Edit {self.metric.name}"

    def get_subtitle(self) -> str:
        return self.metric.code

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=MetricForm(instance=self.metric)))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # The form writes what was sent into the row that it is given.
        form = MetricForm(request.POST, instance=Metric.objects.get(pk=self.metric.pk))
        if form.is_valid():
            try:
                services.edit_metric(self.metric.code, form.changes(), actor=request.user)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, f"{form.cleaned_data['name']}: the entry is kept.")
                return HttpResponseRedirect(reverse("monitoring:metric", kwargs={"code": self.metric.code}))
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(metric=self.metric, **kwargs)


class MetricFollow(PolicyMixin, View):
    """Takes back what people changed."""

    policy_action = "monitoring.catalogue"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        metric = get_object_or_404(Metric, code=code)
        try:
            services.follow_declaration(metric.code, actor=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, "The entry says what the software declares.")
        return HttpResponseRedirect(reverse("monitoring:metric", kwargs={"code": metric.code}))
