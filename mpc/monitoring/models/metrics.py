"""The mission's numbers: what is measured, of which part, when, how well, and where it came from.

    Metric 1---* Series 1---* Measurement *---1 Run
                                     *---1 Product

A result is unique per (series, product or time, job kind): the newest finished run supersedes, the older value stays
and is hidden (``current`` false). What was measured of a withdrawn product is hidden as long as it is (``withdrawn``).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from simple_history.models import HistoricalRecords

from mpc.monitoring.catalogue import page_of


class MetricQuerySet(models.QuerySet):
    def measured(self) -> MetricQuerySet:
        """Metrics that have values, with what their series keep: ``values``, ``parts`` (series), ``last_time``."""
        filled = self.filter(series__count__gt=0)
        return filled.annotate(values=Sum("series__count"), parts=Count("series"), last_time=Max("series__last_time"))

    def catalogued(self) -> MetricQuerySet:
        """All metrics with the same numbers, and ``measured``: whether there are values."""
        found = self.annotate(
            values=Coalesce(Sum("series__count"), 0, output_field=models.BigIntegerField()),
            parts=Count("series", filter=Q(series__count__gt=0)),
            last_time=Max("series__last_time"),
        )
        return found.annotate(measured=models.Case(models.When(values__gt=0, then=True), default=False))


class Direction(models.TextChoices):
    """Which way is better."""

    NONE = "", "neither: the value says nothing of quality by itself"
    LOW = "low", "the lower the better"
    HIGH = "high", "the higher the better"
    TARGET = "target", "the nearer to its target the better"


class Metric(models.Model):
    """One quantity that is trended, e.g. ``image.mean_reflectance``: the catalogue of what the centre measures.

    A job declares its metrics; what a person changes here stays (``edited``), with its history.
    """

    code = models.CharField(max_length=60, primary_key=True)
    name = models.CharField(max_length=120)
    unit = models.CharField(max_length=30, blank=True, help_text="unit of the value; empty for a pure number")
    description = models.TextField(blank=True, help_text="what it measures")
    method = models.TextField(blank=True, help_text="how it is measured")
    document = models.CharField(max_length=200, blank=True, help_text="document and section of the method")
    group = models.CharField(max_length=30, blank=True, help_text="what it belongs to: image, radiometry, geometry ...")
    per_band = models.BooleanField(default=False)
    per_detector = models.BooleanField(default=False)
    per_site = models.BooleanField(default=False)
    direction = models.CharField(max_length=6, choices=Direction, blank=True, default=Direction.NONE)
    target = models.FloatField(null=True, blank=True, help_text="the value that is aimed at, in the metric's unit")
    declared = models.BooleanField(
        default=False, help_text="a constant that products repeat, or what they say of themselves: feeds no compliance"
    )
    watched = models.BooleanField(default=True, help_text="detectors look at its series")
    edited = models.BooleanField(default=False, help_text="a person changed it: declarations no longer overwrite it")

    objects = MetricQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("monitoring:trend", kwargs={"code": self.code})


class Series(models.Model):
    """One line of a plot: a metric of one part of the mission. Empty text means "not by this"."""

    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="series")
    unit = models.CharField(max_length=3, blank=True, help_text="satellite")
    band = models.CharField(max_length=3, blank=True)
    detector = models.CharField(max_length=2, blank=True)
    site = models.CharField(max_length=40, blank=True)
    level = models.CharField(max_length=4, blank=True)
    baseline = models.CharField(max_length=5, blank=True)
    # Kept by services.store_measurements, so that no page has to count the measurements.
    count = models.BigIntegerField(default=0, help_text="current values")
    first_time = models.DateTimeField(null=True, help_text="of the oldest current value")
    last_time = models.DateTimeField(null=True, help_text="of the newest current value")
    changed_at = models.DateTimeField(null=True, help_text="when its values were last written, hidden or shown")

    class Meta:
        ordering = ["metric_id", "unit", "band", "detector", "id"]
        verbose_name_plural = "series"
        constraints = [
            models.UniqueConstraint(
                fields=["metric", "unit", "band", "detector", "site", "level", "baseline"], name="series_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.part}".strip()

    @property
    def part(self) -> str:
        """The part of the mission that is measured, in words: "S2B L1C 05.11 B04 D07"."""
        detector = self.detector and f"D{self.detector}"
        return " ".join(p for p in (self.unit, self.level, self.baseline, self.band, detector, self.site) if p)


class MeasurementQuerySet(models.QuerySet):
    def shown(self) -> MeasurementQuerySet:
        """Those that count: neither superseded nor of a withdrawn product."""
        return self.filter(current=True, withdrawn=False)


class Measurement(models.Model):
    """One number of a series. ``uncertainty`` is one standard uncertainty (k = 1) or null with a reason."""

    # Its index is the one by series and time.
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="measurements", db_index=False)
    time = models.DateTimeField()
    value = models.FloatField()
    uncertainty = models.FloatField(null=True)
    no_uncertainty = models.CharField(max_length=200, blank=True)
    samples = models.BigIntegerField()
    run = models.ForeignKey("runs.Run", on_delete=models.PROTECT, related_name="measurements")
    product = models.ForeignKey("products.Product", null=True, on_delete=models.PROTECT, related_name="measurements")
    job_kind = models.CharField(max_length=60)
    current = models.BooleanField(default=True)
    withdrawn = models.BooleanField(default=False, help_text="its product is withdrawn")

    objects = MeasurementQuerySet.as_manager()

    class Meta:
        ordering = ["time", "id"]
        indexes = [models.Index(fields=["series", "time"], name="measurement_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "product", "job_kind"],
                condition=Q(current=True, product__isnull=False),
                name="measurement_once_a_product",
            ),
            models.UniqueConstraint(
                fields=["series", "time", "job_kind"],
                condition=Q(current=True, product__isnull=True),
                name="measurement_once_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} {self.time:%Y-%m-%d} {self.value:g}"

    def get_absolute_url(self) -> str:
        return self.page()

    def page(self) -> str:
        """The page that explains this number: its quality report, its product or its run."""
        return page_of(self.job_kind, self.product.name if self.product else None, self.run_id)
