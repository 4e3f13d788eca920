"""The catalogue over REST: read by all, changed by who may."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from mpc.monitoring.metrics import services
from mpc.monitoring.metrics.filters import CatalogueFilter
from mpc.monitoring.models import Metric


class CatalogueRow(serializers.ModelSerializer):
    values = serializers.IntegerField(read_only=True, help_text="number of current values")
    series = serializers.IntegerField(source="parts", read_only=True, help_text="number of series")
    last_time = serializers.DateTimeField(read_only=True, help_text="of the newest value; null: never measured")

    class Meta:
        model = Metric
        fields = ("code", "unit", *services.EDITABLE, "edited", "values", "series", "last_time")
        read_only_fields = ("code", "unit", "edited")


class CatalogueViewSet(viewsets.ReadOnlyModelViewSet):
    """All metrics, also those never measured. What is changed here is kept from later declarations (``edited``)."""

    serializer_class = CatalogueRow
    filterset_class = CatalogueFilter
    lookup_field = "code"
    lookup_value_regex = "[^/]+"
    policy_action = "monitoring.view"
    policy_actions = {"PATCH": "monitoring.catalogue"}

    def get_queryset(self) -> QuerySet:
        return Metric.objects.catalogued().order_by("code")

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change some fields."""
        asked = self.get_serializer(self.get_object(), data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        try:
            changed = services.edit_metric(asked.instance.pk, asked.validated_data, actor=request.user)
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return Response(self.get_serializer(self.get_queryset().get(pk=changed.pk)).data)
