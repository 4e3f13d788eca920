"""What was found on the day: alerts, changes of series, requirements that stand otherwise, events of the mission."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count, Q

from mpc.monitoring.digests.content import Cell, Day, Grid, Link, Section, cell, fact, grid, grids
from mpc.monitoring.digests.sections.words import count, listed
from mpc.monitoring.models import (
    Alert,
    AlertNote,
    ChangePoint,
    Compliance,
    ComplianceChange,
    DetectorMode,
    MissionEvent,
    Watch,
)
from mpc.monitoring.models.alerts import Severity

WORSE = (Compliance.State.BREACHED, Compliance.State.AT_RISK)
CAME_BACK = "came back"

TOLD_BY = tuple(origin for origin in MissionEvent.Origin if origin != MissionEvent.Origin.TABLE)
"""What comes with the centre's own table is old when it is loaded."""


def what_was_found(day: Day) -> Section:
    opened = list(_within(Alert.objects.all(), "opened_at", day).order_by("-severity", "opened_at", "pk"))
    closed = _within(Alert.objects.all(), "closed_at", day).count()
    returned = _within(AlertNote.objects.filter(what=CAME_BACK), "at", day).values("alert")
    back = list(Alert.objects.filter(pk__in=returned).order_by("-severity", "opened_at", "pk"))
    changes = _within(ChangePoint.objects.all(), "found_at", day).order_by()
    live = Counter(
        {(kind, how): n for kind, how, n in _live(changes).values_list("kind", "explained").annotate(n=Count("pk"))}
    )
    in_shadow = changes.filter(mode=DetectorMode.SHADOW).count()
    cells = list(
        _within(ComplianceChange.objects.all(), "at", day).select_related("requirement").order_by("-at", "-pk")
    )
    standing = MissionEvent.objects.filter(withdrawn_at__isnull=True)
    touching = (Q(start__gte=day.start) | Q(end__gte=day.start)) & Q(start__lt=day.end)
    known = Q(created_at__gte=day.start, created_at__lt=day.end, origin__in=TOLD_BY)
    events = list(standing.filter(touching | known).order_by("start", "pk"))
    unexplained = sum(n for (_, how), n in live.items() if how == ChangePoint.Explained.NO)
    worse = [change for change in cells if change.after in WORSE]
    said = listed(
        (
            f"{count(len(opened), 'alert')} opened" if opened else "",
            f"{count(len(back), 'alert')} came back" if back else "",
            f"{count(unexplained, 'unexplained change')}" if unexplained else "",
            f"{count(len(worse), 'requirement')} got worse" if worse else "",
        )
    )
    looked = _anybody_looked(day)
    severe = any(alert.severity >= Severity.MAJOR for alert in opened)
    breached = any(change.after == Compliance.State.BREACHED for change in worse)
    return Section(
        key="found",
        title="What was found",
        sign="failed" if severe or breached else "warning" if said else "passed" if looked else "not_checked",
        summary=said or ("nothing that asks for a person" if looked else "nothing was looked at"),
        facts=(
            fact("Alerts opened", len(opened), _alerts(day.query("since", "until"))),
            fact("Alerts that came back", len(back)),
            fact("Alerts closed", closed, _alerts(day.query("closed_since", "closed_until"))),
            fact("Changes found", live.total(), _changes(day)),
            fact("of them unexplained", unexplained, _changes(day, explained="unexplained")),
            fact("Changes found in shadow", in_shadow, _changes(day, mode="shadow")),
            fact("Requirements that stand otherwise", len(cells), _cells(day)),
            fact(
                "Mission events of the day", standing.filter(touching).count(), _events_of(day.query("since", "until"))
            ),
            fact("Mission events that became known", standing.filter(known).count(), _known(day)),
        ),
        tables=grids(
            _alert_rows("Alerts opened", opened, _alerts(day.query("since", "until"))),
            _alert_rows("Alerts that came back", back),
            _by_kind(live, day),
            _unexplained(changes, day),
            _standing(cells, day),
            _events(events),
        ),
        gaps=() if looked else ("No detector looked at a series, and no requirement was judged since the day began.",),
    )


def _anybody_looked(day: Day) -> bool:
    """Whether a detector or a requirement was asked since the day began: else that nothing was found says nothing."""
    judged = Compliance.objects.exclude(state=Compliance.State.NOT_MEASURED).filter(computed_at__gte=day.start)
    return Watch.objects.filter(looked_at__gte=day.start).exists() or judged.exists()


def _within(rows: Any, field: str, day: Day) -> Any:
    return rows.filter(**{f"{field}__gte": day.start, f"{field}__lt": day.end})


def _events_of(query: dict[str, Any]) -> Link:
    return Link("monitoring:events", {}, {**query, "state": "standing"})


def _known(day: Day) -> Link:
    return _events_of(day.query("known_since", "known_until", origin=[str(origin) for origin in TOLD_BY]))


def _live(changes: Any) -> Any:
    return changes.filter(mode=DetectorMode.LIVE)


def _alerts(query: dict[str, Any]) -> Link:
    return Link("monitoring:alerts", {}, query)


def _changes(day: Day, **more: str) -> Link:
    return Link("monitoring:changes", {}, day.query("found_since", "found_until", **{"mode": "live", **more}))


def _cells(day: Day, **more: str) -> Link:
    return Link("monitoring:compliance-changes", {}, day.query("since", "until", **more))


def _alert_rows(title: str, alerts: list[Alert], link: Link | None = None) -> Grid:
    rows = [
        [
            Cell(alert.get_severity_display(), sign=_SIGN_OF.get(alert.severity, "warning")),
            Cell(alert.unit or "all", is_unit=bool(alert.unit)),
            cell(alert.title, Link("monitoring:alert", {"pk": alert.pk})),
            alert.time,
            alert.get_state_display(),
        ]
        for alert in alerts
    ]
    return grid(title, ("Severity", "Unit", "Alert", "Since (UTC)", "State now"), rows, link)


_SIGN_OF = {Severity.INFO: "idle", Severity.MINOR: "warning", Severity.MAJOR: "failed", Severity.CRITICAL: "failed"}


def _by_kind(live: Counter[tuple[str, str]], day: Day) -> Grid:
    ways = ChangePoint.Explained
    rows = [
        [kind, *(cell(live[kind, way], _changes(day, kind=kind, explained=way.value)) for way in ways)]
        for kind in sorted({kind for kind, _ in live})
    ]
    return grid("Changes by kind", ("Kind", *(str(way.label).capitalize() for way in ways)), rows)


def _unexplained(changes: Any, day: Day) -> Grid:
    found = _live(changes).filter(explained=ChangePoint.Explained.NO)
    rows = [
        [
            Cell(change.series.unit or "all", is_unit=bool(change.series.unit)),
            cell(change.series.metric.name, Link("monitoring:trend", {"code": change.series.metric_id})),
            change.series.part,
            change.kind,
            change.time,
            Cell(_rounded(change.magnitude), uncertainty=change.magnitude_uncertainty),
            change.series.metric.unit or "1",
        ]
        for change in found.select_related("series__metric").order_by("-time", "-pk")
    ]
    columns = ("Unit", "Metric", "Series", "Kind", "At (UTC)", "Change", "In")
    return grid("Changes that no event explains", columns, rows, _changes(day, explained="unexplained"))


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _standing(cells: list[ComplianceChange], day: Day) -> Grid:
    rows = [
        [
            cell(change.requirement.title, Link("monitoring:requirement", {"code": change.requirement.code})),
            Cell(change.unit, is_unit=bool(change.unit)),
            change.band or "all",
            change.get_before_display() or "not judged",
            Cell(change.get_after_display(), sign=SIGN_OF_STATE.get(change.after, "idle")),
            change.at,
        ]
        for change in cells
    ]
    columns = ("Requirement", "Unit", "Band", "Before", "Now", "Since (UTC)")
    return grid("Requirements that stand otherwise", columns, rows, _cells(day))


SIGN_OF_STATE: dict[str, str] = {
    Compliance.State.MET: "passed",
    Compliance.State.AT_RISK: "warning",
    Compliance.State.BREACHED: "failed",
    Compliance.State.WAIVED: "idle",
    Compliance.State.UNDECIDED: "warning",
    Compliance.State.TOO_FEW: "idle",
    Compliance.State.NOT_MEASURED: "idle",
}


def _events(events: list[MissionEvent]) -> Grid:
    rows = [
        [
            Cell(event.unit or "all", is_unit=bool(event.unit)),
            event.get_kind_display(),
            cell(event.title, Link("monitoring:event", {"pk": event.pk})),
            event.start,
            event.get_origin_display(),
        ]
        for event in events
    ]
    return grid("Mission events", ("Unit", "Kind", "What", "Start (UTC)", "Known"), rows)
