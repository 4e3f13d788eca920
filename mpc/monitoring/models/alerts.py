"""Judged changes and breaches that a person should look at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from mpc.monitoring.models.changes import ChangePoint
from mpc.monitoring.models.metrics import Series
from mpc.monitoring.models.requirements import Requirement


class Severity(models.IntegerChoices):
    INFO = 10, "info"
    MINOR = 20, "minor"
    MAJOR = 30, "major"
    CRITICAL = 40, "critical"


class Alert(ConcurrentTransitionMixin, models.Model):
    """What happened to one unit at one time, in all the bands and metrics in which it shows (its parts).

    ``state`` is a person's dealing with it; whether it still holds derives from the parts (``services.alerts``).
    """

    class State(models.TextChoices):
        OPEN = "open", "open"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        SNOOZED = "snoozed", "snoozed"
        CLOSED = "closed", "closed"

    class Judgement(models.TextChoices):
        NONE = "", "not judged"
        NOISE = "noise", "noise"
        EXPECTED = "expected", "expected"
        REAL = "real", "real"

    title = models.CharField(max_length=200)
    unit = models.CharField(max_length=3, blank=True)
    severity = models.PositiveSmallIntegerField(choices=Severity, default=Severity.MINOR)
    state = FSMField(max_length=12, choices=State, default=State.OPEN, protected=True)
    judgement = models.CharField(max_length=8, choices=Judgement, blank=True, default=Judgement.NONE)
    judged_why = models.CharField(max_length=500, blank=True)
    time = models.DateTimeField(help_text="when what it speaks of began")
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(help_text="when it was last found to hold")
    closed_at = models.DateTimeField(null=True)
    closed_why = models.CharField(max_length=300, blank=True)
    snoozed_until = models.DateTimeField(null=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="alerts"
    )
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True)
    reopened = models.PositiveSmallIntegerField(default=0, help_text="how often it came back")
    announced_at = models.DateTimeField(null=True, help_text="when its one signal was sent")

    class Meta:
        ordering = ["-severity", "opened_at", "id"]
        indexes = [
            models.Index(fields=["state", "-severity", "opened_at"], name="alert_triage"),
            models.Index(fields=["unit", "time"], name="alert_by_unit"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("monitoring:alert", kwargs={"pk": self.pk})

    @property
    def active(self) -> bool:
        return self.state != self.State.CLOSED

    # --- Transitions: who may and what else changes with them stands in mpc.monitoring.alerts.states ------------------
    @transition(field=state, source=[State.OPEN, State.SNOOZED], target=State.ACKNOWLEDGED)
    def acknowledge(self, actor: Any, at: datetime) -> None:
        self.acknowledged_by, self.acknowledged_at, self.snoozed_until = actor, at, None

    @transition(field=state, source=[State.OPEN, State.ACKNOWLEDGED, State.SNOOZED], target=State.SNOOZED)
    def snooze(self, until: datetime) -> None:
        self.snoozed_until = until

    @transition(field=state, source=State.SNOOZED, target=State.OPEN)
    def wake(self) -> None:
        self.snoozed_until = None

    @transition(field=state, source=[State.OPEN, State.ACKNOWLEDGED, State.SNOOZED], target=State.CLOSED)
    def close(self, why: str, at: datetime) -> None:
        self.closed_at, self.closed_why, self.snoozed_until = at, why[:300], None

    @transition(field=state, source=State.CLOSED, target=State.OPEN)
    def reopen(self) -> None:
        self.closed_at, self.closed_why = None, ""


class AlertPart(models.Model):
    """One series in which the alert shows."""

    class State(models.TextChoices):
        HOLDS = "holds", "holds"
        BACK = "back", "back within limits"
        GONE = "gone", "not found any more"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="parts")
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="alert_parts")
    kind = models.CharField(max_length=12, help_text="breach, step, drift, noise, outlier, silence")
    change = models.ForeignKey(ChangePoint, null=True, on_delete=models.SET_NULL, related_name="alert_parts")
    requirement = models.ForeignKey(Requirement, null=True, on_delete=models.PROTECT, related_name="alert_parts")
    state = models.CharField(max_length=6, choices=State, default=State.HOLDS)
    time = models.DateTimeField()
    value = models.FloatField(null=True)
    uncertainty = models.FloatField(null=True)
    limit = models.FloatField(null=True)
    text = models.CharField(max_length=300, blank=True)
    back_points = models.PositiveIntegerField(default=0, help_text="values in a row that were back within limits")
    product = models.ForeignKey("products.Product", null=True, on_delete=models.PROTECT, related_name="alert_parts")
    run = models.ForeignKey("runs.Run", null=True, on_delete=models.PROTECT, related_name="alert_parts")

    class Meta:
        ordering = ["alert", "id"]
        indexes = [models.Index(fields=["series", "kind"], name="alert_part_by_series")]
        constraints = [
            models.UniqueConstraint(fields=["change"], name="alert_part_once_a_change"),
            models.UniqueConstraint(
                fields=["series", "requirement"],
                condition=models.Q(kind="breach", state="holds"),
                name="alert_part_once_a_breach",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of series {self.series_id}"


class AlertNote(models.Model):
    """One line of what happened to an alert: opened, grew, acknowledged, snoozed, judged, closed, came back."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    what = models.CharField(max_length=20)
    text = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["alert", "id"]

    def __str__(self) -> str:
        return f"{self.what}: {self.text}"
