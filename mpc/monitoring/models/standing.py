"""When a requirement began to stand otherwise."""

from __future__ import annotations

from django.db import models

from mpc.monitoring.models.requirements import Compliance, Requirement


class ComplianceChange(models.Model):
    """One cell of the compliance matrix changed its state; ``before`` is empty for the first one."""

    requirement = models.ForeignKey(Requirement, on_delete=models.CASCADE, related_name="state_changes")
    unit = models.CharField(max_length=3)
    band = models.CharField(max_length=3, blank=True)
    before = models.CharField(max_length=12, choices=Compliance.State, blank=True)
    after = models.CharField(max_length=12, choices=Compliance.State)
    why = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.requirement_id} {self.unit} {self.band}: {self.before or 'not judged'} to {self.after}"
