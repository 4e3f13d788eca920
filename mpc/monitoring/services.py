"""Measurements are written here, with the run that made them, and nowhere else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone

from mpc.jobs import MeasuredValue, Outcome
from mpc.monitoring import judging
from mpc.monitoring.catalogue import defaults_for, is_declared
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.rollups.marks import mark_times
from mpc.products.models import Product

SERIES_KEY = ("metric_id", "unit", "band", "detector", "site", "level", "baseline")
Key = tuple[str, ...]


@transaction.atomic
def store_measurements(run: Any, outcome: Outcome) -> None:
    """Store what a run measured; runs inside its finishing transaction.

    The newest finished run supersedes: older values of the same series, product (or time) and kind of job stay and
    are hidden. A number that cannot stand in its series is refused by itself (``mpc.monitoring.judging``), and the
    reason stands on the run.
    """
    if not outcome.measurements:
        return
    values, refused = judging.judge(outcome.measurements, by_time=run.product_id is None)
    judging.note(run, refused)
    if not values:
        return
    withdrawn = run.product_id is not None and _is_withdrawn(run.product_id)
    keys = _series_of(values)
    # Two runs that end at once reach for the same series: locked in one order, the second waits for the first and
    # finds its values. The lock also makes the counts of the series true.
    series = {s.pk: s for s in Series.objects.select_for_update().filter(pk__in=keys.values()).order_by("pk")}
    older = Measurement.objects.filter(job_kind=run.kind, current=True, series__in=list(series))
    if run.product_id is not None:
        older = older.filter(product_id=run.product_id)
    else:
        older = older.filter(product=None, time__in={v.time for v in values})
    # By their keys, not by the filter again: a measurement that was counted here is the one that is hidden.
    replaced = list(older.values_list("pk", "series_id", "time"))
    if run.product_id is None:
        wanted = {(keys[_key(v)], v.time) for v in values}
        replaced = [row for row in replaced if (row[1], row[2]) in wanted]
    Measurement.objects.filter(pk__in=[pk for pk, _, _ in replaced]).update(current=False)
    Measurement.objects.bulk_create(
        [
            Measurement(
                series_id=keys[_key(v)],
                time=v.time.astimezone(UTC),
                value=v.value,
                uncertainty=v.uncertainty,
                no_uncertainty=v.no_uncertainty[:200],
                samples=v.samples,
                run_id=run.pk,
                product_id=run.product_id,
                job_kind=run.kind,
                withdrawn=withdrawn,
            )
            for v in values
        ],
        batch_size=1000,
    )
    if withdrawn:
        return  # neither these nor what they replace are counted
    added: dict[int, list[datetime]] = defaultdict(list)
    for value in values:
        added[keys[_key(value)]].append(value.time)
    gone = [(series_id, time) for _, series_id, time in replaced]
    _keep_counts(series, added, gone)
    mark_times([*((keys[_key(v)], v.time) for v in values), *gone])


def _is_withdrawn(product_id: int) -> bool:
    """Whether the product is withdrawn; it stays so, or in use, until this transaction ends."""
    row = Product.objects.select_for_update(no_key=True).filter(pk=product_id)
    return row.values_list("withdrawn_at", flat=True).get() is not None


@transaction.atomic
def hide_product(product_id: int) -> None:
    """Take all that was measured of a product out of trends and counts; its caller has locked the product."""
    _mark_withdrawn(product_id, True)


@transaction.atomic
def show_product(product_id: int) -> None:
    """Undo ``hide_product``: what had been superseded before stays superseded."""
    _mark_withdrawn(product_id, False)


def _mark_withdrawn(product_id: int, withdrawn: bool) -> None:
    rows = Measurement.objects.filter(product_id=product_id, withdrawn=not withdrawn)
    changed = list(rows.order_by().values_list("pk", "series_id", "time", "current"))
    counted = [(series_id, time) for _, series_id, time, current in changed if current]
    touched = {series_id for series_id, _ in counted}
    series = {s.pk: s for s in Series.objects.select_for_update().filter(pk__in=touched).order_by("pk")}
    for start in range(0, len(changed), 1000):
        batch = [row[0] for row in changed[start : start + 1000]]
        Measurement.objects.filter(pk__in=batch).update(withdrawn=withdrawn)
    added: dict[int, list[datetime]] = defaultdict(list)
    for series_id, time in () if withdrawn else counted:
        added[series_id].append(time)
    _keep_counts(series, added, counted if withdrawn else [])
    mark_times(counted)


def _key(v: MeasuredValue) -> Key:
    return (v.metric, v.unit, v.band, v.detector, v.site, v.level, v.baseline)


def _series_of(values: Iterable[MeasuredValue]) -> dict[Key, int]:
    """Primary keys of the series of all values, new ones made; one statement when all are known."""
    wanted = {_key(v) for v in values}
    narrowed = {f"{field}__in": {key[i] for key in wanted} for i, field in enumerate(SERIES_KEY)}
    known = {row[:-1]: row[-1] for row in Series.objects.filter(**narrowed).values_list(*SERIES_KEY, "pk")}
    missing = sorted(wanted - known.keys())
    for code in sorted({key[0] for key in missing} - {key[0] for key in known}):
        if is_declared(code):
            Metric.objects.get_or_create(code=code, defaults=defaults_for(code))
    for key in missing:
        known[key] = Series.objects.get_or_create(**dict(zip(SERIES_KEY, key, strict=True)))[0].pk
    return {key: known[key] for key in wanted}


def _keep_counts(
    series: dict[int, Series], added: dict[int, list[datetime]], replaced: list[tuple[int, datetime]]
) -> None:
    """Number and time span of the current values of the series that a run wrote to."""
    gone = Counter(series_id for series_id, _ in replaced)
    times_gone: dict[int, set[datetime]] = defaultdict(set)
    for series_id, time in replaced:
        times_gone[series_id].add(time)
    now = timezone.now()
    for pk, one in series.items():
        one.changed_at = now
        one.count += len(added[pk]) - gone[pk]
        if {one.first_time, one.last_time} & (times_gone[pk] - set(added[pk])):
            # An end of the series was taken back: the two ends are one look each into the index.
            of_series = Measurement.objects.shown().filter(series_id=pk)
            ends = of_series.aggregate(first=Min("time"), last=Max("time"))
            one.first_time, one.last_time = ends["first"], ends["last"]
        else:
            one.first_time = min(filter(None, (one.first_time, *added[pk])))
            one.last_time = max(filter(None, (one.last_time, *added[pk])))
    Series.objects.bulk_update(series.values(), ["count", "first_time", "last_time", "changed_at"], batch_size=200)
