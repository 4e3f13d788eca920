"""Buckets become rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mpc.monitoring.bulk import insert_rows
from mpc.monitoring.models import Rollup
from mpc.monitoring.rollups.statistics import Buckets
from mpc.monitoring.rollups.times import day_of
from mpc.monitoring.rollups.values import series_and_day

STATISTICS = (
    *("count", "samples", "mean", "median", "p05", "p95", "minimum", "maximum", "spread", "uncertainty"),
    "out_of_limits",
)
KEY = ("series_id", "resolution", "start")


def put_buckets(resolution: str, buckets: Buckets) -> None:
    """Write the rows of these buckets, over those that are there."""
    rows = [Rollup(**dict(zip((*KEY, *STATISTICS), row, strict=True))) for row in _rows(resolution, buckets)]
    Rollup.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=("series", "resolution", "start"),
        update_fields=STATISTICS,
        batch_size=1000,
    )


def add_buckets(resolution: str, buckets: Buckets) -> None:
    """Write the rows of buckets that are not there, as fast as the database takes them."""
    insert_rows(Rollup._meta.db_table, (*KEY, *STATISTICS), _rows(resolution, buckets))


def _rows(resolution: str, buckets: Buckets) -> Iterator[tuple[Any, ...]]:
    series, days = series_and_day(buckets.key)
    columns = (
        *(buckets.count, buckets.samples, buckets.mean, buckets.median, buckets.low, buckets.high),
        *(buckets.minimum, buckets.maximum, buckets.spread, buckets.uncertainty, buckets.out_of_limits),
    )
    for one, day, *numbers in zip(series.tolist(), days.tolist(), *(c.tolist() for c in columns), strict=True):
        numbers[8:10] = [None if math.isnan(number) else number for number in numbers[8:10]]
        yield (one, str(resolution), day_of(day), *numbers)
