"""Quality reports over REST."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from qc import services
from qc.filters import ReportFilter
from qc.models import QualityReport


class ReportRow(serializers.ModelSerializer):
    product = serializers.SlugRelatedField("name", read_only=True)

    class Meta:
        model = QualityReport
        fields = ("product", "verdict", "summary", "counts", "required_failed", "run", "made")


class ReportViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """The newest report of each product; one whole report under the product's name."""

    queryset = QualityReport.objects.shown().select_related("product")
    serializer_class = ReportRow
    filterset_class = ReportFilter
    lookup_field = "product__name"
    lookup_url_kwarg = "name"
    lookup_value_regex = "[^/]+"
    policy_action = "qc.view"

    @extend_schema(responses=OpenApiTypes.OBJECT, operation_id="report_retrieve")
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """Checks, reports of the on-line control and statistics (in counts) of one product."""
        # By its name it is there for a withdrawn product too.
        current = QualityReport.objects.filter(current=True).select_related("product")
        report = get_object_or_404(current, product__name=kwargs["name"])
        return Response(services.report_as_dict(report))


router_entries = [("reports", ReportViewSet, "report")]
