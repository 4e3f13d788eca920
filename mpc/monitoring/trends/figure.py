"""The plot of a trend: a trace per series, units by colour, bands one below another."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpc.monitoring.models import Measurement, Series
from mpc.monitoring.trends.data import Points, Shown
from mpc.monitoring.trends.filters import Look
from mpc.monitoring.trends.marks import Marks, change_label, event_hint, lines_of
from mpc.monitoring.trends.smoothing import moving_median
from mpc.ui.figures import UNIT_COLOURS, ChangeLine, EventBar, RequirementLine, assembled

BAR_LIMIT = 3_000
"""Points up to which error bars are drawn: more hide one another and make the browser slow."""

_GAP = 0.22  # between two bands, as share of the height of one
_QUIET = "var(--quiet)"


def plot_height(bands: int) -> int:
    """Height in pixels of a trend with this many bands."""
    if bands <= 1:
        return 380
    return 70 + bands * (150 if bands <= 4 else 104)


def trend_figure(
    shown: Shown,
    marks: Marks,
    look: Look,
    zoom: tuple[datetime, datetime] | None = None,
    mark: Measurement | None = None,
) -> dict[str, Any]:
    """The figure of what is shown; ``mark`` is a measurement to ring, ``zoom`` the stretch that the axis of time has.

    The customdata of a point name what stands behind it: the key of a measurement, or of a bucket the key of its series
    and its first day.
    """
    bands = shown.bands
    axis_of = {band: "y" if i == 0 else f"y{i + 1}" for i, band in enumerate(bands)}
    bars = look.shows("bars") and shown.drawn <= BAR_LIMIT
    shades, lines, smooth = [], [], []
    for points in shown.points:
        axis = axis_of[points.series.band]
        if shown.resolution != "value" and look.shows("bars") and points.shaded:
            shades += _shade(points, axis, shown.resolution)
        lines.append(_trace(points, axis, shown, look, bars=bars))
        if look.window:
            smooth += _median(points, axis, look.window)
    traces = [*shades, *lines, *smooth]
    if mark is not None and mark.series.band in axis_of and mark.series.pk in {p.series.pk for p in shown.points}:
        traces.append(_ring(mark, axis_of[mark.series.band]))
    requirements, notes = _requirements(shown, marks, axis_of, look)
    layout: dict[str, Any] = {"height": plot_height(len(bands)), **_axes(shown, bands, requirements, look)}
    layout["annotations"] = [*layout.get("annotations", ()), *notes]
    layout["xaxis"] = {**layout.get("xaxis", {}), "type": "date", **_time_range(shown, zoom)}
    metric = shown.metric
    found = assembled(
        traces,
        y_title=f"{metric.name} ({metric.unit})" if metric.unit else metric.name,
        layout=layout,
        requirements=requirements,
        events=[EventBar(e.start, e.title, e.get_absolute_url(), e.end, event_hint(e)) for e in marks.events],
        changes=[_change(change, axis_of, metric.unit, len(bands)) for change in marks.changes],
        empty="Nothing fits these filters.",
    )
    found["axes"] = {f"yaxis{axis[1:]}": band for band, axis in axis_of.items()}
    found["metric"] = metric.code
    found["resolution"] = shown.resolution
    return found


# --- Traces --------------------------------------------------------------------------------------------------------
def _colour(series: Series) -> str:
    return UNIT_COLOURS.get(series.unit, "var(--accent)")


def _trace(points: Points, axis: str, shown: Shown, look: Look, *, bars: bool) -> dict[str, Any]:
    fine = shown.resolution == "value"
    dense = len(points) > 400  # markers would hide the line
    size = (4 if shown.drawn > 1000 * len(shown.bands) else 6) if fine else (3 if dense else 5)
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers" if fine else "lines" if dense else "lines+markers",
        "name": points.series.part,
        "x": points.times,
        "y": points.values,
        "yaxis": axis,
        "marker": {"color": _colour(points.series), "symbol": points.sign.symbol, "size": size},
        "customdata": points.keys if fine else points.starts(shown.resolution),
        "meta": {"series": points.series.pk, "resolution": shown.resolution},
        "hovertemplate": _hover(points.series, shown),
        "text": None,
    }
    if not fine:
        trace["line"] = {"width": 0.9 if dense else 1.2, "color": _colour(points.series)}
        trace["connectgaps"] = False
        trace["text"] = points.count
    if look.window:
        trace["opacity"] = 0.4
    if fine and bars and np.isfinite(points.uncertainty).any():
        trace["error_y"] = {"type": "data", "array": points.uncertainty}
    return trace


def _hover(series: Series, shown: Shown) -> str:
    unit = _text(shown.metric.unit)
    if shown.resolution == "value":
        lines = ["%{x|%Y-%m-%d %H:%M:%S} UTC", f"<b>%{{y}}</b> {unit}".strip(), "click: what stands behind it"]
    else:
        when = "%{x|%Y-%m-%d}" if shown.resolution == "day" else "%{x|%B %Y}"
        lines = [when, f"median <b>%{{y}}</b> {unit} of %{{text}} values".strip(), "click: the values"]
    return "<br>".join(lines) + f"<extra>{_text(series.part)}</extra>"


def _text(words: str) -> str:
    """Words for a hover, where "<" begins a tag and "%{" a variable."""
    return html.escape(words, quote=False).replace("%{", "% {")


def _shade(points: Points, axis: str, resolution: str) -> list[dict[str, Any]]:
    """The area between 5 and 95 % of the values; it ends where buckets are missing."""
    x, y = _outline(points, np.timedelta64(75 if resolution == "month" else 8, "D"))
    if not len(x):
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{points.series.part} 5 to 95 %",
            "x": x,
            "y": y,
            "yaxis": axis,
            "fill": "toself",
            "fillcolor": _colour(points.series),
            "opacity": 0.18,
            "line": {"width": 0},
            "hoverinfo": "skip",
            "shade": True,
        }
    ]


def _outline(points: Points, longest: np.timedelta64) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The border of the shade: along the lower edge, back along the upper; stretches apart, with a gap between.

    Times as milliseconds since 1970 and heights in single precision: half as long to write, and as fine as a screen.
    """
    known = np.isfinite(points.low) & np.isfinite(points.high)
    times = points.times[known].astype("datetime64[ms]")
    low, high = points.low[known].astype(np.float32), points.high[known].astype(np.float32)
    if len(times) < 2:
        return times[:0].astype(np.int64), low[:0]
    breaks = np.flatnonzero(np.diff(times) > longest) + 1
    xs, ys = [], []
    for part in np.split(np.arange(len(times)), breaks):
        if len(part) < 2:
            continue
        xs += [times[part], times[part][::-1], times[part][-1:]]  # a gap: the same time without a height
        ys += [low[part], high[part][::-1], np.array([np.nan], np.float32)]
    if not xs:
        return times[:0].astype(np.int64), low[:0]
    return np.concatenate(xs)[:-1].astype(np.int64), np.concatenate(ys)[:-1]


def _median(points: Points, axis: str, days: int) -> list[dict[str, Any]]:
    smooth = moving_median(points.times, points.values, np.timedelta64(days, "D"))
    if not np.isfinite(smooth).any():
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{points.series.part} median of {days} days",
            "x": points.times,
            "y": smooth,
            "yaxis": axis,
            "line": {"width": 2.4, "color": _colour(points.series)},
            "hoverinfo": "skip",
        }
    ]


def _ring(measurement: Measurement, axis: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "marked",
        "x": [measurement.time],
        "y": [measurement.value],
        "yaxis": axis,
        "text": ["this product" if measurement.product_id else "this value"],
        "textposition": "top center",
        "textfont": {"color": "var(--ink)", "size": 12},
        "marker": {"symbol": "circle-open", "size": 17, "color": "var(--ink)", "line": {"width": 2}},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


# --- Marks ---------------------------------------------------------------------------------------------------------
def _change(change: Any, axis_of: dict[str, str], unit: str, bands: int) -> ChangeLine:
    label = change_label(change, unit)
    why = f", {change.get_explained_display()}" + (f" by {change.event}" if change.event else "")
    return ChangeLine(
        change.time,
        label,
        axis=axis_of[change.series.band] if bands > 1 else "",
        explained=change.explained == change.Explained.YES,
        hint=f"{change.time:%Y-%m-%d}: {label}, {change.series.part}{why}",
    )


def _requirements(
    shown: Shown, marks: Marks, axis_of: dict[str, str], look: Look
) -> tuple[list[RequirementLine], list[dict[str, Any]]]:
    """Lines that lie near the points of their band; those far away are named at the edge, so that they do not press
    the points flat."""
    lines: list[RequirementLine] = []
    notes: list[dict[str, Any]] = []
    for band, axis in axis_of.items():
        members = [p for p in shown.points if p.series.band == band]
        low, high = _reach(members, look)
        room = max(high - low, 1e-12 * max(abs(low), abs(high), 1e-300))
        far = {"above": [], "below": []}  # type: dict[str, list[str]]
        for line in lines_of([p.series for p in members], marks.limits):
            if look.log and line.y <= 0:
                continue
            if line.y > high + 1.5 * room:
                far["above"].append(line.label)
            elif line.y < low - 1.5 * room:
                far["below"].append(line.label)
            else:
                lines.append(RequirementLine(line.y, line.label, line.start, line.end, axis, line.goal))
        for where, labels in far.items():
            if labels:
                notes.append(_far(where, labels, axis))
    return lines, notes


def _far(where: str, labels: Sequence[str], axis: str) -> dict[str, Any]:
    above = where == "above"
    text = f"{'↑' if above else '↓'} {', '.join(labels[:3])}{' …' if len(labels) > 3 else ''}"
    return {
        "text": html.escape(text, quote=False),
        "xref": "paper",
        "yref": f"{axis} domain",
        "x": 0,
        "y": 1 if above else 0,
        "xanchor": "left",
        "yanchor": "top" if above else "bottom",
        "xshift": 4,
        "showarrow": False,
        "font": {"size": 11, "color": "var(--fail)"},
        "bgcolor": "var(--card)",
    }


# --- Axes ----------------------------------------------------------------------------------------------------------
def _reach(members: Sequence[Points], look: Look) -> tuple[float, float]:
    """Lowest and highest that is drawn of these series, error bars and shades included."""
    lows, highs = [], []
    for p in members:
        spread = np.where(np.isfinite(p.uncertainty), p.uncertainty, 0.0) if p.keys is not None else 0.0
        bottom = p.values - spread if p.keys is not None else np.fmin(p.values, p.low)
        top = p.values + spread if p.keys is not None else np.fmax(p.values, p.high)
        if look.log:
            bottom = np.where(p.values > 0, np.where(bottom > 0, bottom, p.values), np.nan)
            top = np.where(p.values > 0, top, np.nan)
        if np.isfinite(bottom).any():
            lows.append(float(np.nanmin(bottom)))
            highs.append(float(np.nanmax(top)))
    return min(lows, default=0.0), max(highs, default=1.0)


def _axes(shown: Shown, bands: Sequence[str], requirements: Sequence[RequirementLine], look: Look) -> dict[str, Any]:
    """Axes of several bands one below another on one axis of time, each labelled in place."""
    asked = {(metric, band): (low, high) for metric, band, low, high in look.ranges}
    axes: dict[str, Any] = {}
    notes = []
    step = 1 / max(1, len(bands))
    height = step / (1 + _GAP)
    for i, band in enumerate(bands):
        name = "y" if i == 0 else f"y{i + 1}"
        heights = [r.y for r in requirements if r.axis == name]
        members = [p for p in shown.points if p.series.band == band]
        axis: dict[str, Any] = {"range": _range(members, heights, asked.get((shown.metric.code, band)), look)}
        if look.log:
            axis |= {"type": "log", "dtick": None, "exponentformat": "power"}
        if len(bands) > 1:
            top = 1 - i * step
            axis |= {
                "domain": [max(0.0, top - height), top],
                "gridcolor": "var(--line)",
                "linecolor": "var(--line)",
                "zeroline": False,
                "nticks": 4,
                "tickfont": {"size": 10, "color": _QUIET},
                "automargin": True,
            }
            notes.append(_band_label(band, top))
        axes[f"yaxis{name[1:]}"] = {key: value for key, value in axis.items() if value is not None}
    if notes:
        axes["annotations"] = notes
        axes["xaxis"] = {"anchor": "free", "position": 0}
    return axes


def _band_label(band: str, top: float) -> dict[str, Any]:
    label = {"text": f"<b>{html.escape(band) or 'whole'}</b>", "x": 1, "y": top, "xanchor": "right", "yanchor": "top"}
    style = {"xref": "paper", "yref": "paper", "showarrow": False, "bgcolor": "var(--card)", "borderpad": 1}
    return {**label, **style, "font": {"size": 11, "color": "var(--ink)"}}


def _range(
    members: Sequence[Points], heights: Sequence[float], asked: tuple[float, float] | None, look: Look
) -> list[float] | None:
    """What an axis of values shows: what was asked for, or all that is drawn, with some room."""
    if asked is not None:
        return list(asked)
    low, high = _reach(members, look)
    low, high = min([low, *heights]), max([high, *heights])
    if look.log:
        if low <= 0 or high <= 0:
            return None
        low, high = math.log10(low), math.log10(high)
    room = (high - low) * 0.08 or abs(high) * 0.05 or 0.5
    return [low - room, high + room]


def _time_range(shown: Shown, zoom: tuple[datetime, datetime] | None) -> dict[str, Any]:
    """The zoom; else all that is drawn. One moment alone would have an axis of milliseconds: two days are shown."""
    if zoom is not None:
        return {"range": list(zoom)}
    if shown.span is None:
        return {}
    first, last = shown.span
    if last - first < timedelta(days=2):
        middle = first + (last - first) / 2
        return {"range": [middle - timedelta(days=1.2), middle + timedelta(days=1.2)]}
    room = (last - first) * 0.015
    return {"range": [first - room, last + room]}
