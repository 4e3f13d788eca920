"""Measurements are written here, with the run that made them, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mpc.jobs import MeasuredValue, Outcome
from mpc.monitoring.catalogue import defaults_for
from mpc.monitoring.models import Measurement, Metric, Series

SERIES_KEY = ("metric_id", "unit", "band", "detector", "site", "level", "baseline")


def store_measurements(run: Any, outcome: Outcome) -> None:
    """Store what a run measured; runs inside its finishing transaction.

    The newest finished run supersedes: older values of the same series, product (or time) and kind of job stay and
    are hidden.
    """
    values = outcome.measurements
    if not values:
        return
    series = _series_of(values)
    older = Measurement.objects.filter(job_kind=run.kind, current=True, series__in=[s.pk for s in series.values()])
    if run.product_id is not None:
        older = older.filter(product_id=run.product_id)
    else:
        older = older.filter(product=None, time__in={v.time for v in values})
    older.update(current=False)
    Measurement.objects.bulk_create(
        [
            Measurement(
                series=series[_key(v)],
                time=v.time,
                value=v.value,
                uncertainty=v.uncertainty,
                no_uncertainty=v.no_uncertainty[:200],
                samples=v.samples,
                run_id=run.pk,
                product_id=run.product_id,
                job_kind=run.kind,
            )
            for v in values
        ],
        batch_size=1000,
    )


def _key(v: MeasuredValue) -> tuple[str, ...]:
    return (v.metric, v.unit, v.band, v.detector, v.site, v.level, v.baseline)


def _series_of(values: Iterable[MeasuredValue]) -> dict[tuple[str, ...], Series]:
    """The series of all values, new ones made; two statements when all are known."""
    wanted = {_key(v) for v in values}
    codes = {key[0] for key in wanted}
    known = {tuple(getattr(s, f) for f in SERIES_KEY): s for s in Series.objects.filter(metric__in=codes)}
    for code in codes - {key[0] for key in known}:
        Metric.objects.get_or_create(code=code, defaults=defaults_for(code))
    for key in sorted(wanted - known.keys()):
        known[key], _ = Series.objects.get_or_create(**dict(zip(SERIES_KEY, key, strict=True)))
    return {key: known[key] for key in wanted}
