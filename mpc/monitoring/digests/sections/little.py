"""Where the day's look could say nothing: too little to look at, or nobody looked."""

from __future__ import annotations

from django.db.models import Count, Q

from mpc.monitoring.digests.content import Cell, Day, Grid, Link, Section, cell, fact, grid, grids
from mpc.monitoring.digests.sections.words import count, listed
from mpc.monitoring.models import Compliance, Series, Watch

UNJUDGED = (Compliance.State.TOO_FEW, Compliance.State.NOT_MEASURED)
JUDGED = tuple(state for state in Compliance.State if state not in UNJUDGED)
NOW = "Requirements are counted as they stood when this was made, which was more than a day after the day."


def too_little_data(day: Day) -> Section:
    states = dict(Compliance.objects.order_by().values_list("state").annotate(n=Count("pk")))
    few, never = states.get(Compliance.State.TOO_FEW, 0), states.get(Compliance.State.NOT_MEASURED, 0)
    judged = sum(states.values()) - few - never
    watches = Watch.objects.aggregate(
        watched=Count("pk"),
        today=Count("pk", filter=Q(looked_at__gte=day.start)),
        short=Count("pk", filter=~Q(too_little="")),
        broken=Count("pk", filter=~Q(failed="")),
    )
    unseen = Series.objects.filter(
        metric__watched=True, metric__declared=False, count__gt=0, watch__isnull=True
    ).count()
    gaps = [NOW] if day.late and states else []
    if not states:
        gaps.append("No requirement has been judged yet.")
    if not watches["watched"]:
        gaps.append("The detectors have not looked at any series yet.")
    said = listed(
        (
            f"detectors failed on {count(watches['broken'], 'series', 'series')}" if watches["broken"] else "",
            f"{count(unseen, 'series', 'series')} not looked at" if unseen else "",
            f"{count(few, 'requirement')} with too few values" if few else "",
            f"{count(never, 'requirement')} never measured" if never else "",
        )
    )
    return Section(
        key="little",
        title="Too little data",
        sign="failed" if watches["broken"] else "warning" if said else "passed" if states else "idle",
        summary=said or ("every requirement could be judged" if states else "nothing has been judged"),
        facts=(
            fact("Requirements judged", judged, _cells(*JUDGED)),
            fact("with too few values", few, _cells(Compliance.State.TOO_FEW)),
            fact("never measured", never, _cells(Compliance.State.NOT_MEASURED)),
            fact("Series that the detectors watch", watches["watched"], _watches()),
            fact("looked at since the day began", watches["today"], _watches(since=day.date.isoformat())),
            fact("too short for a detector", watches["short"], _watches(what="short")),
            fact("on which a detector failed", watches["broken"], _watches(what="failed")),
            fact("not looked at yet", unseen),
        ),
        tables=grids(_too_few(), _short(), _broken()),
        gaps=tuple(gaps),
    )


def _cells(*states: str) -> Link:
    return Link("monitoring:compliance-cells", {}, {"state": [str(state) for state in states]})


def _watches(**query: str) -> Link:
    return Link("monitoring:watches", {}, query)


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
    return grid("Requirements with too few values", columns, rows, _cells(Compliance.State.TOO_FEW))


def _short() -> Grid:
    """By what was too little, for there may be thousands of series."""
    rows = Watch.objects.exclude(too_little="").order_by().values_list("too_little").annotate(n=Count("pk"))
    return grid(
        "Series too short for a detector",
        ("Detectors", "Series"),
        rows.order_by("-n", "too_little"),
        _watches(what="short"),
    )


def _broken() -> Grid:
    found = Watch.objects.exclude(failed="").select_related("series__metric").order_by("-looked_at", "pk")
    rows = [
        [
            cell(watch.series.metric.name, Link("monitoring:trend", {"code": watch.series.metric_id})),
            watch.series.part,
            watch.failed,
            watch.looked_at,
        ]
        for watch in found
    ]
    return grid(
        "Series on which a detector failed",
        ("Metric", "Series", "Why", "Looked at (UTC)"),
        rows,
        _watches(what="failed"),
    )
