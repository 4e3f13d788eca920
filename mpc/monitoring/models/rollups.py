"""What plots read: robust statistics of a series by day and by month, and what has to be reckoned anew."""

from __future__ import annotations

from django.db import models

from mpc.monitoring.models.metrics import Series


class Resolution(models.TextChoices):
    DAY = "day", "day"
    MONTH = "month", "month"


class Rollup(models.Model):
    """All shown values of a series in one UTC day or month."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="rollups")
    resolution = models.CharField(max_length=5, choices=Resolution)
    start = models.DateField(help_text="first UTC day of the bucket")
    count = models.IntegerField()
    samples = models.BigIntegerField(help_text="sum of the sample sizes of the values")
    mean = models.FloatField()
    median = models.FloatField()
    p05 = models.FloatField()
    p95 = models.FloatField()
    minimum = models.FloatField()
    maximum = models.FloatField()
    spread = models.FloatField(null=True, help_text="sample standard deviation (n - 1) of the values; none for one")
    uncertainty = models.FloatField(
        null=True, help_text="standard uncertainty (k = 1) of the mean from those of the values; none if any has none"
    )
    out_of_limits = models.IntegerField(default=0, help_text="values outside the requirement's limits of their time")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "resolution", "start"], name="rollup_once")]

    def __str__(self) -> str:
        return f"{self.series_id} {self.resolution} {self.start:%Y-%m-%d}"


class DirtyBucket(models.Model):
    """A UTC day of a series in which something was written or hidden; null for all its days. Marks are added, never
    shared: the roller takes away those that it saw, so a mark that is written meanwhile stays."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="dirty_buckets")
    day = models.DateField(null=True)
    marked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["series", "day"], name="dirty_by_series")]

    def __str__(self) -> str:
        return f"{self.series_id} {self.day or 'all days'}"
