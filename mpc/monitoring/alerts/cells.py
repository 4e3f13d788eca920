"""Requirements on other statistics than each value: alerts follow the cells of the compliance matrix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from mpc.monitoring.alerts import severity
from mpc.monitoring.alerts.locking import one_at_a_time
from mpc.monitoring.alerts.opening import BACK, GONE, HOLDS, Candidate, Desk, note, write
from mpc.monitoring.limits import Limits
from mpc.monitoring.models import AlertPart, Compliance, Series, Statistic


def judge_cells() -> int:
    """Open and close breaches of requirements that speak of more than single values; hands back how many changed."""
    cells = Compliance.objects.exclude(requirement__statistic=Statistic.EACH).filter(
        requirement__metric__declared=False, requirement__metric__watched=True
    )
    by_unit: dict[str, list[Compliance]] = defaultdict(list)
    for cell in cells.select_related("requirement__metric").order_by("pk"):
        by_unit[cell.unit].append(cell)
    changed = 0
    for unit, own in sorted(by_unit.items()):
        holding = _parts_of_cells(unit)
        if any(_differs(cell, holding) for cell in own):
            with one_at_a_time(unit):
                changed += _judge_cells(unit, own)
    return changed


def _parts_of_cells(unit: str) -> dict[tuple[int, str], AlertPart]:
    rows = AlertPart.objects.filter(series__unit=unit, kind="breach", state=HOLDS).exclude(
        requirement__statistic=Statistic.EACH
    )
    return {(p.requirement_id, p.series.band): p for p in rows.select_related("alert", "series__metric")}


_OVER = {
    Compliance.State.MET: (BACK, "met again"),
    Compliance.State.AT_RISK: (BACK, "met again, at risk"),
    Compliance.State.WAIVED: (GONE, "waived"),
}


def _differs(cell: Compliance, holding: dict[tuple[int, str], AlertPart]) -> bool:
    part = holding.get((cell.requirement_id, cell.band))
    if part is None:
        return cell.state == Compliance.State.BREACHED
    return cell.state in _OVER or part.value != cell.value


def _judge_cells(unit: str, cells: Sequence[Compliance]) -> int:
    desk = Desk(unit)
    holding = _parts_of_cells(unit)
    ours = {part.pk: part for own in desk.parts.values() for part in own}
    changed = 0
    for cell in cells:
        part = holding.get((cell.requirement_id, cell.band))
        part = ours.get(part.pk, part) if part is not None else None
        if part is None and cell.state == Compliance.State.BREACHED:
            wanted = _of_cell(cell)
            if wanted is not None:
                desk.place(wanted)
                changed += 1
        elif part is not None and cell.state in _OVER:
            state, text = _OVER[cell.state]
            write(part, state=state, text=text)
            note(part.alert_id, "back" if state == BACK else "gone", f"{cell.requirement}: {text}")
            desk.touched.add(part.alert_id)
            changed += 1
        elif part is not None and part.value != cell.value:
            write(part, value=cell.value, uncertainty=cell.uncertainty, text=cell.why[:300])
            desk.touched.add(part.alert_id)
            changed += 1
    desk.settle()
    return changed


def _of_cell(cell: Compliance) -> Candidate | None:
    """The breach of a cell; its series is the fullest one of what the cell is about. None when there is none."""
    requirement = cell.requirement
    rows = Series.objects.filter(metric=requirement.metric_id, unit=cell.unit, band=cell.band, count__gt=0)
    if requirement.level:
        rows = rows.filter(level=requirement.level)
    series = rows.select_related("metric").order_by("-last_time", "-count", "pk").first()
    if series is None or cell.value is None:
        return None
    found = next(
        (limit for limit in Limits.load([series.metric_id]).of(series) if limit.requirement == requirement.pk), None
    )
    if found is None:
        return None
    value = abs(cell.value) if requirement.absolute else cell.value
    broken = found.low if found.low is not None and value < found.low else found.high
    grade = severity.Severity.MAJOR
    if broken is not None:
        grade = severity.of_breach(
            value, broken, low=found.low, high=found.high, uncertainty=cell.uncertainty, verified=requirement.verified
        )
    return Candidate(
        series=series,
        kind="breach",
        time=cell.last_time or cell.computed_at,
        severity=grade,
        requirement=requirement.pk,
        value=cell.value,
        uncertainty=cell.uncertainty,
        limit=broken,
        text=f"{requirement.title}: {cell.why}"[:300],
    )
