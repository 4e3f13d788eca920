"""Which mission event explains which change; judged anew when events come, change or are withdrawn.

The judgement is :mod:`mpc.monitoring.detectors.explain`. What a kind of event can explain at all stands below: an event
that lasts a moment explains no drift, and a milestone explains nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver

from mpc.monitoring.detecting.inputs import days
from mpc.monitoring.detectors.explain import Event, Explained, Part, explain
from mpc.monitoring.events.reading import events_for
from mpc.monitoring.models import ChangePoint, EventKind, MissionEvent, Series, Waiver, Watch

LEVEL = frozenset({"step", "noise"})
PAUSE = frozenset({"silence", "outlier"})
CAN_EXPLAIN: dict[str, frozenset[str]] = {
    EventKind.GIPP: LEVEL,
    EventKind.BASELINE: LEVEL,
    EventKind.IRRADIANCE: LEVEL,
    EventKind.NUC: LEVEL,
    EventKind.CALIBRATION: LEVEL | PAUSE,
    EventKind.DECONTAMINATION: LEVEL | PAUSE,
    EventKind.MANOEUVRE: PAUSE,
    EventKind.OUTAGE: PAUSE,
    EventKind.ANOMALY: LEVEL | PAUSE,
    EventKind.OTHER: LEVEL | PAUSE,
    EventKind.MILESTONE: frozenset(),
}
"""Kinds of change that a kind of event can explain. Drifts are explained by no event: they go on."""

_WORDS = {
    Explained.EXPLAINED: ChangePoint.Explained.YES,
    Explained.PARTLY: ChangePoint.Explained.PARTLY,
    Explained.UNEXPLAINED: ChangePoint.Explained.NO,
}


def judge(changes: Sequence[ChangePoint]) -> list[ChangePoint]:
    """Judge changes (with their series at hand); hands back those whose judgement is another one now, not saved."""
    if not changes:
        return []
    reach = timedelta(days=settings.MPC_EXPLAIN_DAYS)
    near = events_for(
        units={c.series.unit for c in changes},
        since=min(c.interval_start for c in changes) - reach,
        until=max(c.interval_end for c in changes) + reach,
    )
    events = [_event(event) for event in near if CAN_EXPLAIN.get(event.kind)]
    altered = []
    for change in changes:
        explained, event = _judged(change, events)
        if (change.explained, change.event_id) != (explained, event):
            change.explained, change.event_id = explained, event
            altered.append(change)
    return altered


def _judged(change: ChangePoint, events: Collection[Event]) -> tuple[str, int | None]:
    part = Part(
        interval_start=days(change.interval_start),
        interval_end=days(change.interval_end),
        unit=change.series.unit,
        band=change.series.band,
        detector=change.series.detector,
        change=change.kind,
    )
    told = explain([part], events, tolerance_days=settings.MPC_EXPLAIN_DAYS)
    return _WORDS[told.verdict], int(told.events[0].key) if told.events else None


def _event(event: MissionEvent) -> Event:
    return Event(
        kind=event.kind,
        start=days(event.start),
        end=None if event.end is None else days(event.end),
        unit=event.unit,
        bands=frozenset(event.bands),
        detectors=frozenset(event.detectors),
        changes=CAN_EXPLAIN[event.kind],
        key=str(event.pk),
    )


def judge_again(series: Iterable[int]) -> None:
    """Have alerts and explanations of these series judged anew."""
    Watch.objects.filter(series__in=series, judged=True).update(judged=False)


@receiver(post_save, sender=Waiver, dispatch_uid="monitoring.waived")
def look_at_waived(sender: Any, instance: Waiver, **_: Any) -> None:
    """A waiver came, changed or was withdrawn: what it names is judged again."""
    metric = instance.metric_id or instance.requirement.metric_id  # type: ignore[union-attr]
    rows = Series.objects.filter(metric=metric)
    for name in ("unit", "band", "detector"):
        if getattr(instance, name):
            rows = rows.filter(**{name: getattr(instance, name)})
    judge_again(rows.values("pk"))


@receiver(post_save, sender=MissionEvent, dispatch_uid="monitoring.explained_by")
def look_near(sender: Any, instance: MissionEvent, **_: Any) -> None:
    """An event came, changed or was withdrawn: changes near it, and those that it explained, are judged again."""
    reach = timedelta(days=settings.MPC_EXPLAIN_DAYS)
    near = Q(interval_start__lte=(instance.end or instance.start) + reach, interval_end__gte=instance.start - reach)
    if instance.unit:
        near &= Q(series__unit=instance.unit)
    judge_again(ChangePoint.objects.filter(near | Q(event=instance)).order_by().values("series"))
