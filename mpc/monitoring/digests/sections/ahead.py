"""What will ask for a person soon: waivers that end, drifts that reach their limit."""

from __future__ import annotations

from datetime import timedelta

from mpc.monitoring.digests.content import Cell, Day, Grid, Link, Section, cell, fact, grid, grids
from mpc.monitoring.digests.sections.words import count, listed
from mpc.monitoring.models import Compliance, Waiver

WAIVER_DAYS = 30
BREACH_DAYS = 90

NOT_BREACHED = [state.value for state in Compliance.State if state != Compliance.State.BREACHED]


def _ending_by(day: Day) -> Link:
    until = day.date + timedelta(days=WAIVER_DAYS)
    query = {"ends_since": day.date.isoformat(), "ends_until": until.isoformat(), "withdrawn": "false"}
    return Link("monitoring:waivers", {}, query)


def _expected(day: Day) -> Link:
    until = day.date + timedelta(days=BREACH_DAYS)
    query = {"breach_until": until.isoformat(), "state": NOT_BREACHED, "sort": "breach_on"}
    return Link("monitoring:compliance-cells", {}, query)


def what_lies_ahead(day: Day) -> Section:
    ending = list(
        Waiver.objects.filter(
            withdrawn_at__isnull=True, valid_to__gte=day.date, valid_to__lte=day.date + timedelta(days=WAIVER_DAYS)
        )
        .select_related("requirement", "metric")
        .order_by("valid_to", "pk")
    )
    coming = list(
        Compliance.objects.filter(breach_on__isnull=False, breach_on__lte=day.date + timedelta(days=BREACH_DAYS))
        .exclude(state=Compliance.State.BREACHED)
        .select_related("requirement")
        .order_by("breach_on", "pk")
    )
    said = listed(
        (
            f"{count(len(coming), 'breach', 'breaches')} expected within {BREACH_DAYS} days" if coming else "",
            f"{count(len(ending), 'waiver')} {'ends' if len(ending) == 1 else 'end'} within {WAIVER_DAYS} days"
            if ending
            else "",
        )
    )
    judged = Compliance.objects.filter(value__isnull=False).exists()
    calm = f"no breach expected within {BREACH_DAYS} days, no waiver ends within {WAIVER_DAYS}"
    return Section(
        key="ahead",
        title="What lies ahead",
        sign="watch" if said else "passed" if judged else "not_checked",
        summary=said or (calm if judged else "no requirement is measured, so no breach can be foreseen"),
        facts=(
            fact(f"Breaches expected within {BREACH_DAYS} days", len(coming), _expected(day)),
            fact(f"Waivers that end within {WAIVER_DAYS} days", len(ending), _ending_by(day)),
        ),
        tables=grids(_coming(coming, day), _ending(ending, day)),
    )


def _coming(cells: list[Compliance], day: Day) -> Grid:
    rows = []
    for one in cells:
        assert one.breach_on is not None
        latest = one.breach_to.isoformat() if one.breach_to else "open"
        rows.append(
            [
                cell(one.requirement.title, Link("monitoring:requirement", {"code": one.requirement.code})),
                Cell(one.unit, is_unit=True),
                one.band or "all",
                one.breach_on,
                f"{one.breach_from.isoformat() if one.breach_from else 'open'} to {latest}",
                (one.breach_on - day.date).days,
            ]
        )
    columns = ("Requirement", "Unit", "Band", "Breach expected", "95 % interval", "Days left")
    return grid("Breaches expected", columns, rows, _expected(day))


def _ending(waivers: list[Waiver], day: Day) -> Grid:
    rows = [
        [
            cell(waiver.title, Link("monitoring:waiver", {"pk": waiver.pk})),
            str(waiver.requirement or waiver.metric or ""),
            Cell(waiver.unit or "all", is_unit=bool(waiver.unit)),
            waiver.valid_to,
            (waiver.valid_to - day.date).days,
        ]
        for waiver in waivers
    ]
    return grid("Waivers that end", ("Waiver", "Of", "Unit", "Last day", "Days left"), rows, _ending_by(day))
