"""What stands behind a point: a small card with the numbers and the way to product, report and run."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.generic import TemplateView

from mpc.monitoring.filters import BY_SERIES, WHOLE, zoom_text
from mpc.monitoring.models import Measurement, Resolution, Series
from mpc.monitoring.trends.data import read_chosen
from mpc.ui.views import PolicyMixin

LISTED = 8
"""Values of a bucket that its card names; the rest is one click away."""


class PointCard(PolicyMixin, TemplateView):
    """One measurement."""

    policy_action = "monitoring.view"
    template_name = "monitoring/parts/point_card.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = Measurement.objects.select_related("series__metric", "product").defer("product__footprint")
        found = get_object_or_404(rows, pk=self.kwargs["pk"])
        return super().get_context_data(m=found, series=found.series, metric=found.series.metric, **kwargs)


class BucketCard(PolicyMixin, TemplateView):
    """One day or month of a series: ``?by=day&start=2026-09-01``; without a start the newest."""

    policy_action = "monitoring.view"
    template_name = "monitoring/parts/bucket_card.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        series = get_object_or_404(Series.objects.select_related("metric"), pk=self.kwargs["pk"])
        by = self.request.GET.get("by") or Resolution.DAY.value
        begin, end = _bucket(by, self.request.GET.get("start") or _newest(series, by))
        (shown,) = read_chosen([series.metric], [series], (begin, end), by)
        values = (
            Measurement.objects.shown()
            .filter(series=series, time__gte=begin, time__lt=end)
            .select_related("product")
            .only("time", "value", "uncertainty", "job_kind", "run_id", "product__name")
            .order_by("-time", "-pk")[:LISTED]
        )
        parts = [(name, getattr(series, name) or WHOLE) for name in BY_SERIES]
        query = urlencode([*self._parts(series, parts), ("zoom", zoom_text(begin, end))])
        return super().get_context_data(
            series=series,
            metric=series.metric,
            begin=begin,
            by=by,
            point=_first(shown),
            values=list(values),
            zoom=zoom_text(begin, end),
            values_url=f"{reverse('monitoring:values', kwargs={'code': series.metric_id})}?{query}",
            **kwargs,
        )

    @staticmethod
    def _parts(series: Series, parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """What a series is divided by; a part by which no series of the metric is divided is no filter."""
        return [(name, value) for name, value in parts if value != WHOLE or name in ("band", "detector")]


def _bucket(by: str, start: str) -> tuple[datetime, datetime]:
    """Begin and end of the bucket, UTC. Raises Http404 for one that there cannot be."""
    try:
        day = date.fromisoformat(start)
        after = {
            Resolution.DAY: lambda: day + timedelta(days=1),
            Resolution.MONTH: lambda: (day.replace(day=28) + timedelta(days=4)).replace(day=1),
        }[Resolution(by)]()
        begin, end = (datetime.combine(one, time.min, UTC) for one in (day, after))
    except (ValueError, OverflowError) as error:
        raise Http404("no such day or month") from error
    return begin, end


def _newest(series: Series, by: str) -> str:
    """First day of the bucket with the newest value."""
    if series.last_time is None:
        raise Http404("the series has no value")
    day = series.last_time.astimezone(UTC).date()
    return (day.replace(day=1) if by == Resolution.MONTH else day).isoformat()


def _first(shown: Any) -> dict[str, Any] | None:
    """The numbers of the only point; None where nothing is left of it."""
    if not shown.points or not len(shown.points[0]):
        return None
    p = shown.points[0]
    return {
        "median": float(p.values[0]),
        "mean": float(p.mean[0]),
        "low": float(p.low[0]),
        "high": float(p.high[0]),
        "spread": _known(p.spread[0]),
        "uncertainty": _known(p.uncertainty[0]),
        "count": int(p.count[0]),
        "samples": int(p.samples[0]),
        "outside": int(p.outside[0]),
    }


def _known(number: Any) -> float | None:
    return None if number != number else float(number)
