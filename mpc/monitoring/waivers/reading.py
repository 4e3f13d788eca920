"""Which waivers hold on a day, and which of them excuses a breach."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from mpc.monitoring.models import Series, Waiver


def holding(day: date | None = None) -> QuerySet[Waiver]:
    """Waivers that excuse on this UTC day (today): within their days, and not withdrawn by its end."""
    day = day or timezone.now().astimezone(UTC).date()
    ended = datetime.combine(day, time.min, tzinfo=UTC) + timedelta(days=1)
    return Waiver.objects.filter(
        Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=ended), valid_from__lte=day, valid_to__gte=day
    )


def active_waivers(day: date | None = None) -> list[Waiver]:
    """The waivers of ``holding`` with their requirement and metric, the one that ends last first. One query."""
    return list(holding(day).select_related("requirement", "metric"))


def waiver_of(waivers: Iterable[Waiver], series: Series, requirement: int | None = None) -> Waiver | None:
    """The first of these waivers that excuses what this series does; ``requirement`` is the key of the one that is not
    met, None for a breach of none (a change), which only a waiver of the whole metric excuses."""
    for waiver in waivers:
        if waiver.requirement_id in (None, requirement) and waiver.concerns(series):
            return waiver
    return None
