"""Months of measurements that left the database for a file."""

from __future__ import annotations

from django.db import models


class ArchivedMonth(models.Model):
    """A month whose measurements lie in a Parquet file below ``MPC_MEASUREMENTS_DIR``, hidden ones too.

    ``touched_at``: something of the month was written, hidden or shown since; it is brought back and archived anew.
    """

    month = models.DateField(unique=True, help_text="its first day")
    file = models.CharField(max_length=100)
    rows = models.BigIntegerField()
    size = models.BigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)
    archived_at = models.DateTimeField()
    touched_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["month"]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
