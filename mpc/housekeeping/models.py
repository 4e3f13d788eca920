"""What the housekeeping remembers, so that a restart repeats nothing and a silent process is noticed."""

from __future__ import annotations

from django.db import models


class Cleaning(models.Model):
    """The daily cleaning of one day: begun once, whoever keeps house, and taken over should its process end."""

    day = models.DateField(unique=True, help_text="UTC")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="its last sign of life")
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict, help_text="rows and files removed, by rule")

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"cleaning of {self.day}"


class Heartbeat(models.Model):
    """When a process without a row of its own was last seen at work."""

    name = models.CharField(max_length=40)
    host = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        ordering = ["name", "host"]
        constraints = [models.UniqueConstraint(fields=["name", "host"], name="heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.name} on {self.host}"
