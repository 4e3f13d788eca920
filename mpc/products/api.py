"""The inventory over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from shapely import wkb
from shapely.geometry import mapping

from mpc.products import uploads, withdrawal
from mpc.products.filters import IntakeFilter, ProductFilter
from mpc.products.models import Intake, Product, ProductFacts
from mpc.products.uploading import UploadViewSet


class ProductRow(serializers.ModelSerializer):
    bounds = serializers.SerializerMethodField(help_text="west, south, east, north in degrees")

    class Meta:
        model = Product
        exclude = ("footprint", "west", "south", "east", "north", "path", "gipp_set", "taken_in_by", "withdrawn_by")

    def get_bounds(self, product: Product) -> list[float] | None:
        return None if product.west is None else [product.west, product.south, product.east, product.north]


class FactsPart(serializers.ModelSerializer):
    class Meta:
        model = ProductFacts
        exclude = ("product",)


class ProductWhole(ProductRow):
    facts = FactsPart()
    footprint = serializers.SerializerMethodField(help_text="GeoJSON polygon")
    gipps = serializers.SerializerMethodField(help_text="[type, version, name]")
    withdrawn_by = serializers.SlugRelatedField("username", read_only=True)

    class Meta(ProductRow.Meta):
        exclude = ("west", "south", "east", "north", "gipp_set", "taken_in_by")

    def get_footprint(self, product: Product) -> dict[str, Any] | None:
        return mapping(wkb.loads(bytes(product.footprint))) if product.footprint else None

    def get_gipps(self, product: Product) -> list[list[str]]:
        return product.gipp_set.entries if product.gipp_set else []


class UploadRequest(serializers.Serializer):
    file = serializers.FileField(help_text="one product or datastrip as a zip")


class WithdrawRequest(serializers.Serializer):
    reason = serializers.CharField(max_length=withdrawal.REASON_LENGTH, help_text="why; others will read it")


UPLOADED = inline_serializer(
    "Uploaded", {"run": serializers.IntegerField(), "url": serializers.CharField(help_text="page of the run")}
)


_CHANGE: dict[str, Any] = {
    "detail": True,
    "methods": ["post"],
    "policy_actions": {"POST": "products.withdraw"},
    "parser_classes": [JSONParser, FormParser, MultiPartParser],
}


class ProductViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Products by name, with the filters of the page. POST uploads one as ``multipart/form-data``."""

    queryset = Product.objects.all()
    filterset_class = ProductFilter
    lookup_field = "name"
    lookup_value_regex = "[^/]+"
    policy_actions = {
        "GET": "products.view",
        "HEAD": "products.view",
        "OPTIONS": "products.view",
        "POST": "products.upload",
    }
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found.select_related("facts", "gipp_set", "withdrawn_by") if self.action == "retrieve" else found

    def filter_queryset(self, queryset: Any) -> Any:
        # The filter is that of the list; a product that is asked for by its name is there, withdrawn or not.
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def get_serializer_class(self) -> Any:
        return ProductWhole if self.action == "retrieve" else ProductRow

    @extend_schema(
        request={"multipart/form-data": UploadRequest},
        responses={202: UPLOADED, 422: OpenApiResponse(description="refused, with the reason")},
    )
    def create(self, request: Request) -> Response:
        sent = UploadRequest(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            run = uploads.receive(sent.validated_data["file"], actor=request.user)
        except uploads.UploadRefused as refusal:
            return Response({"detail": str(refusal)}, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
        return Response({"run": run.pk, "url": run.get_absolute_url()}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        request=WithdrawRequest,
        responses={200: ProductRow, 409: OpenApiResponse(description="it is withdrawn already")},
    )
    @action(**_CHANGE)
    def withdraw(self, request: Request, name: str) -> Response:
        """Take a product out of use: it leaves lists, counts and trends, and its runs are cancelled."""
        sent = WithdrawRequest(data=request.data)
        sent.is_valid(raise_exception=True)
        reason = sent.validated_data["reason"]
        return self._changed(lambda found: withdrawal.withdraw(found, actor=request.user, reason=reason))

    @extend_schema(request=None, responses={200: ProductRow, 409: OpenApiResponse(description="it is not withdrawn")})
    @action(**_CHANGE)
    def reinstate(self, request: Request, name: str) -> Response:
        """Take a withdrawn product into use again."""
        return self._changed(lambda found: withdrawal.reinstate(found, actor=request.user))

    def _changed(self, change: Callable[[Product], Product]) -> Response:
        try:
            return Response(ProductRow(change(self.get_object())).data)
        except withdrawal.CannotChange as reason:
            return Response({"detail": str(reason)}, status=status.HTTP_409_CONFLICT)


class IntakeRow(serializers.ModelSerializer):
    product = serializers.SlugRelatedField("name", read_only=True)

    class Meta:
        model = Intake
        fields = ("id", "at", "trigger", "source", "result", "message", "product")


class IntakeViewSet(viewsets.ReadOnlyModelViewSet):
    """Everything that came, what was taken in and what was refused."""

    queryset = Intake.objects.select_related("product")
    serializer_class = IntakeRow
    filterset_class = IntakeFilter
    policy_action = "products.view"


router_entries = [
    ("products", ProductViewSet, "product"),
    ("arrivals", IntakeViewSet, "arrival"),
    ("uploads", UploadViewSet, "upload"),
]
