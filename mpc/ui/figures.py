"""Figures for ``plots.js``: plain dictionaries that become JSON, with the marks that every plot of the centre has.

Colours may be given as ``"var(--unit-b)"``: the page puts the theme's colour in their place, so one figure serves light
and dark. Marks (requirements, events, changes, spans) are named here and drawn there, the same way on every page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.safestring import SafeString, mark_safe

UNIT_COLOURS = {"S2A": "var(--unit-a)", "S2B": "var(--unit-b)", "S2C": "var(--unit-c)", "S2D": "var(--unit-d)"}


@dataclass(frozen=True)
class RequirementLine:
    """A dashed line at ``y``, labelled in place; from ``start`` to ``end`` where it holds only for a time.

    ``axis`` names the axis of one of several small plots ("y2"); a ``goal`` is what is aimed at, drawn more quietly.
    """

    y: float
    label: str
    start: datetime | date | None = None
    end: datetime | date | None = None
    axis: str = "y"
    goal: bool = False


@dataclass(frozen=True)
class EventBar:
    """A grey bar with the name of what happened to the mission; as wide as it lasted where it has an ``end``."""

    x: datetime | float
    label: str
    url: str = ""
    end: datetime | float | None = None
    hint: str = ""


@dataclass(frozen=True)
class ChangeLine:
    """A red line with a word where a detector found a change; a quiet one where it is ``explained``. With an ``axis``
    it crosses only that one of several small plots."""

    x: datetime | float
    label: str
    axis: str = ""
    explained: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Span:
    """A shaded time, for example the one affected by a change; open to the right without ``end``."""

    start: datetime | float
    end: datetime | float | None = None
    label: str = ""


def figure(traces: Sequence[Mapping[str, Any]], **parts: Any) -> dict[str, Any]:
    """A figure that is ready for JSON: arrays become lists, NaN and infinities null, times ISO text.

    Takes what ``assembled`` takes.
    """
    return plain(assembled(traces, **parts))


def assembled(
    traces: Sequence[Mapping[str, Any]],
    *,
    x_title: str = "",
    y_title: str = "",
    requirements: Sequence[RequirementLine] = (),
    events: Sequence[EventBar] = (),
    changes: Sequence[ChangeLine] = (),
    spans: Sequence[Span] = (),
    layout: Mapping[str, Any] | None = None,
    empty: str = "",
) -> dict[str, Any]:
    """A figure with its arrays as they are, which ``FigureResponse`` writes much faster than lists.

    ``y_title`` is quantity and unit ("stripe index (%)"). A trace's ``customdata`` holds the address behind each point,
    or rows whose first element is that address. ``empty`` is what the page says when no trace has a point.
    """
    marks = {
        "requirements": [_requirement(r) for r in requirements],
        "events": [{"x": e.x, "label": e.label, "url": e.url, "end": e.end, "hint": e.hint} for e in events],
        "changes": [
            {"x": c.x, "label": c.label, "axis": c.axis, "explained": c.explained, "hint": c.hint} for c in changes
        ],
        "spans": [{"x0": s.start, "x1": s.end, "label": s.label} for s in spans],
    }
    titles = {"xaxis": {"title": {"text": x_title}}, "yaxis": {"title": {"text": y_title}}}
    whole = {**titles, **(layout or {})}
    for axis, title in titles.items():
        whole[axis] = {**title, **whole[axis]}
    return {"data": list(traces), "layout": whole, "marks": marks, "empty": empty}


def _requirement(line: RequirementLine) -> dict[str, Any]:
    return {
        "y": line.y, "label": line.label, "x0": line.start, "x1": line.end, "axis": line.axis, "goal": line.goal,
    }  # fmt: skip


def plain(value: Any) -> Any:
    """``value`` in types that JSON has: numpy arrays and scalars, times, NaN and infinity included."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    return value


_WRITING = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def in_page(content: Mapping[str, Any]) -> SafeString:
    """A figure as JSON for a ``<script type="application/json">``; nothing in it can end the element."""
    text = orjson.dumps(content, option=_WRITING).decode()
    return mark_safe(text.replace("<", "\\u003C").replace("\u2028", "\\u2028"))  # noqa: S308 - the one way out is shut


class FigureResponse(HttpResponse):
    """The answer of a view that a plot's ``data-src`` names. Contiguous numpy arrays are written as they are."""

    def __init__(self, content: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(orjson.dumps(content, option=_WRITING), content_type="application/json", **kwargs)
