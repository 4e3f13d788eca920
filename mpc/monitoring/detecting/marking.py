"""Which series the detectors have to look at: those of which a value was written or hidden, and each once a day.

Marks are only added, in the transaction that changes the values, so that writers never wait for each other here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from mpc.jobs import Outcome
from mpc.monitoring.models import Measurement, Requirement, RequirementLimit, Series, Statistic, WatchMark
from mpc.products.signals import product_reinstated, product_withdrawn

BATCH = 1000


def mark(series: Iterable[int]) -> int:
    """Ask the detectors to look at these series (keys); hands back how many."""
    rows = [WatchMark(series_id=pk) for pk in series]
    WatchMark.objects.bulk_create(rows, batch_size=BATCH)
    return len(rows)


def mark_measured(run: Any, outcome: Outcome) -> None:
    """What a run measured; a sink, after the one that stores measurements."""
    if outcome.measurements:
        mark(sorted(set(Measurement.objects.filter(run=run).values_list("series_id", flat=True))))


@receiver(product_withdrawn, dispatch_uid="monitoring.mark_withdrawn")
@receiver(product_reinstated, dispatch_uid="monitoring.mark_reinstated")
def mark_product(sender: Any, product: Any, **_: Any) -> None:
    """What was measured of a product left the trends, or came back."""
    of_product = Measurement.objects.filter(product=product, current=True)
    mark(sorted(set(of_product.order_by().values_list("series_id", flat=True))))


@receiver(post_save, sender=RequirementLimit, dispatch_uid="monitoring.mark_limit")
@receiver(post_delete, sender=RequirementLimit, dispatch_uid="monitoring.mark_limit_gone")
def mark_limited(sender: Any, instance: RequirementLimit, raw: bool = False, **_: Any) -> None:
    """The limits of a requirement changed: what breaks them is judged anew."""
    if not raw:
        mark_requirement(sender, instance.requirement)


@receiver(post_save, sender=Requirement, dispatch_uid="monitoring.mark_requirement")
def mark_requirement(sender: Any, instance: Requirement, raw: bool = False, **_: Any) -> None:
    """A requirement on each value changed; the others are judged by their cells."""
    if not raw and instance.statistic == Statistic.EACH:
        rows = watched().filter(metric=instance.metric_id, count__gt=0)
        mark(rows.order_by("pk").values_list("pk", flat=True))


def watched() -> QuerySet[Series]:
    """Series that detectors look at: of metrics that are watched and measured, not merely declared by products."""
    return Series.objects.filter(metric__watched=True, metric__declared=False)


def narrowed(rows: QuerySet[Series], unit: str = "", group: str = "", metric: str = "") -> QuerySet[Series]:
    """Those of a satellite, a group of metrics, a metric; empty is all."""
    asked = {"unit": unit, "metric__group": group, "metric": metric}
    return rows.filter(**{name: value for name, value in asked.items() if value})


def mark_unseen(limit: int = 2000) -> int:
    """Mark series that nobody looked at for a day: silence is found by looking when nothing comes."""
    before = timezone.now() - timedelta(hours=settings.MPC_DETECT_LOOK_HOURS)
    unseen = watched().filter(Q(watch__isnull=True) | Q(watch__looked_at__lt=before), count__gt=0)
    waiting = WatchMark.objects.values("series")
    return mark(unseen.exclude(pk__in=waiting).order_by("pk").values_list("pk", flat=True)[:limit])
