"""Writes down when a cell of the compliance matrix begins to stand otherwise, whoever reckons it."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver

from mpc.monitoring.models import Compliance, ComplianceChange

QUIET = (Compliance.State.NOT_MEASURED, Compliance.State.TOO_FEW, Compliance.State.MET)
"""A cell that is reckoned for the first time and stands like this is no news."""


@receiver(pre_save, sender=Compliance, dispatch_uid="monitoring.standing.before")
def remember(sender: Any, instance: Compliance, **_: Any) -> None:
    before = Compliance.objects.filter(pk=instance.pk).values_list("state", flat=True).first() if instance.pk else None
    instance._stood = before or ""  # type: ignore[attr-defined]


@receiver(post_save, sender=Compliance, dispatch_uid="monitoring.standing.after")
def write_down(sender: Any, instance: Compliance, **_: Any) -> None:
    before, after = instance._stood, str(instance.state)  # type: ignore[attr-defined]
    if after == before or (not before and after in QUIET):
        return
    ComplianceChange.objects.create(
        requirement_id=instance.requirement_id,
        unit=instance.unit,
        band=instance.band,
        before=before,
        after=after,
        why=instance.why,
        at=instance.computed_at,
    )
