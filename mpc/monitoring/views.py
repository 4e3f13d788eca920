"""Pages of trends."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from mpc.monitoring import reading
from mpc.monitoring.filters import MetricFilter, TrendFilter
from mpc.monitoring.models import Measurement, Metric, RefusedMeasurement, Series
from mpc.monitoring.reading import TABLE_LIMIT, TooMany
from mpc.monitoring.tables import MetricTable, ValueTable
from mpc.ui.search import SearchHit
from mpc.ui.views import ListPage

REFUSED_SHOWN = 50
PARTS = ("band", "level", "baseline", "detector", "site")


class Catalogue(ListPage):
    """Every metric that has values; the counts are those that the series keep."""

    policy_action = "monitoring.view"
    title = "Trends"
    subtitle = "Every number that is followed over time"
    filterset_class = MetricFilter
    table_class = MetricTable
    primary_filters = ("q", "unit")
    columns_off = ("method",)
    empty_text = (
        "A metric appears here with its first value. Quality control measures each product that arrives: take one in, "
        "and its reflectances, no-data and saturation stand here when a worker has checked it."
    )
    empty_action = ("Upload a product", "products:upload")

    def get_queryset(self) -> QuerySet:
        return Metric.objects.measured()


class OneMetric:
    """The metric in the address, its series, and the filter over its current measurements."""

    request: HttpRequest
    kwargs: dict[str, Any]

    @cached_property
    def metric(self) -> Metric:
        return get_object_or_404(Metric, code=self.kwargs["code"])

    @cached_property
    def series(self) -> list[Series]:
        return list(Series.objects.filter(metric=self.metric, count__gt=0))

    @cached_property
    def mark(self) -> int | None:
        """Key of the measurement to ring in the plot."""
        text = self.request.GET.get("mark", "")
        return int(text) if text.isdecimal() and len(text) < 19 else None

    def measurements(self) -> QuerySet:
        return Measurement.objects.shown()

    def filter_of(self) -> TrendFilter:
        return TrendFilter(self.request.GET, self.measurements(), series=self.series, request=self.request)

    def opening(self) -> HttpResponse | None:
        """Lead to the newest stretch (or the one around the mark) where all values would be too many for a plot."""
        query = self.request.GET
        if any(query.get(name) for name in ("since", "until", "product", "tile", "zoom")) or query.get("format"):
            return None
        asked = self.filter_of()
        if not asked.is_valid():
            return None
        asked.qs  # noqa: B018 - chooses the series
        window = reading.opening_window(asked.chosen)
        if window is not None and self.mark:
            marked = self.measurements().filter(pk=self.mark).values_list("time", flat=True).first()
            window = reading.opening_window(asked.chosen, around=marked)
        if window is None:
            return None
        return HttpResponseRedirect(f"{self.request.path}?{_with_days(query, *window)}")


def _with_days(query: Any, since: date, until: date | None) -> str:
    changed = query.copy()
    changed["since"] = since.isoformat()
    if until:
        changed["until"] = until.isoformat()
    return changed.urlencode()


class MetricListPage(OneMetric, ListPage):
    """What the pages of one metric share."""

    policy_action = "monitoring.view"
    filterset_class = TrendFilter
    primary_filters = ("unit", "band", "since", "until")
    list_prefix = ""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.opening() or super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet:
        return self.measurements()

    def get_filterset_kwargs(self, filterset_class: Any) -> dict[str, Any]:
        # An empty address is a filter too: it says "of this metric".
        return {**super().get_filterset_kwargs(filterset_class), "data": self.request.GET, "series": self.series}

    def get_title(self) -> str:
        return self.metric.name

    def get_list_name(self) -> str:
        return f"monitoring.{self.list_prefix}.{self.metric.code}"

    @property
    def columns_off(self) -> tuple[str, ...]:  # type: ignore[override]
        """Parts by which the metric is not divided."""
        return tuple(name for name in PARTS if not any(getattr(s, name) for s in self.series))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(metric=self.metric, **kwargs)
        context["trail"] = self.kept_query().urlencode()
        return context


class Values(MetricListPage):
    """The values of a metric as a table, with the filter of its trend."""

    template_name = "monitoring/values.html"
    results_template = "monitoring/values_results.html"
    table_class = ValueTable
    export_by_run = False  # beyond what a table holds there is the command that writes measurements
    list_prefix = "values"
    empty_text = "No run has measured this yet. Values appear here by themselves when one has."

    def get_title(self) -> str:
        return f"{self.metric.name}: values"

    def get_subtitle(self) -> str:
        return f"in {self.metric.unit}" if self.metric.unit else ""

    @property
    def columns_off(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*super().columns_off, "uncertainty", "no_uncertainty")

    @cached_property
    def too_many(self) -> bool:
        """Whether a table would have to count and sort more than it holds; the look ends there."""
        return self.object_list.order_by()[: TABLE_LIMIT + 1].count() > TABLE_LIMIT

    def get_table_data(self) -> QuerySet:
        if self.too_many:
            return self.object_list.none()
        return self.object_list.select_related("series", "product").only(
            *("time", "value", "uncertainty", "no_uncertainty", "samples", "job_kind", "run_id", "product__name"),
            *(f"series__{name}" for name in ("unit", *PARTS)),
        )

    def export(self, table: Any, file_format: str) -> HttpResponseBase:
        if not self.too_many:
            return super().export(table, file_format)
        context = {"limit": TABLE_LIMIT, "page_title": self.get_title(), "metric": self.metric}
        return render(self.request, "monitoring/too_many.html", context, status=413)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(too_many=TooMany(TABLE_LIMIT) if self.too_many else None, **kwargs)


# --- What other pages show -------------------------------------------------------------------------------------------
def product_panel(request: HttpRequest, product: Any) -> dict[str, Any] | None:
    """On the page of a product: what was measured of it."""
    groups = reading.groups_of(Measurement.objects.filter(product=product, current=True))
    return _parted(groups) if groups else None


def run_panel(request: HttpRequest, run: Any) -> dict[str, Any] | None:
    """On the page of a run: what it measured, also where a later run superseded it."""
    groups = reading.groups_of(Measurement.objects.filter(run=run))
    refused = list(RefusedMeasurement.objects.filter(run=run)[: REFUSED_SHOWN + 1])
    if not groups and not refused:
        return None
    rows = [row.measurement for group in groups for row in group.rows]
    return {
        **_parted(groups),
        "superseded": sum(not m.current for m in rows),
        "count": len(rows),
        "refused": refused[:REFUSED_SHOWN],
        "more_refused": len(refused) > REFUSED_SHOWN,
    }


def _parted(groups: list[reading.MeasuredGroup]) -> dict[str, Any]:
    """Metrics with one value stand in one table, the others each in their own."""
    return {"single": [g for g in groups if len(g.rows) == 1], "several": [g for g in groups if len(g.rows) > 1]}


def search_metrics(user: Any, query: str, limit: int) -> list[SearchHit]:
    """Metrics whose code or name holds every word of the query."""
    found = Metric.objects.all()
    for word in query.split():
        found = found.filter(Q(code__icontains=word) | Q(name__icontains=word))
    return [SearchHit(m.name, m.code, m.get_absolute_url(), "metric") for m in found[:limit]]
