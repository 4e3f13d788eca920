"""The measured records of detectors for pages: the newest, and how they went over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Max
from django.urls import reverse

from mpc.monitoring.detectors.drills import Rate
from mpc.monitoring.drills.work import FAULTS, OF_KIND
from mpc.monitoring.models import DrillRecord
from mpc.monitoring.reading import SIGNS, Sign
from mpc.ui.figures import figure

KEPT_ON_PAGE = 400
"""Newest records of one detector that its page draws."""

_DASHES = ("solid", "dash", "dot", "dashdot")
_MARGIN = timedelta(days=3)


def fault_title(code: str) -> str:
    return FAULTS[code].title if code in FAULTS else code or "no fault"


Line = tuple[str, str, str]
"""What one line of a plot is about: fault, material, mode."""


def line_of(record: DrillRecord) -> Line:
    return record.fault, record.material, str(record.params.get("mode", ""))


def signs_of(records: Iterable[DrillRecord]) -> dict[Line, Sign]:
    """The sign of each line, in the order of the faults; the table says whose it is, so that plots need no legend."""
    lines = sorted({line_of(r): _rank(r) for r in records if r.fault}.items(), key=lambda item: (item[1], item[0]))
    return {line: SIGNS[i % len(SIGNS)] for i, (line, _) in enumerate(lines)}


@dataclass(frozen=True)
class Worth:
    """One record in words and numbers that a page shows as they are."""

    record: DrillRecord
    glyph: str = ""

    @property
    def title(self) -> str:
        return fault_title(self.record.fault)

    @property
    def mode(self) -> str:
        return str(self.record.params.get("mode", ""))

    @property
    def within(self) -> Any:
        return self.record.params.get("within", "")

    @property
    def ever(self) -> Any:
        return self.record.params.get("ever")

    @property
    def note(self) -> str:
        return str(self.record.params.get("note", ""))

    @property
    def false_rate(self) -> Rate:
        """False alarms a series-year, with its interval."""
        return Rate(self.record.false_alarms, self.record.series_years)

    @property
    def false_interval(self) -> tuple[float, float] | None:
        return self.false_rate.interval if self.record.series_years else None


def newest_by_detector() -> dict[str, Worth]:
    """The newest record of the first fault of each detector, made series before copies. Two queries."""
    newest = dict(
        DrillRecord.objects.exclude(fault="").order_by().values_list("detector").annotate(newest=Max("made_at"))
    )
    rows = DrillRecord.objects.exclude(fault="").filter(made_at__in=list(newest.values()))
    found: dict[str, Worth] = {}
    for record in sorted(rows, key=lambda r: (_rank(r), r.pk)):
        if record.made_at == newest.get(record.detector):
            found.setdefault(record.detector, Worth(record))
    return found


def _rank(record: DrillRecord) -> tuple[int, int]:
    order = [fault for faults in OF_KIND.values() for fault in faults]
    shadow = record.params.get("mode") != "live"
    return (int(shadow), order.index(record.fault) if record.fault in order else len(order))


def records_of(detector: str) -> list[DrillRecord]:
    """The newest records of a detector, the newest first. One query."""
    rows = DrillRecord.objects.filter(detector=detector).order_by("-made_at", "fault", "pk")
    return list(rows[:KEPT_ON_PAGE])


def newest_of(records: Sequence[DrillRecord]) -> list[Worth]:
    """Of each fault, material and mode the newest record, in the order of the faults."""
    seen: dict[Line, DrillRecord] = {}
    for record in records:
        if record.fault:
            seen.setdefault(line_of(record), record)
    signs = signs_of(records)
    newest = sorted(seen.values(), key=lambda r: (_rank(r), line_of(r)))
    return [Worth(record, signs[line_of(record)].glyph) for record in newest]


# --- Plots over time -------------------------------------------------------------------------------------------------
def rate_figure(records: Iterable[DrillRecord]) -> dict[str, Any]:
    """Detection rate with its 95 % interval, by fault."""

    def trace(rows: list[DrillRecord]) -> dict[str, Any]:
        rates = [100 * (r.detection_rate or 0.0) for r in rows]
        return {
            "y": rates,
            "error_y": {
                "type": "data",
                "array": [100 * (r.rate_high or 0.0) - y for r, y in zip(rows, rates, strict=True)],
                "arrayminus": [y - 100 * (r.rate_low or 0.0) for r, y in zip(rows, rates, strict=True)],
                "thickness": 1,
            },
        }

    return _figure([r for r in records if r.detection_rate is not None], trace, "found in time (%)", [-4, 104])


def latency_figure(records: Iterable[DrillRecord]) -> dict[str, Any]:
    """Median latency in points, by fault; the bar reaches to the 90 % point."""

    def trace(rows: list[DrillRecord]) -> dict[str, Any]:
        return {
            "y": [r.latency_points for r in rows],
            "error_y": {
                "type": "data",
                "array": [max((r.latency_points_p90 or 0.0) - (r.latency_points or 0.0), 0.0) for r in rows],
                "arrayminus": [0.0] * len(rows),
                "thickness": 1,
            },
        }

    return _figure([r for r in records if r.latency_points is not None], trace, "latency (points)", None)


def false_figure(records: Iterable[DrillRecord]) -> dict[str, Any]:
    """False alarms a series-year with their 95 % interval."""

    def trace(rows: list[DrillRecord]) -> dict[str, Any]:
        rates = [Worth(r).false_rate for r in rows]
        return {
            "y": [rate.value for rate in rates],
            "error_y": {
                "type": "data",
                "array": [rate.interval[1] - rate.value for rate in rates],
                "arrayminus": [rate.value - rate.interval[0] for rate in rates],
                "thickness": 1,
            },
        }

    alone = [r for r in records if not r.fault and r.series_years]
    return _figure(alone, trace, "false alarms a series-year", None)


def _figure(records: list[DrillRecord], trace: Any, y_title: str, limits: list[float] | None) -> dict[str, Any]:
    signs = signs_of(records)
    groups: dict[Line, list[DrillRecord]] = {}
    for record in sorted(records, key=lambda r: (_rank(r), line_of(r), r.made_at)):
        groups.setdefault(line_of(record), []).append(record)
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": ", ".join(part for part in (fault_title(line[0]), *line[1:]) if part not in _USUAL),
            "x": [r.made_at for r in rows],
            "customdata": [reverse("runs:detail", args=[r.run_id]) for r in rows],
            "line": {"width": 1, "dash": _DASHES[i % len(_DASHES)], "color": "var(--accent)"},
            "marker": {"size": 7, "symbol": signs.get(line, SIGNS[0]).symbol, "color": "var(--accent)"},
            **trace(rows),
        }
        for i, (line, rows) in enumerate(groups.items())
    ]
    layout: dict[str, Any] = {"showlegend": False}
    layout["yaxis"] = {"range": limits} if limits else {"rangemode": "tozero"}
    times = [r.made_at for r in records]
    if times:  # a single drill is a day among others, not an instant
        layout["xaxis"] = {"range": [min(times) - _MARGIN, max(times) + _MARGIN]}
    return figure(traces, y_title=y_title, layout=layout, empty="No drill has measured this yet.")


_USUAL = ("simulated", "live")
