"""Pages of the trend explorer: one metric or several, their figures, their points as files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.views import View

from mpc.monitoring import reading
from mpc.monitoring.filters import BY_SERIES, WHOLE
from mpc.monitoring.limits import Limits
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.reading import TooMany
from mpc.monitoring.tables import StatisticsTable
from mpc.monitoring.trends import points
from mpc.monitoring.trends.data import Shown, TooManySeries, order, read, statistics_of, words_of
from mpc.monitoring.trends.figure import BAR_LIMIT, plot_height, trend_figure
from mpc.monitoring.trends.filters import HOW, RESOLUTIONS, WINDOWS, ExplorerFilter, Look
from mpc.monitoring.trends.marks import Marks, change_label, overlays
from mpc.monitoring.trends.recipes import recipes
from mpc.ui.export import csv_lines, json_pieces
from mpc.ui.figures import FigureResponse, assembled, in_page
from mpc.ui.filters import FilterChip
from mpc.ui.numbers import number
from mpc.ui.views import ListPage, PolicyMixin

PARTS = ("band", "level", "baseline", "detector", "site")
METRIC_LIMIT = 6
"""Metrics that one page shows."""

SUGGESTED = 60


class AskedMetrics:
    """The metrics in the address, their series, and the filter over them."""

    request: HttpRequest
    kwargs: dict[str, Any]

    @cached_property
    def codes(self) -> list[str]:
        """In the order of the address, each once; what no code can be is left out."""
        if "code" in self.kwargs:
            return [self.kwargs["code"]]
        asked = dict.fromkeys(code.strip() for code in self.request.GET.getlist("metric"))
        return [code for code in asked if code and len(code) <= 60 and "\x00" not in code]

    @cached_property
    def metrics(self) -> list[Metric]:
        found = Metric.objects.in_bulk(self.codes[: 10 * METRIC_LIMIT]) if self.codes else {}
        if "code" in self.kwargs and not found:
            raise Http404(f"no metric {self.kwargs['code']}")
        return [found[code] for code in self.codes if code in found][:METRIC_LIMIT]

    @cached_property
    def series(self) -> list[Series]:
        if not self.metrics:
            return []
        return list(Series.objects.filter(metric__in=self.metrics, count__gt=0).order_by("pk"))

    @cached_property
    def mark(self) -> Measurement | None:
        """The measurement to ring in the plot."""
        text = self.request.GET.get("mark", "")
        if not (text.isdecimal() and len(text) < 19):
            return None
        return Measurement.objects.select_related("series").filter(pk=int(text)).first()

    @cached_property
    def asked(self) -> ExplorerFilter:
        measurements = Measurement.objects.shown()
        return ExplorerFilter(self.request.GET, measurements, series=self.series, request=self.request)

    @property
    def look(self) -> Look:
        return self.asked.look() if self.asked.is_valid() else Look()

    @property
    def zoom(self) -> Any:
        return self.asked.form.cleaned_data.get("zoom") if self.asked.is_valid() else None


@dataclass(frozen=True)
class Plot:
    """One plot of the page; ``figure`` is its figure as JSON that may stand in a page."""

    id: str
    shown: Shown
    figure: str
    height: int
    without: str

    @property
    def metric(self) -> Metric:
        return self.shown.metric


class Explorer(AskedMetrics, ListPage):
    """Plots of some metrics over one time, and below them what each series does."""

    policy_action = "monitoring.view"
    template_name = "monitoring/trend.html"
    results_template = "monitoring/trend_results.html"
    filterset_class = ExplorerFilter
    table_class = StatisticsTable
    export_by_run = False
    primary_filters = ("unit", "band", "since", "until")
    empty_text = "No run has measured this yet. Values appear here by themselves when one has."

    def get_queryset(self) -> QuerySet:
        return Measurement.objects.shown()

    def get_filterset(self, filterset_class: Any) -> ExplorerFilter:
        # An empty address is a filter too: it says "of these metrics".
        return self.asked

    # --- Words ------------------------------------------------------------------------------------------------------
    @property
    def single(self) -> Metric | None:
        return self.metrics[0] if "code" in self.kwargs else None

    def get_title(self) -> str:
        if self.single:
            return self.single.name
        return ", ".join(m.name for m in self.metrics) or "Trends side by side"

    def get_subtitle(self) -> str:
        return self.single.description if self.single else "Several metrics over one time"

    def get_list_name(self) -> str:
        return f"monitoring.trend.{self.single.code}" if self.single else "monitoring.explore"

    @property
    def columns_off(self) -> tuple[str, ...]:  # type: ignore[override]
        """Parts by which no metric is divided, and limits that there are not."""
        off = [name for name in PARTS if not any(getattr(s, name) for s in self.series)]
        if len(self.metrics) < 2:
            off.append("metric")
        return tuple(off)

    # --- Data -------------------------------------------------------------------------------------------------------
    @cached_property
    def refusal(self) -> str:
        """Why nothing is drawn although something fits; "" when it is."""
        return self._read[1]

    @cached_property
    def shown(self) -> list[Shown]:
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[list[Shown], str]:
        if not self.asked.is_valid():
            return [], ""
        try:
            return read(self.metrics, self.asked, self.look.resolution), ""
        except TooMany as too_many:
            return [], (
                f"More than {number(too_many.limit)} values fit, more than one plot shows. None was left out in "
                "silence: narrow the filter to a shorter time, one unit, one band or one tile."
            )
        except TooManySeries as too_many:
            return [], (
                f"{number(too_many.count)} series fit, more than one plot can tell apart. Choose a band, a unit or a "
                "detector."
            )

    def get_table_data(self) -> list[Any]:
        return [row for one in self.shown for row in statistics_of(one)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.request.GET.get("format"):
            return context
        drawn = [one for one in self.shown if one.points]
        kept = self.kept_query()
        kept.pop("sort", None)
        marked = self.mark
        keys = {p.series.pk for one in drawn for p in one.points}
        context["chips"] = [_readable(chip, self.zoom) for chip in context["chips"]]
        context.update(
            metric=self.single,
            metrics=self.metrics,
            unknown=[code for code in self.codes if code not in {m.code for m in self.metrics}],
            refusal=self.refusal,
            narrowed=self.narrowed() if self.refusal else "",
            ways=self.ways() if self.refusal else [],
            values=sum(one.values for one in drawn),
            first=min((one.span[0] for one in drawn if one.span), default=None),
            last=max((one.span[1] for one in drawn if one.span), default=None),
            words=words_of(drawn),
            plots=[self.plot(i, one) for i, one in enumerate(drawn)],
            notes=list(self.notes(drawn)),
            look=self.look,
            form_resolution=(("", "as many as fit"), *RESOLUTIONS),
            asked_resolution=self.look.resolution if self.look.resolution != "auto" else "",
            trends_url=reverse("monitoring:trends"),
            clear_query="" if self.single else urlencode([("metric", m.code) for m in self.metrics]),
            windows=WINDOWS,
            zoomed=self.zoom,
            mark=marked.pk if marked else None,
            mark_outside=marked is not None and marked.series_id not in keys,
            trail=kept.urlencode(),
            points_url=f"{self.own('points')}?{kept.urlencode()}",
            recipes=recipes(self.request.build_absolute_uri("/").rstrip("/"), [m.code for m in self.metrics], kept),
            other_fields=[f for f in context["other_fields"] if f.name not in HOW or f.is_hidden],
            compare_query=urlencode(
                [("metric", self.metrics[0].code), *((n, v) for n in BY_SERIES for v in kept.getlist(n))]
            )
            if self.metrics
            else "",
            happened=self.happened(drawn),
            explore_url=reverse("monitoring:explore"),
            carried=[(k, v) for k, values in kept.lists() for v in values if k not in ("metric", "mark", "yrange")],
            suggested=self.suggested(),
        )
        return context

    def own(self, what: str) -> str:
        """The address of the figure or the points of this page."""
        if self.single:
            return reverse(f"monitoring:trend-{what}", kwargs={"code": self.single.code})
        return reverse(f"monitoring:explore-{what}")

    def plot(self, number_: int, shown: Shown) -> Plot:
        without = self.kept_query()
        without.setlist("metric", [m.code for m in self.metrics if m != shown.metric])
        drawn = trend_figure(shown, self.marks.of(shown), self.look, self.zoom, self.mark)
        return Plot(
            id=f"trend-{number_}",
            shown=shown,
            figure=in_page(drawn),
            height=plot_height(len(shown.bands)),
            without=without.urlencode(),
        )

    def notes(self, drawn: Iterable[Shown]) -> Iterable[str]:
        """What a reader has to know about the look."""
        look = self.look
        for one in drawn:
            if one.resolution == "value" and one.uncertain and one.drawn > BAR_LIMIT and look.shows("bars"):
                yield (
                    f"More than {number(BAR_LIMIT)} points: their error bars would hide one another and are not drawn. "
                    "A click on a point tells its uncertainty."
                )
            if look.log:
                lost = sum(int((p.values <= 0).sum()) for p in one.points)
                if lost:
                    where = f"points of {one.metric.name} are not above zero and have"
                    yield f"{number(lost)} {where} no place on a logarithmic scale."
            if look.window and one.resolution == "month" and look.window < 90:
                yield "The window of the moving median holds fewer than three months, so no median is drawn."

    def narrowed(self) -> str:
        """The query of the newest stretch whose values fit."""
        window = reading.opening_window(self.asked.chosen)
        if window is None:
            return ""
        changed = self.request.GET.copy()
        changed["since"] = window[0].isoformat()
        return changed.urlencode()

    def ways(self) -> list[tuple[str, str]]:
        """Filters that make fewer series, as names and queries: the first part that tells the chosen ones apart."""
        for part in ("band", "detector", "unit", "site", "baseline"):
            values = dict.fromkeys(getattr(s, part) for s in sorted(self.asked.chosen, key=order))
            if len(values) > 1:
                return [(value or "not divided", self._with(part, value or WHOLE)) for value in values]
        return []

    def _with(self, part: str, value: str) -> str:
        changed = self.kept_query()
        changed[part] = value
        return changed.urlencode()

    @cached_property
    def marks(self) -> Marks:
        drawn = [p.series for one in self.shown for p in one.points]
        spans = [one.span for one in self.shown if one.span]
        span = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None
        limits = Limits.load([m.pk for m in self.metrics]) if drawn and self.look.shows("limits") else None
        return overlays(drawn, self.zoom or span, self.look, limits)

    def happened(self, drawn: list[Shown]) -> list[dict[str, Any]]:
        """Events and changes in the time that is shown, newest first, for who does not see the plot."""
        units = {one.metric.code: one.metric.unit for one in drawn}
        rows = [
            {"time": e.start, "end": e.end, "what": str(e), "url": e.get_absolute_url(), "kind": e.get_kind_display()}
            for e in self.marks.events
        ]
        rows += [
            {
                "time": c.time,
                "what": f"{change_label(c, units.get(c.series.metric_id, ''))}, {c.series.part}",
                "kind": f"change, {c.get_explained_display()}",
                "change": c,
            }
            for c in self.marks.changes
        ]
        return sorted(rows, key=lambda row: row["time"], reverse=True)

    def suggested(self) -> SafeString | str:
        """Metrics that may stand beside these, as options."""
        if len(self.metrics) >= METRIC_LIMIT:
            return ""
        others = Metric.objects.exclude(pk__in=[m.pk for m in self.metrics]).values_list("code", "name")
        return format_html_join("", '<option value="{}">{}</option>', others[:SUGGESTED])


def _readable(chip: FilterChip, zoom: Any) -> FilterChip:
    if chip.label != "Zoomed to" or zoom is None:
        return chip
    return replace(chip, value=f"{zoom[0]:%Y-%m-%d %H:%M} to {zoom[1]:%Y-%m-%d %H:%M} UTC")


class FigureData(AskedMetrics, PolicyMixin, View):
    """The figure of one metric, with the filter of its page; ``plot`` says which where there are several."""

    policy_action = "monitoring.view"
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        drawn = [m for m in self.metrics if m.code == request.GET.get("plot", m.code)][:1]
        if not drawn:
            return FigureResponse(assembled([], empty="No metric was chosen."))
        if not self.asked.is_valid():
            return FigureResponse(assembled([], empty="A filter could not be read, so nothing is drawn."))
        try:
            (shown,) = read(drawn, self.asked, self.look.resolution)
        except TooMany as too_many:
            text = f"More than {number(too_many.limit)} values fit: narrow the filter."
            return FigureResponse(assembled([], empty=text))
        except TooManySeries as too_many:
            text = f"{number(too_many.count)} series fit: choose a band, a unit or a detector."
            return FigureResponse(assembled([], empty=text))
        span = self.zoom or shown.span
        marks = overlays([p.series for p in shown.points], span, self.look, Limits.load([shown.metric.pk]))
        return FigureResponse(trend_figure(shown, marks, self.look, self.zoom, self.mark))


class PointsFile(AskedMetrics, PolicyMixin, View):
    """The points that a page shows, as CSV or JSON."""

    policy_action = "monitoring.view"
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        file_format = request.GET.get("format", "csv")
        if file_format not in ("csv", "json"):
            raise BadRequest(f"format={file_format}: csv and json are known")
        if not self.asked.is_valid():
            raise BadRequest("a filter could not be read, so there are no points")
        try:
            shown = read(self.metrics, self.asked, self.look.resolution)
        except (TooMany, TooManySeries) as too_many:
            raise BadRequest(f"{too_many}: narrow the filter") from None
        rows = points.rows_of(shown)
        if file_format == "csv":
            pieces, kind = csv_lines(points.COLUMNS, rows), "text/csv; charset=utf-8"
        else:
            pieces, kind = json_pieces(points.COLUMNS, rows), "application/json"
        response = StreamingHttpResponse(pieces, content_type=kind)
        response["Content-Disposition"] = f'attachment; filename="{self.file_name}.{file_format}"'
        return response

    @property
    def file_name(self) -> str:
        codes = [code for code in self.codes if code.replace(".", "").replace("_", "").isalnum() and code.isascii()]
        return "-".join(codes[:3]) or "points"


__all__ = ["Explorer", "FigureData", "PointsFile"]
