"""The compliance matrix as pages show it: one row a requirement, one place a unit, its bands inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse

from mpc.monitoring.models import Compliance, Requirement, RequirementLimit
from mpc.monitoring.reading import band_order
from mpc.ui import numbers

State = Compliance.State

WORDS = {
    State.MET: ("pass", "met"),
    State.AT_RISK: ("warn", "at risk"),
    State.BREACHED: ("fail", "not met"),
    State.WAIVED: ("idle", "waived"),
    State.UNDECIDED: ("warn", "undecided"),
    State.TOO_FEW: ("idle", "too little data"),
    State.NOT_MEASURED: ("idle", "not measured"),
}
"""Kind of the sign and its word, by state."""

WORST_FIRST = (
    State.BREACHED, State.UNDECIDED, State.AT_RISK, State.WAIVED, State.MET, State.TOO_FEW, State.NOT_MEASURED
)  # fmt: skip
_RANK = {state: rank for rank, state in enumerate(WORST_FIRST)}
NEVER = 10**9


@dataclass(frozen=True)
class CellView:
    """One cell in words; ``cell`` is its row."""

    cell: Compliance
    kind: str
    word: str
    value: str
    margin: str
    trend: str
    arrow: str
    breach: str
    interval: str
    url: str

    @property
    def band(self) -> str:
        return self.cell.band

    @property
    def why(self) -> str:
        return self.cell.why

    @property
    def days_left(self) -> int | None:
        return self.cell.days_left


@dataclass(frozen=True)
class UnitPlace:
    """A requirement for one unit: the cell that is worst, and all of them by band."""

    unit: str
    cells: tuple[CellView, ...]

    @property
    def worst(self) -> CellView:
        return min(self.cells, key=lambda c: (_RANK[State(c.cell.state)], _left(c.cell), _distance(c.cell)))

    @property
    def banded(self) -> bool:
        return len(self.cells) > 1

    @property
    def summary(self) -> str:
        """ "11 of 13 bands met"; empty for one that is not divided."""
        if not self.banded:
            return ""
        met = sum(c.cell.state == State.MET for c in self.cells)
        count = sum(c.cell.state != State.NOT_MEASURED for c in self.cells)
        of = f"{count} bands" if count == len(self.cells) else f"{count} measured band{'' if count == 1 else 's'}"
        return f"{met} of {of} met"

    @property
    def measured(self) -> bool:
        """Whether anything has measured it in any band."""
        return any(c.cell.state != State.NOT_MEASURED for c in self.cells)


@dataclass(frozen=True)
class Row:
    """A requirement with its places, in the order of the units that were asked for; None where it has none."""

    requirement: Requirement
    places: tuple[UnitPlace | None, ...]
    units: tuple[str, ...]

    @property
    def banded(self) -> bool:
        return any(place is not None and place.banded for place in self.places)

    @property
    def worst(self) -> int:
        return min((_RANK[State(p.worst.cell.state)] for p in self.places if p), default=len(_RANK))

    @property
    def days_left(self) -> int:
        return min((_left(c.cell) for p in self.places if p for c in p.cells), default=NEVER)

    @property
    def bands(self) -> list[tuple[str, list[CellView | None]]]:
        """By band: the cell of each unit."""
        names = sorted({c.band for p in self.places if p for c in p.cells}, key=band_order)
        by_unit = [{c.band: c for c in p.cells} if p else {} for p in self.places]
        return [(name, [cells.get(name) for cells in by_unit]) for name in names]

    @property
    def limit(self) -> str:
        """What is asked, where it is the same of all bands; else how many limits there are."""
        return limit_words(list(self.requirement.limits.all()), self.requirement)


# --- Rows ------------------------------------------------------------------------------------------------------------
def cells(queryset: QuerySet | None = None) -> QuerySet:
    """Cells with what the pages show of them."""
    found = Compliance.objects.all() if queryset is None else queryset
    return found.select_related("requirement__metric", "waiver")


def matrix_rows(shown: Iterable[Compliance], requirements: Iterable[Requirement]) -> tuple[tuple[str, ...], list[Row]]:
    """The units and the rows of these cells; ``requirements`` bring their limits with them."""
    by_key: dict[int, dict[str, list[CellView]]] = {}
    for cell in shown:
        by_key.setdefault(cell.requirement_id, {}).setdefault(cell.unit, []).append(view_of(cell))
    units = tuple(sorted({unit for found in by_key.values() for unit in found}))
    rows = [
        Row(r, tuple(_place(unit, by_key[r.pk].get(unit)) for unit in units), units)
        for r in requirements
        if r.pk in by_key
    ]
    return units, rows


def rows_of_requirement(requirement: Requirement) -> Row:
    """The row of one requirement (with its ``metric`` and ``limits``); one query."""
    found = list(requirement.cells.select_related("waiver").order_by("unit", "band"))
    for cell in found:
        cell.requirement = requirement
    _, rows = matrix_rows(found, [requirement])
    return rows[0] if rows else Row(requirement, (), ())


def _place(unit: str, found: Sequence[CellView] | None) -> UnitPlace | None:
    if not found:
        return None
    return UnitPlace(unit, tuple(sorted(found, key=lambda c: band_order(c.band))))


def sort_rows(rows: list[Row], order: str) -> list[Row]:
    """By "days" left, "state" (the worst first), or the requirement's group and code."""
    if order == "days":
        return sorted(rows, key=lambda r: (r.days_left, r.worst, r.requirement.code))
    if order == "state":
        return sorted(rows, key=lambda r: (r.worst, r.days_left, r.requirement.code))
    return rows


# --- One cell in words -----------------------------------------------------------------------------------------------
def view_of(cell: Compliance) -> CellView:
    unit = cell.requirement.metric.unit
    kind, word = WORDS[State(cell.state)]
    suffix = f" {unit}" if unit else ""
    per_year = f"{unit}/year" if cell.requirement.statistic == "trend" else unit
    value = "" if cell.value is None else f"{numbers.measured(cell.value, cell.uncertainty)} {per_year}".strip()
    arrow, trend = trend_words(cell, unit)
    breach, interval = breach_words(cell)
    margin = "" if cell.margin is None else numbers.signed(float(f"{cell.margin:.3g}")) + suffix
    return CellView(cell, kind, word, value, margin, trend, arrow, breach, interval, trend_address(cell))


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")


def trend_words(cell: Compliance, unit: str) -> tuple[str, str]:
    """An arrow and the change a year: relative to the value, or in the metric's unit where that is per cent already or
    the value is too near to zero. A slope that is not significant has no direction: told is what it keeps within."""
    slope, low, high = cell.slope, cell.slope_low, cell.slope_high
    if slope is None or low is None or high is None:
        return "", ""
    half = (high - low) / 2
    if unit != "%" and cell.value and abs(slope) < 10 * abs(cell.value):
        slope, half, unit = 100 * slope / abs(cell.value), 100 * half / abs(cell.value), "%"
    per_year = f"{unit}/year" if unit else "a year"
    if low <= 0 <= high:
        return "→", f"steady within {numbers.number(_rounded(abs(slope) + half))} {per_year}"
    return ("↗" if slope > 0 else "↘"), f"{_pair(slope, half)} {per_year}"


def _pair(value: float, half: float) -> str:
    sign = "+" if value > 0 else ""
    return f"{sign}{numbers.measured(value, half or None)}"


def breach_words(cell: Compliance) -> tuple[str, str]:
    """ "in 243 days, 2027-07-29" and its interval."""
    if cell.breach_on is None:
        return "", ""
    days = cell.days_left or 0
    left = f"in {days} day{'' if days == 1 else 's'}" if days < 730 else f"in {days / 365.25:.1f} years"
    start = cell.breach_from.isoformat() if cell.breach_from else "now"
    stop = cell.breach_to.isoformat() if cell.breach_to else "never"
    return f"{left}, {cell.breach_on.isoformat()}", f"{start} to {stop}"


def trend_address(cell: Compliance) -> str:
    """The trend of what the cell judges."""
    parts = {"unit": cell.unit, "band": cell.band, "level": cell.requirement.level}
    query = urlencode({name: value for name, value in parts.items() if value})
    return f"{reverse('monitoring:trend', kwargs={'code': cell.requirement.metric_id})}?{query}"


def limit_words(limits: Sequence[RequirementLimit], requirement: Requirement) -> str:
    """ "≤ 5 %, goal ≤ 3 %"; "by band" where the limits differ."""
    if not limits:
        return "no limit"
    told = {one_limit_words(limit, requirement) for limit in limits}
    return told.pop() if len(told) == 1 else f"{len(limits)} limits by band or unit"


def asked_of(cell: Compliance) -> str:
    """The limit of one cell in words, from the limits of its requirement (prefetched)."""
    fitting = [
        limit for limit in cell.requirement.limits.all()
        if limit.unit in ("", cell.unit) and limit.band in ("", cell.band)
    ]  # fmt: skip
    nearest = max(fitting, key=lambda limit: (bool(limit.unit), bool(limit.band)), default=None)
    return one_limit_words(nearest, cell.requirement) if nearest is not None else ""


def one_limit_words(limit: Any, requirement: Requirement) -> str:
    unit = requirement.metric.unit + ("/year" if requirement.statistic == "trend" else "")
    must, goal = _sides(limit.low, limit.high, unit), _sides(limit.goal_low, limit.goal_high, unit)
    return ", ".join(part for part in (must, goal and f"goal {goal}") if part)


def _sides(low: float | None, high: float | None, unit: str) -> str:
    suffix = f" {unit}" if unit else ""
    if low is not None and high is not None:
        return f"{numbers.number(low)} to {numbers.number(high)}{suffix}"
    if low is not None:
        return f"≥ {numbers.number(low)}{suffix}"
    return "" if high is None else f"≤ {numbers.number(high)}{suffix}"


def _left(cell: Compliance) -> int:
    return NEVER if cell.days_left is None else cell.days_left


def _distance(cell: Compliance) -> float:
    """Margin in uncertainties, to find the worst of several that stand alike."""
    if cell.margin is None:
        return float("inf")
    return cell.margin / cell.uncertainty if cell.uncertainty else cell.margin
