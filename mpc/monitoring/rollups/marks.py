"""Marks: what has to be reckoned anew. Whoever writes, hides or shows a measurement marks its day in its transaction.

A mark is a row of its own, so nobody waits for a mark of somebody else, and the roller takes away exactly those that it
saw before it read the values.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver
from django.utils import timezone

from mpc.monitoring.bulk import insert_rows
from mpc.monitoring.models import DirtyBucket, Requirement, RequirementLimit, Series
from mpc.monitoring.rollups.times import utc_day


def mark_times(places: Iterable[tuple[int, datetime]]) -> None:
    """Mark the UTC days of these times of these series (keys); the caller holds the locks of the series."""
    now = timezone.now()
    days = sorted({(series, utc_day(time)) for series, time in places})
    insert_rows(DirtyBucket._meta.db_table, ("series_id", "day", "marked_at"), [(s, d, now) for s, d in days])


def mark_series(series: Iterable[int]) -> None:
    """Mark all days of these series (keys)."""
    DirtyBucket.objects.bulk_create([DirtyBucket(series_id=s, day=None) for s in sorted(set(series))], batch_size=1000)


def mark_metric(code: str) -> None:
    """Mark all that was measured of a metric: its limits changed, so what lies outside of them did."""
    mark_series(Series.objects.filter(metric=code, first_time__isnull=False).values_list("pk", flat=True))


# --- Limits change ---------------------------------------------------------------------------------------------------
@receiver(pre_save, sender=Requirement, dispatch_uid="monitoring.rollups.requirement_before")
def _before(sender: Any, instance: Requirement, raw: bool = False, **_: Any) -> None:
    if not raw and instance.pk:
        earlier = Requirement.objects.filter(pk=instance.pk).values_list("metric", flat=True).first()
        if earlier and earlier != instance.metric_id:
            mark_metric(earlier)


@receiver([post_save, post_delete], sender=Requirement, dispatch_uid="monitoring.rollups.requirement")
def _requirement_changed(sender: Any, instance: Requirement, raw: bool = False, **_: Any) -> None:
    if not raw:
        mark_metric(instance.metric_id)


@receiver([post_save, post_delete], sender=RequirementLimit, dispatch_uid="monitoring.rollups.limit")
def _limit_changed(sender: Any, instance: RequirementLimit, raw: bool = False, **_: Any) -> None:
    if not raw:
        mark_metric(instance.requirement.metric_id)
