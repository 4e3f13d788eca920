"""What a job handed back and the catalogue did not take."""

from __future__ import annotations

from django.db import models


class RefusedMeasurement(models.Model):
    """One number of a run that could not stand in a series, and why; the rest of its run was kept."""

    run = models.ForeignKey("runs.Run", on_delete=models.CASCADE, related_name="refused_measurements")
    metric = models.CharField(max_length=100, help_text="code as the job gave it")
    part = models.CharField(max_length=200, blank=True, help_text="unit, level, baseline, band, detector, site")
    time = models.DateTimeField()
    value = models.CharField(max_length=40, help_text="as text, for it may be no number")
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["run", "id"]

    def __str__(self) -> str:
        return f"{self.metric} {self.part}: {self.reason}"
