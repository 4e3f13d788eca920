"""The buckets of a database, reckoned value by value with Python's own statistics; no line of the roller is used."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict

from mpc.monitoring.models import Measurement, Rollup

COLUMNS = (
    *("series_id", "resolution", "start", "count", "samples", "mean", "median", "p05", "p95", "minimum", "maximum"),
    *("spread", "uncertainty", "out_of_limits"),
)


def stored() -> list[tuple]:
    return list(Rollup.objects.order_by("series", "resolution", "start").values_list(*COLUMNS))


def reckoned() -> dict[tuple, tuple]:
    """Series, resolution and first day of each bucket: count, samples, mean, median, minimum, maximum, spread."""
    groups = defaultdict(list)
    for row in Measurement.objects.filter(current=True, withdrawn=False):
        day = row.time.date()
        groups[row.series_id, "day", day].append(row)
        groups[row.series_id, "month", day.replace(day=1)].append(row)
    return {
        key: (
            len(rows),
            sum(row.samples for row in rows),
            math.fsum(row.value for row in rows) / len(rows),
            statistics.median(row.value for row in rows),
            min(row.value for row in rows),
            max(row.value for row in rows),
            statistics.stdev(row.value for row in rows) if len(rows) > 1 else None,
        )
        for key, rows in groups.items()
    }


def assert_true() -> None:
    """What is stored are the buckets of the shown values, all of them and no other."""
    import pytest

    wanted = reckoned()
    found = {row[:3]: (*row[3:7], *row[9:12]) for row in stored()}
    assert found.keys() == wanted.keys()
    for key, numbers in wanted.items():
        assert (found[key][-1] is None) == (numbers[-1] is None)
        known = [number for number in numbers if number is not None]
        assert found[key][: len(known)] == pytest.approx(known, rel=1e-9, abs=1e-12), key
