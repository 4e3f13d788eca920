"""Who wants to hear of which alerts, and what was sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from mpc.monitoring.models.alerts import Alert, Severity


class Subscription(models.Model):
    """One person's wish to hear of alerts by mail or by a call of an address. Empty filters: any."""

    class Channel(models.TextChoices):
        MAIL = "mail", "mail"
        WEBHOOK = "webhook", "webhook"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_subscriptions")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.MAIL)
    url = models.URLField(blank=True, max_length=400, help_text="where a webhook is sent")
    secret = models.CharField(max_length=120, blank=True, help_text="signs a webhook")
    unit = models.CharField(max_length=3, blank=True)
    band = models.CharField(max_length=3, blank=True)
    group = models.CharField(max_length=30, blank=True, help_text="group of metrics")
    severity = models.PositiveSmallIntegerField(choices=Severity, default=Severity.MINOR, help_text="this and above")
    digest = models.BooleanField(default=False, help_text="also the daily digest (mail)")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["user", "id"]

    def __str__(self) -> str:
        return f"{self.channel} of {self.user_id}"


class Notification(models.Model):
    """One message about one opened alert to one subscription."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notifications")
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="notifications")
    turn = models.PositiveSmallIntegerField(default=0, help_text="how often the alert had come back")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["alert", "subscription", "turn"], name="notification_once"),
        ]
        indexes = [models.Index(fields=["state", "next_at"], name="notification_due")]

    def __str__(self) -> str:
        return f"alert {self.alert_id} to {self.subscription_id}"
