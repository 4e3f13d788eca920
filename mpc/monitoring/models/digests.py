"""The daily digest: proof that somebody looked."""

from __future__ import annotations

from django.db import models
from django.urls import reverse


class Digest(models.Model):
    """What ran on a UTC day, on how many products, what was found, what had too little data, what did not run."""

    day = models.DateField(unique=True)
    content = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"digest of {self.day:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:digest", kwargs={"day": self.day.isoformat()})
