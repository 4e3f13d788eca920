"""Pages of the inventory."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.generic import FormView

from mpc.msi.bands import BANDS
from mpc.products import services, uploads
from mpc.products.filters import IntakeFilter, ProductFilter
from mpc.products.forms import UploadForm
from mpc.products.models import Intake, Product
from mpc.products.tables import IntakeTable, ProductTable
from mpc.ui.views import DetailPage, ListPage, PolicyMixin


class ProductList(ListPage):
    policy_action = "products.view"
    title = "Products"
    subtitle = "Everything the satellites and the ground segment delivered"
    queryset = Product.objects.all()
    filterset_class = ProductFilter
    table_class = ProductTable
    primary_filters = ("q", "unit", "level", "status")
    columns_off = (
        "absolute_orbit",
        "nodata_percentage",
        "degraded_msi",
        "sun_zenith",
        "datatake_id",
        "generation_time",
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
    primary_filters = ("q", "result")
    empty_text = "Nothing has arrived yet."
    empty_action = ("Upload a product", "products:upload")


class ProductDetail(DetailPage):
    policy_action = "products.view"
    panel_kind = "products.product"
    queryset = Product.objects.select_related("facts", "gipp_set", "taken_in_by")
    slug_field = "name"
    slug_url_kwarg = "name"
    template_name = "products/detail.html"

    def get_status(self) -> str:
        return self.object.status

    def get_subtitle(self) -> str:
        product = self.object
        parts = [product.unit, product.level, product.place, product.baseline and f"baseline {product.baseline}"]
        return " · ".join(part for part in parts if part)

    def get_breadcrumb(self) -> list[tuple[str, str]]:
        listing = reverse("products:list")
        return [("Products", listing), (self.object.unit, f"{listing}?unit={self.object.unit}")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = getattr(self.object, "facts", None)
        return super().get_context_data(
            facts=facts,
            versions=services.versions_of(self.object),
            intakes=self.object.intakes.select_related("actor")[:10],
            band_rows=_band_rows(facts) if facts else [],
            gipps=self.object.gipp_set.entries if self.object.gipp_set else [],
            **kwargs,
        )


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


class Upload(PolicyMixin, FormView):
    policy_action = "products.upload"
    template_name = "products/upload.html"
    form_class = UploadForm
    extra_context = {"page_title": "Upload a product", "page_subtitle": "A SAFE product or datastrip as one zip"}

    def form_valid(self, form: UploadForm) -> HttpResponse:
        try:
            run = uploads.receive(form.cleaned_data["file"], actor=self.request.user)
        except uploads.UploadRefused as refusal:
            form.add_error("file", str(refusal))
            return self.form_invalid(form)
        messages.success(self.request, f"{form.cleaned_data['file'].name} is here and is being read.")
        return HttpResponseRedirect(run.get_absolute_url())

    def form_invalid(self, form: UploadForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


def search_products(user: Any, query: str, limit: int) -> list[Any]:
    """Products whose name or tile begins like the query, else those that contain it."""
    from mpc.ui.search import SearchHit

    text = query.removesuffix(".SAFE").removesuffix(".zip")
    found = Product.objects.filter(name__icontains=text).order_by("-sensing_start")[:limit]
    return [
        SearchHit(p.name, f"{p.unit} {p.level} {p.place} · {p.get_status_display()}", p.get_absolute_url(), "product")
        for p in found
    ]


def arrivals_card(request: HttpRequest) -> dict[str, Any]:
    """What arrived, by unit and level, over the last week, and the newest arrivals."""
    from mpc.products.summaries import arrivals_by_unit, newest_arrivals

    return {"units": arrivals_by_unit(), "newest": newest_arrivals()}
