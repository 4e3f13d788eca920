"""How trends, values and the catalogue are narrowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.reading import band_order
from mpc.msi.units import UNITS
from mpc.products.models import Product, Status
from mpc.ui.filters import ChipFilter, DayInput, KeyFilter, SearchFilter

WHOLE = "whole"
"""Choice for series that are not divided by a part: the whole band, all bands."""

BY_SERIES = ("unit", "level", "band", "baseline", "detector", "site")


def day_begins(day: date) -> datetime:
    """Midnight UTC: a bound that the index can use, which the date of a column is not."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def _tile(text: str) -> str:
    """A tile as people write it, T33UUU or 33UUU. Raises ValidationError for a part of one."""
    tile = text.strip().upper().removeprefix("T")
    if tile and len(tile) != 5:
        raise forms.ValidationError("a tile is written T33UUU")
    return tile


class TileField(forms.CharField):
    def clean(self, value: Any) -> str:
        return _tile(super().clean(value))


class TileFilter(django_filters.CharFilter):
    field_class = TileField


Window = tuple[datetime | None, datetime | None]
"""From a moment (included) to another (not included), UTC; None is open."""


def parse_zoom(text: str) -> tuple[datetime, datetime] | None:
    """A stretch as an address holds it: ``2026-09-01T00:00:00Z~2026-09-05T12:00:00Z``. Raises ValidationError."""
    if not text:
        return None
    try:
        begin, end = (_moment(part) for part in text.split("~"))
    except (ValueError, OverflowError):
        raise forms.ValidationError("a stretch is written 2026-09-01T00:00:00Z~2026-09-05T12:00:00Z") from None
    if begin >= end:
        raise forms.ValidationError("the stretch ends before it begins")
    return begin, end


def zoom_text(begin: datetime, end: datetime) -> str:
    """What ``parse_zoom`` reads."""
    return "~".join(moment.astimezone(UTC).isoformat().replace("+00:00", "Z") for moment in (begin, end))


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


class ZoomField(forms.CharField):
    widget = forms.HiddenInput

    def clean(self, value: Any) -> Any:
        return parse_zoom(super().clean(value))


class ZoomFilter(django_filters.CharFilter):
    field_class = ZoomField


class TrendFilter(django_filters.FilterSet):
    """Narrows the current measurements of one metric. ``series`` are all series of the metric; ``chosen`` those left.

    What a measurement is of is judged on the series, which are few, so that the measurements are reached by their
    index; a filter that would not tell anything apart is not in the form.
    """

    unit = ChipFilter(label="Unit")
    level = ChipFilter(label="Level")
    band = ChipFilter(label="Band")
    baseline = ChipFilter(label="Baseline")
    detector = ChipFilter(label="Detector")
    site = django_filters.ChoiceFilter(label="Site")
    since = django_filters.DateFilter(label="From", widget=DayInput)
    until = django_filters.DateFilter(label="To, with this day", widget=DayInput)
    tile = TileFilter(label="Tile")
    status = ChipFilter(label="Quality of the product", choices=Status.choices)
    product = django_filters.CharFilter(label="Product, full name")
    zoom = ZoomFilter(label="Zoomed to")

    class Meta:
        model = Measurement
        fields: list[str] = []

    def __init__(self, data: Any = None, *args: Any, series: Sequence[Series] = (), **kwargs: Any) -> None:
        super().__init__(data, *args, **kwargs)
        self.series = list(series)
        self.chosen: list[Series] = []
        for name in BY_SERIES:
            choices = _choices(name, self.series)
            if len(choices) < 2 and name not in (data or {}):
                del self.filters[name]
            else:
                self.filters[name].extra["choices"] = choices

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        wanted = self.form.cleaned_data
        self.chosen = [s for s in self.series if all(self.fits(s, name, wanted.get(name)) for name in BY_SERIES)]
        found = queryset.filter(series__in=[s.pk for s in self.chosen])
        since, until = self.window()
        if since:
            found = found.filter(time__gte=since)
        if until:
            found = found.filter(time__lt=until)
        if wanted["product"]:
            found = found.filter(product__in=_keys(Product.objects.filter(name=_without_suffix(wanted["product"]))))
        if wanted["tile"]:
            found = found.filter(product__in=_keys(Product.objects.filter(tile=wanted["tile"])))
        if wanted["status"]:
            found = found.filter(product__status__in=wanted["status"])
        return found

    @staticmethod
    def fits(series: Series, name: str, wanted: Any) -> bool:
        """Whether a part of a series is one of those wanted; nothing wanted is any."""
        if not wanted:
            return True
        return (getattr(series, name) or WHOLE) in ([wanted] if isinstance(wanted, str) else wanted)

    @property
    def by_product(self) -> bool:
        """Whether a filter asks about the products behind the values, which roll-ups do not know."""
        return any(self.form.cleaned_data.get(name) for name in ("product", "tile", "status"))

    def window(self) -> Window:
        """The time that is asked for: the days of the form and the zoom together."""
        wanted = self.form.cleaned_data
        begins, ends = [], []
        if wanted.get("since"):
            begins.append(day_begins(wanted["since"]))
        if wanted.get("until") and wanted["until"] < date.max:
            ends.append(day_begins(wanted["until"]) + timedelta(days=1))
        if wanted.get("zoom"):
            begins.append(wanted["zoom"][0])
            ends.append(wanted["zoom"][1])
        return max(begins, default=None), min(ends, default=None)


def _keys(products: QuerySet) -> list[int]:
    return list(products.order_by().values_list("pk", flat=True))


def _without_suffix(name: str) -> str:
    return name.strip().removesuffix(".zip").removesuffix(".SAFE")


def _choices(name: str, series: Iterable[Series]) -> list[tuple[str, str]]:
    values = {getattr(s, name) for s in series}
    ordered = sorted(values - {""}, key=band_order if name == "band" else None)
    return [(value, value) for value in ordered] + ([(WHOLE, "not divided")] if "" in values else [])


class MetricFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("code", "name", "description"), placeholder="Name or code")
    unit = ChipFilter(label="Measured on", choices=[(u, u) for u in UNITS], method="by_unit")

    class Meta:
        model = Metric
        fields: list[str] = []

    def by_unit(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        if not value:
            return queryset
        return queryset.filter(pk__in=Series.objects.filter(unit__in=value, count__gt=0).values("metric"))


class ByPart(django_filters.FilterSet):
    """Over REST: one value of each part of a series; ``?band=`` alone asks for nothing."""

    metric = django_filters.CharFilter(label="code of the metric")
    unit = django_filters.CharFilter(label="satellite, S2A to S2D")
    band = django_filters.CharFilter(label="B01 to B12, B8A")
    detector = django_filters.CharFilter(label="01 to 12")
    level = django_filters.CharFilter(label="L1C, L2A ...")
    baseline = django_filters.CharFilter(label="processing baseline, 05.11")
    site = django_filters.CharFilter(label="site of a validation")


class SeriesFilter(ByPart):
    class Meta:
        model = Series
        fields: list[str] = []


class MeasurementFilter(ByPart):
    """Parts are looked up among the series; measurements are reached by their index."""

    series = KeyFilter(label="id of a series")
    since = django_filters.IsoDateTimeFilter(field_name="time", lookup_expr="gte", label="from this time (UTC) on")
    until = django_filters.IsoDateTimeFilter(field_name="time", lookup_expr="lt", label="before this time (UTC)")
    product = django_filters.CharFilter(field_name="product__name", label="full name of the product")
    run = KeyFilter(label="number of the run")

    class Meta:
        model = Measurement
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        wanted = self.form.cleaned_data
        parts = {name: wanted[name] for name in ("metric", *BY_SERIES) if wanted[name]}
        if parts:
            queryset = queryset.filter(series__in=Series.objects.filter(**parts).order_by().values("pk"))
        for name in ("series", "since", "until", "product", "run"):
            queryset = self.filters[name].filter(queryset, wanted[name])
        return queryset
