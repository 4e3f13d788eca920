"""Where the day's look could say nothing, because there was too little to look at."""

from __future__ import annotations

from django.db.models import Count

from mpc.monitoring.digests.content import Cell, Day, Grid, Link, Section, cell, fact, grid, grids
from mpc.monitoring.digests.sections.words import count, listed
from mpc.monitoring.models import Compliance

NOW = "Requirements are counted as they stood when this was made, which was more than a day after the day."


def too_little_data(day: Day) -> Section:
    states = dict(Compliance.objects.order_by().values_list("state").annotate(n=Count("pk")))
    few, never = states.get(Compliance.State.TOO_FEW, 0), states.get(Compliance.State.NOT_MEASURED, 0)
    judged = sum(states.values()) - few - never
    gaps = [NOW] if day.late and states else []
    if not states:
        gaps.append("No requirement has been judged yet.")
    said = listed(
        (
            f"{count(few, 'requirement')} with too few values" if few else "",
            f"{count(never, 'requirement')} never measured" if never else "",
        )
    )
    return Section(
        key="little",
        title="Too little data",
        sign="warning" if said else "passed" if states else "idle",
        summary=said or ("every requirement could be judged" if states else "nothing has been judged"),
        facts=(
            fact("Requirements judged", judged, _matrix()),
            fact("with too few values", few, _matrix(Compliance.State.TOO_FEW)),
            fact("never measured", never, _matrix(Compliance.State.NOT_MEASURED)),
        ),
        tables=grids(_too_few()),
        gaps=tuple(gaps),
    )


def _matrix(state: str = "") -> Link:
    return Link("monitoring:compliance", {}, {"state": str(state)} if state else {})


def _too_few() -> Grid:
    cells = Compliance.objects.filter(state=Compliance.State.TOO_FEW).select_related("requirement")
    rows = [
        [
            cell(one.requirement.title, Link("monitoring:requirement", {"code": one.requirement.code})),
            Cell(one.unit, is_unit=True),
            one.band or "all",
            one.count,
            one.why,
        ]
        for one in cells.order_by("requirement__code", "unit", "band")
    ]
    columns = ("Requirement", "Unit", "Band", "Values", "Why")
    return grid("Requirements with too few values", columns, rows, _matrix(Compliance.State.TOO_FEW))
