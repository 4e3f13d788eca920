"""Buckets become rows."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

from django.db import connection

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
    columns = ", ".join(f'"{name}"' for name in (*KEY, *STATISTICS))
    table = Rollup._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            text = "".join("\t".join(map(_copied, row)) + "\n" for row in _rows(resolution, buckets))
            cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', io.StringIO(text))
        else:
            places = ", ".join(["%s"] * (len(KEY) + len(STATISTICS)))
            into = f'INSERT INTO "{table}" ({columns}) VALUES ({places})'  # noqa: S608 - names of our own
            cursor.executemany(
                into, ([row[0], row[1], row[2].isoformat(), *row[3:]] for row in _rows(resolution, buckets))
            )


def _rows(resolution: str, buckets: Buckets) -> Iterator[tuple[Any, ...]]:
    series, days = series_and_day(buckets.key)
    columns = (
        *(buckets.count, buckets.samples, buckets.mean, buckets.median, buckets.low, buckets.high),
        *(buckets.minimum, buckets.maximum, buckets.spread, buckets.uncertainty, buckets.out_of_limits),
    )
    for one, day, *numbers in zip(series.tolist(), days.tolist(), *(c.tolist() for c in columns), strict=True):
        numbers[8:10] = [None if math.isnan(number) else number for number in numbers[8:10]]
        yield (one, str(resolution), day_of(day), *numbers)


def _copied(value: Any) -> str:
    return r"\N" if value is None else repr(value) if isinstance(value, float) else str(value)
