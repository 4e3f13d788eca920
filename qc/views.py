"""Pages of quality control."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views import View
from django_htmx.http import HttpResponseClientRefresh

from mpc.monitoring.registrations import MEASURED
from mpc.monitoring.views import run_panel as measured_in
from mpc.products.models import Product
from mpc.runs import services as runs
from mpc.runs.models import Run, State
from mpc.ui import parts
from mpc.ui.views import ListPage, Page, PolicyMixin
from qc import reading, services
from qc.filters import ReportFilter
from qc.models import BandStatistics, CheckResult, CheckStatus, QualityReport
from qc.tables import ReportTable

KIND = "qc.product"
REPORTS_SHOWN = 20
BAD = (CheckStatus.FAILED, CheckStatus.ERROR)


class ReportList(ListPage):
    policy_action = "qc.view"
    title = "Quality control"
    subtitle = "The newest report of each product; opens on what did not pass"
    queryset = QualityReport.objects.shown().select_related("product")
    filterset_class = ReportFilter
    table_class = ReportTable
    primary_filters = ("q", "verdict", "unit", "level")
    columns_off = ("tile", "made", "run", "required_failed")
    default_query = "verdict=FAILED&verdict=INCOMPLETE"
    empty_text = "Reports appear here by themselves when products arrive and a worker has checked them."
    empty_action = ("Upload a product", "products:upload")


class OneProduct:
    """The product in the address, and what is known of its quality control."""

    request: HttpRequest
    kwargs: dict[str, Any]

    @cached_property
    def product(self) -> Product:
        found = Product.objects.select_related("gipp_set").filter(name=self.kwargs["name"]).first()
        if found is None:
            raise Http404(f"No product “{self.kwargs['name']}” is in the inventory.")
        return found

    @cached_property
    def reports(self) -> list[QualityReport]:
        """The reports of the product, the newest first."""
        return list(QualityReport.objects.filter(product=self.product).select_related("run", "product")[:REPORTS_SHOWN])

    @cached_property
    def report(self) -> QualityReport | None:
        """The report that ``?report=`` names, else the newest; none for a product that was not checked yet."""
        wanted = self.request.GET.get("report", "")
        if not wanted:
            return next((report for report in self.reports if report.current), None)
        found = next((report for report in self.reports if str(report.pk) == wanted), None)
        if found is None and wanted.isdecimal() and len(wanted) < 16:
            own = QualityReport.objects.filter(product=self.product, pk=int(wanted))
            found = own.select_related("run", "product").first()
        if found is None:
            raise Http404(f"{self.product.name} has no report {wanted}.")
        return found


def newest_run(product: Product) -> Run | None:
    """The quality control of a product that was asked for last."""
    return product.runs.filter(kind=KIND).order_by("-pk").first()


def run_news(run: Run | None, report: QualityReport | None) -> dict[str, Any]:
    """What a reader must know beside the report: a run under way, or a later one that left no report."""
    later = run is not None and (report is None or run.pk > report.run_id)
    return {
        "active_run": run if run is not None and run.active else None,
        "lost_run": run if later and run.state in (State.FAILED, State.CANCELLED) else None,
    }


class ReportPage(OneProduct, Page):
    """The quality report of one product: verdict first, then what is wrong, then the rest.

    Parts ask for themselves: ``checks``, and ``statistics``, which brings the focal plane with it.
    """

    policy_action = "qc.view"
    template_name = "qc/report.html"
    part_templates = {"checks": "qc/parts/checks.html", "statistics": "qc/parts/statistics_and_plane.html"}

    @cached_property
    def part(self) -> str:
        """The part that is asked for, "" for the whole page."""
        htmx = getattr(self.request, "htmx", None)
        return htmx.target if htmx and htmx.target in self.part_templates else ""

    def get_template_names(self) -> list[str]:
        if self.report is None:
            return ["qc/report_waiting.html"]
        return [self.part_templates.get(self.part, self.template_name)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        report = self.report
        context = super().get_context_data(product=self.product, report=report, **kwargs)
        context["page_title"] = f"Quality report {self.product.name}"
        if report is None:
            run = newest_run(self.product)
            return {**context, "run": run, **run_news(run, None)}
        if self.part == "checks":
            return {**context, "checks": self._checks(report)}
        context.update(self._statistics(report))
        if self.part == "statistics":
            return context
        return {
            **context,
            **run_news(newest_run(self.product), report),
            "checks": self._checks(report),
            "olqc": reading.olqc_shown(report),
            "pictures": pictures_of(report, context["tile"]),
            "measured": parts.draw("Trended values", "partials/panel.html", self._measured, self.request),
            "scenes": self._scenes(report, context["tile"]),
            "reports": self.reports,
        }

    def _checks(self, report: QualityReport) -> reading.ChecksShown:
        return reading.checks_shown(report, self.request.GET.get("checks", ""))

    def _statistics(self, report: QualityReport) -> dict[str, Any]:
        statistics = list(report.band_statistics.all())
        tiles = sorted({s.tile for s in statistics}) or list(self.product.tiles)
        tile = self._choice("tile", tiles, tiles[0] if tiles else "")
        of_tile = [s for s in statistics if s.tile == tile]
        statistic = self._choice("statistic", [s.code for s in reading.STATISTICS], "relative")
        scale = self._choice("scale", reading.SCALES, "reflectance")
        by_code = {reading.image_code(s): s for s in of_tile}
        image = self._choice("image", by_code, next(iter(by_code), ""))
        shown = by_code.get(image)
        return {
            "tiles": tiles,
            "tile": tile,
            "statistics": reading.STATISTICS,
            "statistic": statistic,
            "scale": scale,
            "scales": reading.SCALES,
            "plane": reading.plane(of_tile, statistic, scale, self._address) if of_tile else None,
            "band_rows": reading.band_table(of_tile, scale),
            "image": image,
            "shown": shown,
            "histogram": reading.histogram_figure(shown, scale) if shown else None,
            "detectors": reading.detector_figure(shown, scale) if shown else None,
            "steps": reading.steps_of(report, shown) if shown else [],
        }

    def _address(self, s: BandStatistics) -> str:
        return f"{self.request.path}?image={reading.image_code(s)}"

    def _measured(self) -> dict[str, Any] | None:
        """What the run of the report measured, each with its trend; none where it measured nothing."""
        found = measured_in(self.request, self.report.run) if self.report else None
        link = ("all trends", reverse("monitoring:trends"))
        return found and {**found, "panel_template": MEASURED, "head_link": link}

    def _scenes(self, report: QualityReport, tile: str) -> list[dict[str, Any]]:
        of_tile = [scene for scene in report.facts.get("scene_classes", []) if scene["tile"] == tile]
        return [{"resolution": scene["resolution"], "rows": reading.scene_rows(scene)} for scene in of_tile]

    def _choice(self, name: str, known: Any, default: str) -> str:
        wanted = self.request.GET.get(name, "")
        return wanted if wanted in known else default


def pictures_of(report: QualityReport, tile: str = "") -> dict[str, Any] | None:
    """The quick-look of a tile (else of the first) and what can be laid over it: pictures of the run, on one frame."""
    pictures = [a for a in report.run.artifacts.all() if a.media_type == "image/png"]
    bases = [a for a in pictures if a.name.startswith("quicklook")]
    base = next((a for a in bases if tile and a.name.endswith(tile)), bases[0] if bases else None)
    if base is None:
        return None
    suffix = base.name.removeprefix("quicklook")
    overlays = [a for a in pictures if a.name.startswith("overlay_") and a.name.endswith(suffix)]
    return {"base": base, "overlays": overlays}


class Running(OneProduct, PolicyMixin, View):
    """How far the quality control of a product is; when it is over the page is loaded anew, with its result."""

    policy_action = "qc.view"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        run = newest_run(self.product)
        if run is None or not run.active:
            return HttpResponseClientRefresh()
        return render(request, "qc/parts/running.html", {"product": self.product, "active_run": run})


class CheckAgain(OneProduct, PolicyMixin, View):
    """Ask for the quality control of a product once more; one that is asked for already is not asked for twice."""

    http_method_names = ["post"]
    policy_actions = {"POST": "runs.start"}

    def get_policy_object(self) -> str:
        return KIND

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        address = reverse("qc:report", kwargs={"name": self.product.name})
        try:
            run, created = runs.request_run(KIND, actor=request.user, product=self.product)
        except runs.CannotRequest as reason:
            messages.error(request, str(reason))
            return HttpResponseRedirect(address)
        if created:
            messages.success(request, f"Run {run.pk} will check this product.")
        else:
            messages.info(request, f"Run {run.pk} is {run.get_state_display()} for this already.")
        return HttpResponseRedirect(address)


class ReportJson(OneProduct, PolicyMixin, View):
    """The whole report as JSON, as the command ``report`` prints it; ``?report=`` names an older one."""

    policy_action = "qc.view"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.report is None:
            raise Http404(f"{self.product.name} has no quality report yet.")
        return JsonResponse(services.report_as_dict(self.report))


def product_panel(request: HttpRequest, product: Product) -> dict[str, Any]:
    """First on the page of a product: how it stands, what did not pass, what is under way."""
    report = services.current_report(product)
    trouble = list(report.checks.exclude(status=CheckStatus.PASSED)) if report else []
    order = (CheckStatus.ERROR, CheckStatus.FAILED, CheckStatus.WARNING, CheckStatus.NOT_CHECKED)
    trouble.sort(key=lambda c: (order.index(CheckStatus(c.status)), not c.required, c.order))
    return {
        "product": product,
        "report": report,
        "trouble": trouble[:8],
        "more": max(0, len(trouble) - 8),
        "head_link": ("Whole report", reverse("qc:report", kwargs={"name": product.name})) if report else None,
        **run_news(newest_run(product), report),
    }


def picture_panel(request: HttpRequest, product: Product) -> dict[str, Any] | None:
    """Beside it: the quick-look with its overlays."""
    report = services.current_report(product)
    pictures = pictures_of(report) if report else None
    return {"report": report, "pictures": pictures} if pictures else None


def run_panel(request: HttpRequest, run: Any) -> dict[str, Any] | None:
    """On the page of a run: the report that it made."""
    report = QualityReport.objects.filter(run=run).select_related("product").first()
    return {"report": report} if report else None


def trouble_card(request: HttpRequest) -> dict[str, Any]:
    """On the home page: the newest products that failed, and the checks that fail most."""
    recent = QualityReport.objects.shown().filter(made__gte=timezone.now() - timedelta(days=7))
    frequent = (
        CheckResult.objects.filter(report__in=recent, status__in=BAD)
        .order_by()
        .values("check_id", "title")
        .annotate(n=Count("pk"))
        .order_by("-n", "check_id")[:6]
    )
    wrong = Prefetch("checks", CheckResult.objects.filter(status__in=BAD, required=True), to_attr="wrong")
    failed = recent.filter(verdict="FAILED").select_related("product").prefetch_related(wrong)
    newest = list(failed.order_by("-made", "-pk")[:8])
    return {"failed": newest, "frequent": list(frequent), "checked": bool(newest) or recent.exists()}
