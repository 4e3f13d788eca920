"""What is written or hidden in a month that is archived: noted, for the step to bring the month back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.utils import timezone

from mpc.monitoring.models import ArchivedMonth
from mpc.monitoring.rollups.times import month_start, utc_day

YOUNGEST = timedelta(days=27)
"""No month that is so near is archived: the usual value costs no look."""


def touch_times(times: Iterable[datetime]) -> None:
    """Note the months of these times, where they are archived; in the transaction of the change."""
    now = timezone.now()
    touch_months({month_start(utc_day(time)) for time in times if time < now - YOUNGEST})


def touch_months(months: set[date]) -> None:
    if months:
        ArchivedMonth.objects.filter(month__in=months, touched_at=None).update(touched_at=timezone.now())


def archived_between(since: date | None, until: date | None) -> list[ArchivedMonth]:
    """Archived months that have a day from ``since`` on and before ``until``."""
    months = ArchivedMonth.objects.all()
    if since is not None:
        months = months.filter(month__gte=month_start(since))
    if until is not None:
        months = months.filter(month__lt=until)
    return list(months)
