"""Metrics, series and measurements over REST, to be read."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import serializers, viewsets
from rest_framework.pagination import CursorPagination

from mpc.monitoring.alerts import api as alerts
from mpc.monitoring.api_watching import router_entries as watching
from mpc.monitoring.filters import MeasurementFilter, MetricFilter, SeriesFilter
from mpc.monitoring.metrics.api import CatalogueViewSet
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.trends.api import TrendViewSet

PARTS = ("unit", "band", "detector", "site", "level", "baseline")


class MetricRow(serializers.ModelSerializer):
    values = serializers.IntegerField(help_text="number of current values")
    series = serializers.IntegerField(source="parts", help_text="number of series")
    last_time = serializers.DateTimeField(help_text="of the newest value")

    class Meta:
        model = Metric
        fields = ("code", "name", "unit", "description", "method", "series", "values", "last_time")


class SeriesRow(serializers.ModelSerializer):
    values = serializers.IntegerField(source="count", help_text="number of current values")

    class Meta:
        model = Series
        fields = ("id", "metric", *PARTS, "values", "first_time", "last_time")


class MeasurementRow(serializers.ModelSerializer):
    metric = serializers.CharField(source="series.metric_id")
    unit = serializers.CharField(source="series.unit")
    band = serializers.CharField(source="series.band")
    detector = serializers.CharField(source="series.detector")
    site = serializers.CharField(source="series.site")
    level = serializers.CharField(source="series.level")
    baseline = serializers.CharField(source="series.baseline")
    product = serializers.SlugRelatedField("name", read_only=True)

    class Meta:
        model = Measurement
        fields = (
            *("id", "series", "metric", *PARTS, "time", "value", "uncertainty", "no_uncertainty", "samples"),
            *("product", "run", "job_kind"),
        )


class StoredLast(CursorPagination):
    """Newest stored first; the cursor costs the same on every page, however many there are."""

    ordering = "-id"
    page_size = 500
    page_size_query_param = "page_size"
    max_page_size = 5000


class MetricViewSet(viewsets.ReadOnlyModelViewSet):
    """Metrics that have values, by code."""

    serializer_class = MetricRow
    filterset_class = MetricFilter
    lookup_field = "code"
    lookup_value_regex = "[^/]+"
    policy_action = "monitoring.view"

    def get_queryset(self) -> QuerySet:
        return Metric.objects.measured().order_by("code")


class SeriesViewSet(viewsets.ReadOnlyModelViewSet):
    """Series: a metric of one part of the mission. A part that is not divided is empty text."""

    queryset = Series.objects.filter(count__gt=0).order_by("id")
    serializer_class = SeriesRow
    filterset_class = SeriesFilter
    policy_action = "monitoring.view"


class MeasurementViewSet(viewsets.ReadOnlyModelViewSet):
    """Current measurements, newest stored first, by cursor. ``uncertainty`` is one standard uncertainty (k = 1)."""

    queryset = Measurement.objects.shown().select_related("series", "product").defer("product__footprint")
    serializer_class = MeasurementRow
    filterset_class = MeasurementFilter
    pagination_class = StoredLast
    policy_action = "monitoring.view"


router_entries = [
    ("metrics", MetricViewSet, "metric"),
    ("catalogue", CatalogueViewSet, "catalogue"),
    ("series", SeriesViewSet, "series"),
    ("measurements", MeasurementViewSet, "measurement"),
    ("trends", TrendViewSet, "trend"),
    *alerts.router_entries,
    *watching,
]
