"""Keeps the cells of the matrix: those whose series, requirement or waivers changed, and all once a day.

A cell is reckoned and written by itself, so that no transaction is long and several processes may do it at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Max
from django.utils import timezone

from mpc.accounts import audit, policy
from mpc.jobs import every
from mpc.monitoring.compliance.cells import Cell, cells_of
from mpc.monitoring.compliance.evaluator import NOT_MEASURED, Verdict, evaluate
from mpc.monitoring.compliance.reading import Reading, read_cell
from mpc.monitoring.models import Compliance, Metric, Requirement, RequirementLimit, Series, Waiver
from mpc.monitoring.waivers.reading import active_waivers, waiver_of

GRACE = timedelta(minutes=2)
"""A transaction that began before a cell was reckoned may end after it: its series is looked at once more."""
LEAST_BETWEEN = timedelta(minutes=1)
"""A cell rests so long before new values alone let it be reckoned again."""
PERIOD_S = 30.0
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def recompute(*, everything: bool = False, now: datetime | None = None) -> int:
    """Reckon the cells that are out of date, or all; cells that the matrix no longer has go. Returns how many."""
    now = now or timezone.now()
    requirements = list(Requirement.objects.select_related("metric"))
    wanted = cells_of(requirements, now.astimezone(UTC).date())
    kept = {(c.requirement_id, c.unit, c.band): c for c in Compliance.objects.order_by()}
    there = {cell.key for cell in wanted}
    gone = [c.pk for key, c in kept.items() if key not in there]
    Compliance.objects.filter(pk__in=gone).delete()
    changes = Changes.since(_midnight(now) - GRACE)
    due = [cell for cell in wanted if everything or _is_due(cell, kept.get(cell.key), changes, now)]
    if due:
        waivers = active_waivers(now.astimezone(UTC).date())
        for cell in due:
            _write(cell, judge(cell, waivers, now), now)
    return len(due)


def rebuild(actor: Any) -> int:
    """Reckon all cells anew, because somebody asks. Raises PermissionDenied."""
    policy.require(actor, "monitoring.requirements")
    count = recompute(everything=True)
    audit.record(actor, "monitoring.compliance_rebuild", after={"cells": count}, label="compliance matrix")
    return count


@every(PERIOD_S, "monitoring.compliance")
def keep_current() -> None:
    recompute()


# --- What is out of date --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Changes:
    """When people last changed what cells depend on; older changes than ``since`` are in every cell already."""

    requirements: dict[int, datetime]
    metrics: dict[str, datetime]
    waivers: list[Any]

    @classmethod
    def since(cls, since: datetime) -> Changes:
        """Four queries over the histories."""
        requirements = dict(_newest(Requirement.history, "id", since))
        for key, date in _newest(RequirementLimit.history, "requirement_id", since):
            requirements[key] = max(date, requirements.get(key, NEVER))
        waivers = list(Waiver.history.filter(history_date__gte=since))
        return cls(requirements, dict(_newest(Metric.history, "code", since)), waivers)

    def of(self, cell: Cell) -> datetime:
        """The newest change that concerns this cell."""
        requirement = cell.requirement
        waived = (
            w.history_date
            for w in self.waivers
            if w.requirement_id in (None, requirement.pk)
            and w.metric_id in (None, requirement.metric_id)
            and w.unit in ("", cell.unit)
            and w.band in ("", cell.band)
        )
        by_row = (self.requirements.get(requirement.pk, NEVER), self.metrics.get(requirement.metric_id, NEVER))
        return max((*by_row, *waived))


def _newest(history: Any, key: str, since: datetime) -> Iterable[tuple[Any, datetime]]:
    rows = history.filter(history_date__gte=since).order_by().values_list(key)
    return rows.annotate(newest=Max("history_date"))


def _is_due(cell: Cell, kept: Compliance | None, changes: Changes, now: datetime) -> bool:
    if kept is None or kept.computed_at < _midnight(now):
        return True  # new; or the window has moved on, and waivers begin and end
    seen = kept.computed_at - GRACE
    if changes.of(cell) >= seen:
        return True
    rested = kept.computed_at <= now - LEAST_BETWEEN
    return rested and any(s.changed_at is not None and s.changed_at >= seen for s in cell.series)


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


# --- One cell --------------------------------------------------------------------------------------------------------
def judge(cell: Cell, waivers: list[Waiver], now: datetime) -> tuple[Verdict, Reading, Waiver | None]:
    """How a cell stands now, what it was judged by, and the waiver that excuses it."""
    requirement = cell.requirement
    if requirement.metric.declared:
        why = "what is declared is not measured: constants of the metadata feed no compliance"
        return Verdict(NOT_MEASURED, why), Reading((), (), 0), None
    read = read_cell(cell.series, requirement.window_days, now)
    verdict = _evaluate(cell, read, frozenset(), now)
    if verdict.state != Compliance.State.BREACHED:
        return verdict, read, None
    waiver = _excuse(cell, read, waivers, now)
    if waiver is None:
        return verdict, read, None
    why = f"waived until {waiver.valid_to:%Y-%m-%d} ({waiver.title}): {verdict.why}"
    return replace(verdict, state=Compliance.State.WAIVED.value, why=why), read, waiver


def _evaluate(cell: Cell, read: Reading, without: frozenset[str], now: datetime) -> Verdict:
    return evaluate(
        read.sample(without),
        cell.bounds,
        cell.requirement.statistic,
        now=now,
        window_days=cell.requirement.window_days,
        risk_days=settings.MPC_RISK_DAYS,
        unit=cell.requirement.metric.unit,
    )


def _excuse(cell: Cell, read: Reading, waivers: list[Waiver], now: datetime) -> Waiver | None:
    """The waiver of the whole cell; or that of detectors, if it is met without them."""
    part = Series(metric_id=cell.requirement.metric_id, unit=cell.unit, band=cell.band)
    whole = waiver_of(waivers, part, cell.requirement.pk)
    if whole is not None:
        return whole
    by_detector: dict[str, Waiver] = {}
    for one in cell.series:
        excused = waiver_of(waivers, one, cell.requirement.pk) if one.detector else None
        if excused is not None:
            by_detector.setdefault(one.detector, excused)
    if not by_detector:
        return None
    rest = _evaluate(cell, read, frozenset(by_detector), now)
    return None if rest.state == Compliance.State.BREACHED else next(iter(by_detector.values()))


def _write(cell: Cell, judged: tuple[Verdict, Reading, Waiver | None], now: datetime) -> None:
    verdict, read, waiver = judged
    times: dict[str, list[datetime]] = defaultdict(list)
    for part in read.window:
        if len(part.days):
            times["first"].append(datetime.fromtimestamp(float(part.days.min()) * 86_400, UTC))
            times["last"].append(datetime.fromtimestamp(float(part.days.max()) * 86_400, UTC))
    fields = {
        **asdict(verdict),
        "why": verdict.why[:300],
        "first_time": min(times["first"], default=None),
        "last_time": max(times["last"], default=None),
        "waiver": waiver,
        "computed_at": now,
    }
    key = {"requirement": cell.requirement, "unit": cell.unit, "band": cell.band}
    try:
        Compliance.objects.update_or_create(**key, defaults=fields)
    except IntegrityError:
        # Its requirement was deleted meanwhile; the next turn has no such cell.
        return
