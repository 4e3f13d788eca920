"""Measurements are written here, with the run that made them, and nowhere else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from mpc.jobs import MeasuredValue, Outcome
from mpc.monitoring import judging
from mpc.monitoring.archive.touching import touch_times
from mpc.monitoring.bulk import insert_rows, update_rows
from mpc.monitoring.catalogue import defaults_for, is_declared
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.rollups.marks import mark_times
from mpc.products.models import Product
from mpc.runs.models import Run

SERIES_KEY = ("metric_id", "unit", "band", "detector", "site", "level", "baseline")
Key = tuple[str, ...]
COLUMNS = (
    *("series_id", "time", "value", "uncertainty", "no_uncertainty", "samples", "run_id", "product_id", "job_kind"),
    *("current", "withdrawn"),
)
KEPT = (("count", "bigint"), *((name, "timestamptz") for name in ("first_time", "last_time", "changed_at")))


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
    places = [_key(v) for v in values]
    keys, series = _locked_series(set(places))
    written = [(keys[place], v.time) for place, v in zip(places, values, strict=True)]
    replaced = _replaced(run, written)
    _change([(pk, time) for pk, _, time in replaced], current=False)
    run_id, product_id, kind = run.pk, run.product_id, run.kind
    insert_rows(
        Measurement._meta.db_table,
        COLUMNS,
        [
            (
                series_id, time, v.value, v.uncertainty, v.no_uncertainty[:200], v.samples, run_id, product_id, kind,
                True, withdrawn,
            )
            for (series_id, time), v in zip(written, values, strict=True)
        ],
    )  # fmt: skip
    touch_times([time for _, time in written])
    if withdrawn:
        return  # neither these nor what they replace are counted
    gone = [(series_id, time) for _, series_id, time in replaced]
    _keep_counts(series, written, gone)
    mark_times([*written, *gone])


def _replaced(run: Any, written: list[tuple[int, datetime]]) -> list[tuple[int, int, datetime]]:
    """Key, series and time of the current values that those of this run take the place of; its series are locked.

    By their keys, not by the filter again: a measurement that is counted here is the one that is hidden.
    """
    older = Measurement.objects.filter(job_kind=run.kind, current=True).order_by()
    if run.product_id is not None:
        # The product is locked: a run of this kind that ended before has its row, and where there is none there are
        # no values, which saves a look into every month.
        if not _ran_before(run):
            return []
        own = {series_id for series_id, _ in written}
        rows = older.filter(product_id=run.product_id).values_list("pk", "series_id", "time")
        return [row for row in rows if row[1] in own]
    places = set(written)
    times = [time for _, time in written]
    rows = older.filter(product=None, series__in={series_id for series_id, _ in written})
    rows = rows.filter(time__gte=min(times), time__lte=max(times)).values_list("pk", "series_id", "time")
    return [row for row in rows if (row[1], row[2]) in places]


def _is_withdrawn(product_id: int) -> bool:
    """Whether the product is withdrawn; it stays so, or in use, until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT withdrawn_at FROM {_PRODUCTS} WHERE id = %s {_for_update()}", [product_id])  # noqa: S608
        return cursor.fetchone()[0] is not None


# Plain SQL where each run passes: building these statements anew takes longer than they do.
_PRODUCTS, _RUNS, _SERIES = (f'"{model._meta.db_table}"' for model in (Product, Run, Series))


def _for_update() -> str:
    return "FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""


def _ran_before(run: Any) -> bool:
    """Whether there is another run of this kind on the product."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {_RUNS} WHERE product_id = %s AND kind = %s AND id <> %s LIMIT 1",  # noqa: S608 - our names
            [run.product_id, run.kind, run.pk],
        )
        return cursor.fetchone() is not None


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
    series = {pk: kept for pk, (_, kept) in _lock(series_id for series_id, _ in counted).items()}
    _change([(pk, time) for pk, _, time, _ in changed], withdrawn=withdrawn)
    _keep_counts(series, [] if withdrawn else counted, counted if withdrawn else [])
    mark_times(counted)
    # What lies in archived months follows when the step has brought them back.
    sensed = Product.objects.filter(pk=product_id).values_list("sensing_start", flat=True).first()
    touch_times([*(time for _, _, time, _ in changed), *([sensed] if sensed else [])])


def _change(rows: list[tuple[int, datetime]], **values: Any) -> None:
    """Change these measurements (keys and times); the times tell a database of months where to look."""
    for start in range(0, len(rows), 1000):
        batch = rows[start : start + 1000]
        times = [time for _, time in batch]
        found = Measurement.objects.filter(pk__in=[pk for pk, _ in batch])
        found.filter(time__gte=min(times), time__lte=max(times)).update(**values)


def _key(v: MeasuredValue) -> Key:
    return (v.metric, v.unit, v.band, v.detector, v.site, v.level, v.baseline)


# --- Series ----------------------------------------------------------------------------------------------------------
@dataclass
class Kept:
    """What a series keeps of its current values."""

    count: int
    first: datetime | None
    last: datetime | None


_seen: dict[Key, int] = {}
"""Series by what they are, as this process saw them last; believed only when the locked row says the same."""
_SEEN_AT_MOST = 200_000


def _locked_series(wanted: set[Key]) -> tuple[dict[Key, int], dict[int, Kept]]:
    """Keys of the series, new ones made, and what they keep; they are locked.

    Two runs that end at once reach for the same series: locked in one order, the second waits for the first and finds
    its values. The lock also makes the counts of the series true.
    """
    keys = {key: _seen[key] for key in wanted if key in _seen}
    if len(keys) == len(wanted):
        locked = _lock(keys.values())
        if all(pk in locked and locked[pk][0] == key for key, pk in keys.items()):
            return keys, {pk: kept for pk, (_, kept) in locked.items()}
    keys = _series_of(wanted)
    locked = _lock(keys.values())
    if len(_seen) > _SEEN_AT_MOST:
        _seen.clear()
    _seen.update(keys)
    return keys, {pk: kept for pk, (_, kept) in locked.items()}


def _lock(keys: Iterable[int]) -> dict[int, tuple[Key, Kept]]:
    columns = ("id", *SERIES_KEY, "count", "first_time", "last_time")
    wanted = sorted(set(keys))
    told: Iterable[tuple[Any, ...]]
    if connection.vendor == "postgresql":
        names = ", ".join(f'"{column}"' for column in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {names} FROM {_SERIES} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",  # noqa: S608 - ours
                [wanted],
            )
            told = cursor.fetchall()
    else:
        told = Series.objects.filter(pk__in=wanted).order_by("pk").values_list(*columns)
    return {row[0]: (row[1:8], Kept(*row[8:])) for row in told}


def _series_of(wanted: set[Key]) -> dict[Key, int]:
    """Primary keys of these series, new ones made; one statement when all are known."""
    narrowed = {f"{field}__in": {key[i] for key in wanted} for i, field in enumerate(SERIES_KEY)}
    known = {row[:-1]: row[-1] for row in Series.objects.filter(**narrowed).values_list(*SERIES_KEY, "pk")}
    missing = sorted(wanted - known.keys())
    for code in sorted({key[0] for key in missing} - {key[0] for key in known}):
        if is_declared(code):
            Metric.objects.get_or_create(code=code, defaults=defaults_for(code))
    for key in missing:
        known[key] = Series.objects.get_or_create(**dict(zip(SERIES_KEY, key, strict=True)))[0].pk
    return {key: known[key] for key in wanted}


def _keep_counts(series: dict[int, Kept], added: list[tuple[int, datetime]], gone: list[tuple[int, datetime]]) -> None:
    """Number and time span of the current values of locked series, after what was added and what is gone."""
    new: dict[int, list[datetime]] = defaultdict(list)
    for series_id, time in added:
        new[series_id].append(time)
    times_gone: dict[int, set[datetime]] = defaultdict(set)
    for series_id, time in gone:
        times_gone[series_id].add(time)
    fewer = Counter(series_id for series_id, _ in gone)
    now = timezone.now()
    for pk, one in series.items():
        one.count += len(new[pk]) - fewer[pk]
        if {one.first, one.last} & (times_gone[pk] - set(new[pk])):
            # An end of the series was taken back: the two ends are one look each into the index.
            ends = Measurement.objects.shown().filter(series_id=pk).aggregate(first=Min("time"), last=Max("time"))
            one.first, one.last = ends["first"], ends["last"]
        else:
            one.first = min(filter(None, (one.first, *new[pk])), default=None)
            one.last = max(filter(None, (one.last, *new[pk])), default=None)
    changed = [(pk, one.count, one.first, one.last, now) for pk, one in series.items()]
    update_rows(Series._meta.db_table, KEPT, changed)
