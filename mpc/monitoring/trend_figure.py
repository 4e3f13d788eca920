"""The plot of a trend: a trace per series, units by colour, bands one below another."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from mpc.monitoring.catalogue import page_of
from mpc.monitoring.models import Metric, Series
from mpc.monitoring.reading import Sign, band_order, bounded, signs_of
from mpc.ui.figures import UNIT_COLOURS, figure
from mpc.ui.numbers import measured

BAR_LIMIT = 3_000
"""Points up to which error bars are drawn: more hide one another and make the browser slow."""

_GAP = 0.22  # between two bands, as share of the height of one
_QUIET = "var(--quiet)"


@dataclass(frozen=True)
class Point:
    """One measurement as it is drawn."""

    pk: int
    series: int
    time: datetime
    value: float
    uncertainty: float | None
    why: str
    samples: int
    job_kind: str
    run: int
    product: str | None

    @property
    def row(self) -> list[Any]:
        """What stands behind the point: the address first, then what the hover shows."""
        title = self.product or f"run {self.run}"
        return [page_of(self.job_kind, self.product, self.run), title, self.text, self.samples]

    @property
    def text(self) -> str:
        return measured(self.value, self.uncertainty)


_COLUMNS = (
    *("pk", "series_id", "time", "value", "uncertainty", "no_uncertainty", "samples", "job_kind", "run_id"),
    "product__name",
)


def plot_height(bands: int) -> int:
    """Height in pixels of a trend with this many bands."""
    if bands <= 1:
        return 380
    return 70 + bands * (150 if bands <= 4 else 104)


def trend_figure(metric: Metric, points: QuerySet, series: Iterable[Series], mark: int | None = None) -> dict[str, Any]:
    """The figure of the measurements in ``points``; one query. ``mark`` is the key of the one to ring. Raises TooMany.

    The customdata of a point are: address, product (or run), value with its uncertainty, samples.
    """
    found = [Point(*row) for row in bounded(points.values_list(*_COLUMNS))]
    known = {s.pk: s for s in series}
    grouped: dict[int, list[Point]] = {}
    for point in found:
        grouped.setdefault(point.series, []).append(point)
    signs = signs_of(known[pk] for pk in grouped)
    bands = sorted({known[pk].band for pk in grouped}, key=band_order)
    axis_of = {band: "y" if i == 0 else f"y{i + 1}" for i, band in enumerate(bands)}
    look = {"bars": len(found) <= BAR_LIMIT, "size": 6 if len(found) <= 1000 * len(bands) else 4}
    traces = [
        _trace(known[pk], grouped[pk], signs[pk], axis_of[known[pk].band], metric.unit, **look)
        for pk in sorted(grouped, key=lambda pk: (band_order(known[pk].band), known[pk].unit, pk))
    ]
    marked = next((point for point in found if point.pk == mark), None)
    if marked is not None:
        traces.append(_ring(marked, axis_of[known[marked.series].band]))
    layout = {"height": plot_height(len(bands)), **_axes(bands)}
    layout["xaxis"] = {**layout.get("xaxis", {}), **_time_axis(found)}
    return figure(
        traces,
        y_title=f"{metric.name} ({metric.unit})" if metric.unit else metric.name,
        layout=layout,
        empty="Nothing fits these filters.",
    )


def _trace(
    series: Series, points: list[Point], sign: Sign, axis: str, unit: str, *, bars: bool, size: int
) -> dict[str, Any]:
    points.sort(key=lambda point: point.time)
    colour = UNIT_COLOURS.get(series.unit, "var(--accent)")
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": series.part,
        "x": [point.time for point in points],
        "y": [point.value for point in points],
        "yaxis": axis,
        "marker": {"color": colour, "symbol": sign.symbol, "size": size},
        "customdata": [point.row for point in points],
        "hovertemplate": _hover(series, points, unit),
    }
    if bars and any(point.uncertainty is not None for point in points):
        trace["error_y"] = {"type": "data", "array": [point.uncertainty for point in points]}
    return trace


def _hover(series: Series, points: Sequence[Point], unit: str) -> str:
    reasons = {point.why if point.uncertainty is None else "" for point in points}
    why = reasons.pop() if len(reasons) == 1 else ""
    lines = [
        "<b>%{customdata[1]}</b>",
        "%{x|%Y-%m-%d %H:%M:%S} UTC",
        f"%{{customdata[2]}} {_text(unit)}".strip(),
        "samples %{customdata[3]}",
        *(_text(line) for line in textwrap.wrap(f"no uncertainty: {why}" if why else "", 60)),
    ]
    return "<br>".join(lines) + f"<extra>{_text(series.part)}</extra>"


def _text(words: str) -> str:
    """Words for a hover, where "<" begins a tag and "%{" a variable."""
    return html.escape(words, quote=False).replace("%{", "% {")


def _ring(point: Point, axis: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "marked",
        "x": [point.time],
        "y": [point.value],
        "yaxis": axis,
        "text": ["this product" if point.product else "this value"],
        "textposition": "top center",
        "textfont": {"color": "var(--ink)", "size": 12},
        "marker": {"symbol": "circle-open", "size": 17, "color": "var(--ink)", "line": {"width": 2}},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _axes(bands: Sequence[str]) -> dict[str, Any]:
    """Axes of several bands one below another on one axis of time, each labelled in place."""
    if len(bands) < 2:
        return {}
    axes: dict[str, Any] = {}
    notes = []
    step = 1 / len(bands)
    height = step / (1 + _GAP)
    for i, band in enumerate(bands):
        top = 1 - i * step
        axes["yaxis" if i == 0 else f"yaxis{i + 1}"] = {
            "domain": [max(0.0, top - height), top],
            "gridcolor": "var(--line)",
            "linecolor": "var(--line)",
            "zeroline": False,
            "nticks": 4,
            "tickfont": {"size": 10, "color": _QUIET},
            "automargin": True,
        }
        label = {"text": f"<b>{band or 'whole'}</b>", "x": 1, "y": top, "xanchor": "right", "yanchor": "top"}
        style = {"xref": "paper", "yref": "paper", "showarrow": False, "bgcolor": "var(--card)", "borderpad": 1}
        notes.append({**label, **style, "font": {"size": 11, "color": "var(--ink)"}})
    axes["annotations"] = notes
    axes["xaxis"] = {"anchor": "free", "position": 0}
    return axes


def _time_axis(points: Sequence[Point]) -> dict[str, Any]:
    """One moment alone would be drawn on an axis of milliseconds: at least two days are shown."""
    axis: dict[str, Any] = {"type": "date"}
    if points:
        first, last = min(p.time for p in points), max(p.time for p in points)
        if last - first < timedelta(days=2):
            middle = first + (last - first) / 2
            axis["range"] = [middle - timedelta(days=1.2), middle + timedelta(days=1.2)]
    return {"xaxis": axis}
