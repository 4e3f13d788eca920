"""The inventory over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from shapely import wkb
from shapely.geometry import mapping

from mpc.products import uploads
from mpc.products.filters import IntakeFilter, ProductFilter
from mpc.products.models import Intake, Product, ProductFacts
from mpc.products.uploading import UploadViewSet


class ProductRow(serializers.ModelSerializer):
    bounds = serializers.SerializerMethodField(help_text="west, south, east, north in degrees")

    class Meta:
        model = Product
        exclude = ("footprint", "west", "south", "east", "north", "path", "gipp_set", "taken_in_by")

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

    class Meta(ProductRow.Meta):
        exclude = ("west", "south", "east", "north", "gipp_set", "taken_in_by")

    def get_footprint(self, product: Product) -> dict[str, Any] | None:
        return mapping(wkb.loads(bytes(product.footprint))) if product.footprint else None

    def get_gipps(self, product: Product) -> list[list[str]]:
        return product.gipp_set.entries if product.gipp_set else []


class UploadRequest(serializers.Serializer):
    file = serializers.FileField(help_text="one product or datastrip as a zip")


UPLOADED = inline_serializer(
    "Uploaded", {"run": serializers.IntegerField(), "url": serializers.CharField(help_text="page of the run")}
)


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
        return found.select_related("facts", "gipp_set") if self.action == "retrieve" else found

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
