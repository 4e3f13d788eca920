"""What the detectors looked at last, and what they have to look at next."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from mpc.monitoring.models.metrics import Series


class WatchMark(models.Model):
    """A series of which a value was written or hidden since the detectors looked. Marks are added, never shared:
    whoever looked takes away those that it saw, so a mark that is written meanwhile stays."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="watch_marks")
    marked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["series"], name="watch_mark_by_series")]

    def __str__(self) -> str:
        return f"series {self.series_id}"


class Watch(models.Model):
    """What the detectors saw when they last looked at a series, and whether that was made into alerts yet."""

    series = models.OneToOneField(Series, primary_key=True, on_delete=models.CASCADE, related_name="watch")
    looked_at = models.DateTimeField(db_index=True)
    count = models.IntegerField(default=0, help_text="values, or days, that were looked at")
    by_day = models.BooleanField(default=False, help_text="looked at were medians of days: there are too many values")
    newest = models.DateTimeField(null=True, help_text="time of the newest value")
    too_little = models.CharField(max_length=200, blank=True, help_text="which detectors had too little data")
    failed = models.CharField(max_length=300, blank=True, help_text="which detectors failed, and why")
    breaches = models.JSONField(default=list, help_text="requirements on each value that do not hold now")
    back = models.JSONField(default=dict, help_text="values in a row that were back, by part of an alert")
    run = models.ForeignKey("runs.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    judged = models.BooleanField(default=False, help_text="alerts follow from what was seen")

    class Meta:
        verbose_name_plural = "watches"
        indexes = [models.Index(fields=["series"], condition=Q(judged=False), name="watch_to_judge")]

    def __str__(self) -> str:
        return f"series {self.series_id}"
