"""Pages of quality control."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views import View

from mpc.products.models import Product
from mpc.ui.views import ListPage, Page, PolicyMixin
from qc import reading, services
from qc.filters import ReportFilter
from qc.models import CheckResult, CheckStatus, QualityReport
from qc.tables import ReportTable


class ReportList(ListPage):
    policy_action = "qc.view"
    title = "Quality control"
    subtitle = "The newest report of each product"
    queryset = QualityReport.objects.filter(current=True).select_related("product")
    filterset_class = ReportFilter
    table_class = ReportTable
    primary_filters = ("q", "verdict", "unit", "level")
    empty_text = "Reports appear here by themselves when products arrive and a worker has checked them."
    empty_action = ("Upload a product", "products:upload")


class ReportPage(Page):
    """The quality report of one product: verdict first, then what is wrong, then the rest."""

    policy_action = "qc.view"
    template_name = "qc/report.html"

    @cached_property
    def product(self) -> Product:
        return get_object_or_404(Product.objects.select_related("gipp_set"), name=self.kwargs["name"])

    @cached_property
    def report(self) -> QualityReport | None:
        return services.current_report(self.product)

    def get_template_names(self) -> list[str]:
        if self.report is None:
            return ["qc/report_waiting.html"]
        part = getattr(self.request, "htmx", False) and self.request.htmx.target
        parts = {
            "checks": "qc/parts/checks.html",
            "focal-plane": "qc/parts/focal_plane.html",
            "band": "qc/parts/band.html",
        }
        return [parts.get(part, self.template_name)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(product=self.product, report=self.report, **kwargs)
        context["page_title"] = f"Quality report {self.product.name}"
        if self.report is None:
            context["run"] = self.product.runs.filter(kind="qc.product").order_by("-pk").first()
            return context
        statistics = list(self.report.band_statistics.all())
        tiles = sorted({s.tile for s in statistics})
        tile = self._choice("tile", tiles, tiles[0] if tiles else "")
        of_tile = [s for s in statistics if s.tile == tile]
        codes = [s.code for s in reading.STATISTICS]
        statistic = self._choice("statistic", codes, "relative")
        scale = self._choice("scale", reading.SCALES, "reflectance")
        images = [f"{s.band}-{s.resolution}" for s in of_tile]
        image = self._choice("image", images, images[0] if images else "")
        shown = next((s for s in of_tile if f"{s.band}-{s.resolution}" == image), None)
        context.update(
            checks=reading.checks_shown(self.report, self.request.GET.get("checks", "")),
            olqc=list(self.report.olqc_reports.prefetch_related("checks")),
            tiles=tiles,
            tile=tile,
            statistics=reading.STATISTICS,
            statistic=statistic,
            scale=scale,
            scales=reading.SCALES,
            plane=reading.plane(of_tile, statistic, scale) if of_tile else None,
            band_rows=reading.band_table(of_tile, scale),
            images=[(f"{s.band}-{s.resolution}", f"{s.band} {s.resolution} m") for s in of_tile],
            image=image,
            shown=shown,
            histogram=reading.histogram_figure(shown, scale) if shown else None,
            detectors=reading.detector_figure(shown, scale) if shown else None,
            pictures=_pictures(self.report, tile),
            older=QualityReport.objects.filter(product=self.product, current=False).count(),
        )
        return context

    def _choice(self, name: str, known: Any, default: str) -> str:
        wanted = self.request.GET.get(name, "")
        return wanted if wanted in known else default


def _pictures(report: QualityReport, tile: str) -> dict[str, Any] | None:
    """The quick-look of a tile and what can be laid over it: pictures of the run, on one frame."""
    pictures = [a for a in report.run.artifacts.all() if a.media_type == "image/png"]
    of_tile = [a for a in pictures if tile and tile in a.name] or pictures
    base = next((a for a in of_tile if "quicklook" in a.name), None)
    if base is None:
        return None
    return {"base": base, "overlays": [a for a in of_tile if "overlay" in a.name]}


class ReportJson(PolicyMixin, View):
    """The whole report as JSON, as the command ``report`` prints it."""

    policy_action = "qc.view"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        product = get_object_or_404(Product, name=kwargs["name"])
        report = services.current_report(product)
        if report is None:
            raise Http404(f"{product.name} has no quality report yet")
        return JsonResponse(services.report_as_dict(report))


def product_panel(request: HttpRequest, product: Product) -> dict[str, Any]:
    """On the page of a product: how it stands and what did not pass."""
    report = services.current_report(product)
    link = ("Whole report", reverse("qc:report", kwargs={"name": product.name}))
    trouble = list(report.checks.exclude(status=CheckStatus.PASSED)[:8]) if report else []
    return {"report": report, "trouble": trouble, "head_link": link}


def run_panel(request: HttpRequest, run: Any) -> dict[str, Any] | None:
    """On the page of a run: the report that it made."""
    report = QualityReport.objects.filter(run=run).select_related("product").first()
    return {"report": report} if report else None


def trouble_card(request: HttpRequest) -> dict[str, Any]:
    """On the home page: the newest products that failed, and the checks that fail most."""
    since = timezone.now() - timedelta(days=7)
    recent = QualityReport.objects.filter(current=True, made__gte=since)
    bad = (CheckStatus.FAILED, CheckStatus.ERROR)
    frequent = (
        CheckResult.objects.filter(report__in=recent, status__in=bad)
        .values("check_id", "title")
        .annotate(n=Count("pk"))
        .order_by("-n", "check_id")[:6]
    )
    failed = recent.filter(verdict="FAILED").select_related("product").order_by("-made")[:8]
    return {"failed": list(failed), "frequent": list(frequent), "checked": recent.count()}
