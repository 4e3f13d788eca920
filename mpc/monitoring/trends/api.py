"""Trends over REST: the points of a page, by the very query of its address."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.reading import TooMany
from mpc.monitoring.trends import points
from mpc.monitoring.trends.data import TooManySeries, read
from mpc.monitoring.trends.filters import RESOLUTIONS, ExplorerFilter

METRIC_LIMIT = 6


def _parameter(name: str, text: str, *, many: bool = False, required: bool = False, **kwargs: Any) -> OpenApiParameter:
    return OpenApiParameter(name, str, description=text, many=many, required=required, explode=many or None, **kwargs)


PARAMETERS = (
    _parameter("metric", "code of a metric; several are given one after another", many=True, required=True),
    _parameter("unit", "satellite, S2A to S2D", many=True),
    _parameter("band", "B01 to B12, B8A; whole: series that are not divided by bands", many=True),
    _parameter("detector", "01 to 12; whole: series that are not divided by detectors", many=True),
    _parameter("level", "L1C, L2A ...", many=True),
    _parameter("baseline", "processing baseline, 05.11", many=True),
    _parameter("site", "site of a validation"),
    _parameter("since", "from this UTC day on"),
    _parameter("until", "to this UTC day, with it"),
    _parameter("zoom", "a stretch of time: 2026-09-01T00:00:00Z~2026-09-05T12:00:00Z"),
    _parameter("tile", "T33UUU"),
    _parameter("status", "quality of the product: PASSED, FAILED ...", many=True),
    _parameter("product", "full name of a product"),
    _parameter("resolution", "left out: the finest that fits", enum=[name for name, _ in RESOLUTIONS]),
)


class TrendViewSet(viewsets.ViewSet):
    """Points of trends, with the query of the page that shows them.

    Arrays by series. ``resolution`` says what a point is: a value, or the median of a UTC day or month with mean, 5 and
    95 %, standard deviation and count. ``uncertainty`` is one standard uncertainty (k = 1). Not a number is null.
    """

    policy_action = "monitoring.view"
    queryset = Metric.objects.none()

    @extend_schema(parameters=list(PARAMETERS), responses={200: OpenApiTypes.OBJECT})
    def list(self, request: Request) -> HttpResponse:
        query = request.query_params
        codes = [
            code for code in dict.fromkeys(query.getlist("metric")) if code and "\x00" not in code
        ]  # none: no trend
        if len(codes) > METRIC_LIMIT:
            raise ValidationError({"metric": f"at most {METRIC_LIMIT} at once"})
        known = Metric.objects.in_bulk(codes)
        if len(known) < len(codes):
            raise NotFound(f"no such metric: {', '.join(code for code in codes if code not in known)}")
        metrics = [known[code] for code in codes]
        series = list(Series.objects.filter(metric__in=metrics, count__gt=0).order_by("pk"))
        asked = ExplorerFilter(query, Measurement.objects.shown(), series=series)
        if not asked.is_valid():
            raise ValidationError(asked.errors)
        try:
            shown = read(metrics, asked, asked.look().resolution)
        except (TooMany, TooManySeries) as too_many:
            raise ValidationError({"detail": f"{too_many}: narrow the filter"}) from None
        whole = orjson.dumps(points.as_json(shown), option=points.WRITING)
        return HttpResponse(whole, content_type="application/json")
