"""The catalogue over REST: read by all, changed by who may."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework import mixins, serializers, viewsets

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


class CatalogueViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, viewsets.GenericViewSet
):
    """All metrics, also those never measured. What is changed here is kept from later declarations (``edited``)."""

    serializer_class = CatalogueRow
    filterset_class = CatalogueFilter
    lookup_field = "code"
    lookup_value_regex = "[^/]+"
    http_method_names = ["get", "head", "options", "patch"]
    policy_action = "monitoring.view"
    policy_actions = {"PATCH": "monitoring.catalogue"}

    def get_queryset(self) -> QuerySet:
        return Metric.objects.catalogued().order_by("code")

    def perform_update(self, serializer: Any) -> None:
        try:
            services.edit_metric(serializer.instance.pk, serializer.validated_data, actor=self.request.user)
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        serializer.instance = self.get_queryset().get(pk=serializer.instance.pk)
