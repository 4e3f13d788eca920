"""What happened to the mission and may explain what its numbers do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from simple_history.models import HistoricalRecords


class EventKind(models.TextChoices):
    GIPP = "gipp", "GIPP in use"
    BASELINE = "baseline", "processing baseline"
    IRRADIANCE = "irradiance", "irradiance or spectral response table"
    DECONTAMINATION = "decontamination", "SWIR decontamination"
    MANOEUVRE = "manoeuvre", "orbit manoeuvre"
    CALIBRATION = "calibration", "calibration"
    NUC = "nuc", "on-board equalisation table"
    ANOMALY = "anomaly", "anomaly"
    OUTAGE = "outage", "outage"
    MILESTONE = "milestone", "milestone"
    OTHER = "other", "other"


class MissionEvent(models.Model):
    """Something that happened at a time, or lasted. Empty unit, bands or detectors: it concerns all of them."""

    class Origin(models.TextChoices):
        HAND = "hand", "entered by hand"
        API = "api", "by the API"
        CSV = "csv", "imported from a file"
        SYSTEM = "system", "found in the products"
        TABLE = "table", "the centre's own table"

    kind = models.CharField(max_length=20, choices=EventKind)
    title = models.CharField(max_length=120, help_text="a few words, for plots")
    text = models.TextField(blank=True)
    unit = models.CharField(max_length=3, blank=True, help_text="satellite; empty for all")
    bands = models.JSONField(default=list, blank=True, help_text="names of bands; empty for all")
    detectors = models.JSONField(default=list, blank=True, help_text='detectors "01" to "12"; empty for all')
    start = models.DateTimeField()
    end = models.DateTimeField(null=True, blank=True, help_text="empty for an event at one moment")
    source = models.CharField(max_length=200, blank=True, help_text="document, report or person")
    verified = models.BooleanField(default=True, help_text="the source was seen")
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.HAND)
    key = models.CharField(max_length=200, blank=True, help_text="what an event of the system is about; once each")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_why = models.CharField(max_length=300, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-start", "-id"]
        indexes = [models.Index(fields=["start"], name="event_by_start")]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=~models.Q(key=""), name="event_once_a_key"),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.title}".strip()

    def get_absolute_url(self) -> str:
        return reverse("monitoring:event", kwargs={"pk": self.pk})


class FirstSeen(models.Model):
    """When something first came in products of a unit, by their sensing time: a baseline, a set of GIPPs, an irradiance
    table. The system's mission events are derived from these rows alone."""

    class What(models.TextChoices):
        BASELINE = "baseline", "processing baseline"
        GIPP = "gipp", "set of GIPPs"
        IRRADIANCE = "irradiance", "irradiance table"

    unit = models.CharField(max_length=3)
    what = models.CharField(max_length=12, choices=What)
    value = models.CharField(max_length=64, help_text="the baseline, or a digest")
    time = models.DateTimeField(help_text="earliest sensing time")
    product = models.CharField(max_length=160, help_text="name of the product with that time")
    detail: Any = models.JSONField(default=dict, help_text="of an irradiance table: its values by band")

    class Meta:
        ordering = ["unit", "what", "time", "id"]
        constraints = [models.UniqueConstraint(fields=["unit", "what", "value"], name="first_seen_once")]

    def __str__(self) -> str:
        return f"{self.unit} {self.what} {self.value[:12]}"
