"""The small plot of one part of an alert."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from mpc.monitoring.catalogue import page_of
from mpc.monitoring.limits import Limits
from mpc.monitoring.models import AlertPart
from mpc.monitoring.rollups.reading import VALUE, SeriesArrays, read_series
from mpc.ui.figures import UNIT_COLOURS, ChangeLine, RequirementLine, Span, figure

BEFORE, AFTER = timedelta(days=180), timedelta(days=120)
POINTS = 1500
HEIGHT = 190


def part_figure(part: AlertPart) -> dict[str, Any]:
    """The series half a year before what happened and some months after; by days where there are many values."""
    series = part.series
    now = timezone.now()
    read = read_series([series], part.time - BEFORE, min(part.time + AFTER, now), max_points=POINTS)
    arrays = read.by_series[series.pk]
    colour = UNIT_COLOURS.get(series.unit, "var(--accent)")
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "name": series.part,
        "x": [str(t) + "Z" for t in arrays.times],
        "y": arrays.value,
        "marker": {"color": colour, "size": 5},
        "hovertemplate": "%{x|%Y-%m-%d %H:%M} UTC<br>%{y:.6g}<extra></extra>",
    }
    if read.resolution == VALUE:
        trace["customdata"] = _addresses(arrays)
    if len(arrays) and np.isfinite(arrays.uncertainty).any():
        trace["error_y"] = {"type": "data", "array": arrays.uncertainty, "thickness": 1, "width": 0}
    return figure(
        [trace] if len(arrays) else [],
        requirements=_lines(part),
        changes=[] if part.kind == "breach" else [ChangeLine(part.time, part.kind)],
        spans=[Span(part.time, None)] if part.kind in ("breach", "silence") else [],
        layout={"height": HEIGHT, "margin": {"l": 56, "r": 12, "t": 10, "b": 34}, "xaxis": {"type": "date"}},
        empty="There is no value in this time.",
    )


def _addresses(arrays: SeriesArrays) -> list[str]:
    assert arrays.run is not None
    assert arrays.product_name is not None
    assert arrays.job_kind is not None
    rows = zip(arrays.job_kind.tolist(), arrays.product_name.tolist(), arrays.run.tolist(), strict=True)
    return [page_of(kind, product or None, run) for kind, product, run in rows]


def _lines(part: AlertPart) -> list[RequirementLine]:
    """The limits of the requirement that is not met; of a change, those of the series' requirements."""
    limits = Limits.load([part.series.metric_id]).of(part.series)
    mine = [limit for limit in limits if part.requirement_id in (None, limit.requirement)]
    return [
        RequirementLine(value, f"{'at least' if side == 'low' else 'at most'} {value:g}")
        for limit in mine
        if limit.holds_on(part.time.date())
        for side, value in (("low", limit.low), ("high", limit.high))
        if value is not None
    ][:4]
