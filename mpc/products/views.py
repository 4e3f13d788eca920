"""Pages of the inventory."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views import View
from django.views.generic import FormView
from django_htmx.http import HttpResponseClientRedirect

from mpc.msi.bands import BANDS
from mpc.products import resumable, services, uploads, withdrawal
from mpc.products.filters import IntakeFilter, ProductFilter, has_tile
from mpc.products.forms import UploadForm
from mpc.products.models import Intake, Product, Upload
from mpc.products.summaries import UnitSummary, arrivals_by_unit, headline, newest_arrivals, unit_part
from mpc.products.tables import IntakeTable, ProductTable
from mpc.ui.panels import panels_for
from mpc.ui.search import SearchHit
from mpc.ui.units import UnitPart
from mpc.ui.views import DetailPage, ListPage, PolicyMixin


class ProductList(ListPage):
    policy_action = "products.view"
    title = "Products"
    subtitle = "Everything the satellites and the ground segment delivered"
    queryset = Product.objects.all()
    filterset_class = ProductFilter
    table_class = ProductTable
    template_name = "products/list.html"
    primary_filters = ("q", "status", "unit", "level")
    columns_off = (
        "relative_orbit",
        "absolute_orbit",
        "nodata_percentage",
        "degraded_msi",
        "sun_zenith",
        "datatake_id",
        "generation_time",
        "taken_in",
        "checksum",
        "newest",
        "size",
    )
    empty_text = (
        "Products appear here when they are uploaded, taken in on the command line or found in the watched folder."
    )
    empty_action = ("Upload a product", "products:upload")


class IntakeList(ListPage):
    policy_action = "products.view"
    title = "Arrivals"
    subtitle = "Everything that came, what was taken in and what was refused, with the reason"
    queryset = Intake.objects.select_related("product", "actor")
    filterset_class = IntakeFilter
    table_class = IntakeTable
    template_name = "products/list.html"
    primary_filters = ("q", "result", "trigger")
    empty_text = "Nothing has arrived yet. What is uploaded, taken in or found in the watched folder is listed here."
    empty_action = ("Upload a product", "products:upload")


class ProductDetail(DetailPage):
    """One product. What other apps register for ``products.product.lead`` stands first: how the product stands."""

    policy_action = "products.view"
    panel_kind = "products.product"
    lead_panel_kind = "products.product.lead"
    queryset = Product.objects.select_related("facts", "gipp_set", "taken_in_by", "withdrawn_by")
    slug_field = "name"
    slug_url_kwarg = "name"
    template_name = "products/detail.html"

    def get_object(self, queryset: Any = None) -> Product:
        try:
            return super().get_object(queryset)
        except Http404:
            raise Http404(f"No product “{self.kwargs['name']}” is in the inventory.") from None

    def get_status(self) -> str:
        return self.object.status

    def get_subtitle(self) -> str:
        product = self.object
        baseline = product.baseline and f"baseline {product.baseline}"
        return " · ".join(part for part in (product.level, product.place, baseline) if part)

    def get_breadcrumb(self) -> list[tuple[str, str]]:
        listing = reverse("products:list")
        return [("Products", listing), (self.object.unit, f"{listing}?unit={self.object.unit}")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = getattr(self.object, "facts", None)
        lead = panels_for(self.request, self.lead_panel_kind, self.object)
        return super().get_context_data(
            facts=facts,
            lead_panels=[panel for panel in lead if not panel.side],
            lead_side_panels=[panel for panel in lead if panel.side],
            versions=services.versions_of(self.object),
            intakes=self.object.intakes.select_related("actor")[:10],
            band_rows=_band_rows(facts) if facts else [],
            gipps=self.object.gipp_set.entries if self.object.gipp_set else [],
            **kwargs,
        )


class ProductChange(PolicyMixin, View):
    """A POST that changes one product and leads back to its page, with the reason where it could not."""

    policy_action = "products.withdraw"
    http_method_names = ["post"]

    def back(self, change: Callable[[Product], str]) -> HttpResponse:
        """``change(product)`` does it and hands back what to say."""
        product = get_object_or_404(Product, name=self.kwargs["name"])
        try:
            messages.success(self.request, change(product))
        except withdrawal.CannotChange as reason:
            messages.error(self.request, str(reason))
        return HttpResponseRedirect(product.get_absolute_url())


class Withdraw(ProductChange):
    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        return self.back(self.withdraw)

    def withdraw(self, product: Product) -> str:
        withdrawal.withdraw(product, actor=self.request.user, reason=self.request.POST.get("reason", ""))
        return f"{product.name} is withdrawn: it stands in no list, count or trend any more."


class Reinstate(ProductChange):
    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        return self.back(self.reinstate)

    def reinstate(self, product: Product) -> str:
        withdrawal.reinstate(product, actor=self.request.user)
        return f"{product.name} is in use again."


def _band_rows(facts: Any) -> list[dict[str, Any]]:
    """What the metadata says of each band, for one table: only bands of which it says anything."""
    views = next(iter(facts.view_angles.values()), {})
    rows = []
    for band in BANDS:
        row = {
            "band": band.name,
            "offset": facts.offsets.get(band.name),
            "irradiance": facts.solar_irradiance.get(band.name),
            "gain": facts.physical_gains.get(band.name),
            "view": views.get(band.name),
        }
        if any(value is not None for key, value in row.items() if key != "band"):
            rows.append(row)
    return rows


class UploadPage(PolicyMixin, FormView):
    """One zip, sent by the browser in pieces (``upload.js``); without a script the form is sent as any other."""

    policy_action = "products.upload"
    template_name = "products/upload.html"
    form_class = UploadForm
    extra_context = {"page_title": "Upload a product", "page_subtitle": "A SAFE product or datastrip as one zip"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        unfinished = resumable.open_uploads(self.request.user)
        return super().get_context_data(limit_mb=settings.MPC_UPLOAD_LIMIT_MB, unfinished=unfinished, **kwargs)

    def form_valid(self, form: UploadForm) -> HttpResponse:
        sent = form.cleaned_data["file"]
        try:
            run = uploads.receive(sent, actor=self.request.user)
        except uploads.UploadRefused as refusal:
            form.add_error("file", str(refusal))
            return self.form_invalid(form)
        messages.success(self.request, f"{sent.name} is here and is being read.")
        if self.request.htmx:
            return HttpResponseClientRedirect(run.get_absolute_url())
        return HttpResponseRedirect(run.get_absolute_url())

    def form_invalid(self, form: UploadForm) -> HttpResponse:
        context = self.get_context_data(form=form)
        if self.request.htmx:
            return render(self.request, "products/parts/upload_form.html", context, status=422)
        return self.render_to_response(context, status=422)


class UploadCancel(PolicyMixin, View):
    """Gives up an upload in pieces; only the person who began it finds it."""

    policy_action = "products.upload"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        try:
            upload = resumable.find(pk, request.user)
            resumable.cancel(upload, actor=request.user)
        except Upload.DoesNotExist:
            raise Http404("You have no such upload.") from None
        except resumable.NotOpen as reason:
            messages.error(request, str(reason))
        else:
            messages.success(request, f"The upload of {upload.name} is cancelled; nothing of it was kept.")
        return HttpResponseRedirect(reverse("products:upload"))


def search_products(user: Any, query: str, limit: int) -> list[SearchHit]:
    """Products in whose name, tiles or datatake each word of the query occurs, the newest first; one query."""
    found = Product.objects.in_use()
    for word in query.split():
        text = word.removesuffix(".SAFE").removesuffix(".zip")
        found = found.filter(Q(name__icontains=text) | has_tile(text) | Q(datatake_id__icontains=text))
    return [
        SearchHit(p.name, f"{p.unit} {p.level} {p.place} · {p.get_status_display()}", p.get_absolute_url(), "product")
        for p in found.order_by("-sensing_start", "-pk")[:limit]
    ]


def _units(request: HttpRequest) -> list[UnitSummary]:
    """Counted once a request: the headline and the cards of the home page share it."""
    if not hasattr(request, "_arrivals_by_unit"):
        request._arrivals_by_unit = arrivals_by_unit()  # type: ignore[attr-defined]
    return request._arrivals_by_unit  # type: ignore[attr-defined]


def arrivals_headline(request: HttpRequest) -> str:
    """Under the title of the home page: since when, how many, what failed, what waits."""
    return headline(_units(request), timezone.now())


def arrivals_of_units(request: HttpRequest) -> dict[str, UnitPart]:
    """On the home page: what arrived of each unit over the last days, and how it stands."""
    return {summary.unit: unit_part(summary) for summary in _units(request)}


def arrivals_card(request: HttpRequest) -> dict[str, Any] | None:
    """Where nothing arrived: what would be there and how to get it."""
    return None if _units(request) else {}


def newest_card(request: HttpRequest) -> dict[str, Any] | None:
    """What came last, and what was refused and why."""
    newest = newest_arrivals()
    return {"newest": newest} if newest else None
