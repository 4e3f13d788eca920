"""What detectors are set to, what they found, and what they are worth."""

from __future__ import annotations

from django.db import models
from simple_history.models import HistoricalRecords

from mpc.monitoring.models.events import MissionEvent
from mpc.monitoring.models.metrics import Metric, Series


class DetectorMode(models.TextChoices):
    LIVE = "live", "live: what it finds may alert"
    SHADOW = "shadow", "in shadow: what it finds is kept and compared, and alerts nobody"
    OFF = "off", "off"


class DetectorSetting(models.Model):
    """How a detector looks at all series (metric and series empty), at those of a metric, or at one series.

    The nearest one counts; parameters that it does not name come from the wider ones and then from the detector.
    """

    detector = models.CharField(max_length=30, help_text="code of a detector")
    metric = models.ForeignKey(Metric, null=True, blank=True, on_delete=models.CASCADE, related_name="settings")
    series = models.ForeignKey(Series, null=True, blank=True, on_delete=models.CASCADE, related_name="settings")
    mode = models.CharField(max_length=6, choices=DetectorMode, default=DetectorMode.SHADOW)
    params = models.JSONField(default=dict, blank=True)
    version = models.CharField(
        max_length=20, blank=True, help_text="of the detector that this was decided for; another one runs in shadow"
    )
    note = models.CharField(max_length=300, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["detector", "metric", "series", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["detector", "mode"],
                condition=models.Q(metric__isnull=True, series__isnull=True),
                name="setting_once_for_all",
            ),
            models.UniqueConstraint(
                fields=["detector", "metric", "mode"],
                condition=models.Q(metric__isnull=False, series__isnull=True),
                name="setting_once_a_metric",
            ),
            models.UniqueConstraint(
                fields=["detector", "series", "mode"],
                condition=models.Q(series__isnull=False),
                name="setting_once_a_series",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.detector} of {self.series or self.metric or 'all series'}"


class ChangePoint(models.Model):
    """A change of a series that a detector found; kept when it is not found any more (``gone_at``)."""

    class Explained(models.TextChoices):
        YES = "explained", "explained"
        PARTLY = "partly", "partly explained"
        NO = "unexplained", "unexplained"

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="changes")
    detector = models.CharField(max_length=30)
    version = models.CharField(max_length=20, help_text="of the detector")
    mode = models.CharField(max_length=6, choices=DetectorMode)
    kind = models.CharField(max_length=12, help_text="step, drift, noise, outlier, silence")
    time = models.DateTimeField()
    interval_start = models.DateTimeField(help_text="the change lies after this")
    interval_end = models.DateTimeField(help_text="and before this")
    magnitude = models.FloatField(null=True, help_text="in the metric's unit")
    magnitude_uncertainty = models.FloatField(null=True)
    score = models.FloatField(null=True, help_text="significance as the detector reckons it")
    before = models.FloatField(null=True)
    after = models.FloatField(null=True)
    text = models.CharField(max_length=300, blank=True)
    explained = models.CharField(max_length=12, choices=Explained, default=Explained.NO)
    event = models.ForeignKey(MissionEvent, null=True, on_delete=models.SET_NULL, related_name="changes")
    found_at = models.DateTimeField()
    points_after = models.PositiveIntegerField(default=0, help_text="values since the one that revealed it")
    gone_at = models.DateTimeField(null=True, help_text="not found any more since")
    held = models.CharField(max_length=200, blank=True, help_text="why it alerts nobody; empty where it does")

    class Meta:
        ordering = ["-time", "-id"]
        indexes = [
            models.Index(fields=["series", "time"], name="change_by_series"),
            models.Index(fields=["found_at"], name="change_by_found"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of series {self.series_id} at {self.time:%Y-%m-%d}"


class DrillRecord(models.Model):
    """What a detector was worth in one fault drill: how often it found a fault, how late, how often it cried."""

    run = models.ForeignKey("runs.Run", on_delete=models.PROTECT, related_name="drill_records")
    detector = models.CharField(max_length=30)
    version = models.CharField(max_length=20)
    fault = models.CharField(max_length=40, help_text="what was planted; empty for none: false alarms only")
    magnitude = models.CharField(max_length=40, blank=True)
    material = models.CharField(max_length=80, help_text="simulated, or the metric whose real series were copied")
    series_count = models.IntegerField()
    found = models.IntegerField()
    detection_rate = models.FloatField(null=True)
    rate_low = models.FloatField(null=True, help_text="lower end of its 95 % interval")
    rate_high = models.FloatField(null=True)
    latency_points = models.FloatField(null=True, help_text="median")
    latency_days = models.FloatField(null=True, help_text="median")
    latency_points_p90 = models.FloatField(null=True)
    false_alarms = models.IntegerField(default=0)
    series_years = models.FloatField()
    points_per_year = models.FloatField(null=True, help_text="cadence")
    params = models.JSONField(default=dict)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-made_at", "detector", "fault", "id"]
        indexes = [models.Index(fields=["detector", "-made_at"], name="drill_by_detector")]

    def __str__(self) -> str:
        return f"{self.detector}: {self.fault or 'no fault'}"
