"""The points of a trend as rows, for files, the API and the command line: exactly what the plot draws."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from mpc.monitoring.trends.data import Points, Shown
from mpc.ui.export import ExportColumn

PARTS = ("unit", "band", "detector", "site", "level", "baseline")
COLUMNS = tuple(
    ExportColumn(name, title)
    for name, title in (
        *(("metric", "Metric"), ("quantity_unit", "In"), ("resolution", "Each point is a")),
        *((name, name.capitalize()) for name in PARTS),
        *(("time", "Time or start (UTC)"), ("value", "Value or median"), ("mean", "Mean"), ("p05", "5 %")),
        *(("p95", "95 %"), ("spread", "Standard deviation"), ("uncertainty", "Uncertainty, k = 1")),
        *(("count", "Values"), ("samples", "Samples"), ("out_of_limits", "Out of limits")),
    )
)
_FLOATS = ("values", "mean", "low", "high", "spread", "uncertainty")


def rows_of(shown: Iterable[Shown]) -> Iterator[list[Any]]:
    """One row a point, as ``COLUMNS`` says; None for what is not known."""
    for one in shown:
        for points in one.points:
            start = [one.metric.code, one.metric.unit, one.resolution, *(getattr(points.series, n) for n in PARTS)]
            times = np.datetime_as_string(_times(points, one.resolution))
            floats = [[_finite(v) for v in getattr(points, name).tolist()] for name in _FLOATS]
            whole = [getattr(points, name).tolist() for name in ("count", "samples", "outside")]
            for time, *numbers in zip(times.tolist(), *floats, *whole, strict=True):
                yield [*start, f"{time}Z", *numbers]


def _times(points: Points, resolution: str) -> NDArray[np.datetime64]:
    """Times of values, first moments of buckets."""
    if resolution == "value":
        return points.times.astype("datetime64[s]")
    return points.starts(resolution).astype("datetime64[D]").astype("datetime64[s]")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def as_json(shown: Iterable[Shown]) -> dict[str, Any]:
    """The same as arrays by series; numpy arrays are left for ``orjson``, NaN becomes null."""
    return {"trends": [_trend(one) for one in shown]}


def _trend(shown: Shown) -> dict[str, Any]:
    return {
        "metric": shown.metric.code,
        "name": shown.metric.name,
        "unit": shown.metric.unit,
        "resolution": shown.resolution,
        "words": shown.words,
        "values": shown.values,
        "series": [_series(p, shown.resolution) for p in shown.points],
    }


def _series(p: Points, resolution: str) -> dict[str, Any]:
    found = {"id": p.series.pk, "part": p.series.part, **{name: getattr(p.series, name) for name in PARTS}}
    found |= {"time": _times(p, resolution), "value": p.values, "uncertainty": p.uncertainty}
    if p.keys is not None:
        return {**found, "samples": p.samples, "measurement": p.keys}
    more = {"mean": p.mean, "p05": p.low, "p95": p.high, "spread": p.spread}
    return {**found, **more, "count": p.count, "samples": p.samples, "out_of_limits": p.outside}


WRITING = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
