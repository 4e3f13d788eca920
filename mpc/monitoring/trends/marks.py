"""What stands over the points of a trend: limits of requirements, mission events, changes that detectors found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from mpc.monitoring.events.reading import concerns_bands, events_for
from mpc.monitoring.limits import Limit, Limits
from mpc.monitoring.models import ChangePoint, DetectorMode, MissionEvent, Series, Statistic
from mpc.monitoring.trends.data import Shown
from mpc.monitoring.trends.filters import Look
from mpc.ui.numbers import number, signed

MOST_CHANGES = 300

_STATISTIC = {
    Statistic.EACH: "",
    Statistic.MEAN: "mean",
    Statistic.MEDIAN: "median",
    Statistic.P90: "90 %",
    Statistic.P95: "95 %",
    Statistic.P9545: "95.45 %",
    Statistic.P9973: "99.73 %",
    Statistic.CE90: "CE90",
    Statistic.CE95: "CE95",
    Statistic.MAXIMUM: "max",
}


@dataclass(frozen=True)
class Marks:
    """What was found for one metric; ``limits`` by series key."""

    limits: dict[int, tuple[Limit, ...]]
    events: tuple[MissionEvent, ...] = ()
    changes: tuple[ChangePoint, ...] = ()
    more_changes: bool = False

    def of(self, shown: Shown) -> Marks:
        """Those of one metric among several."""
        keys = {p.series.pk for p in shown.points}
        return replace(self, changes=tuple(c for c in self.changes if c.series_id in keys))


def overlays(
    drawn: Sequence[Series],
    span: tuple[datetime, datetime] | None,
    look: Look,
    limits: Limits | None = None,
) -> Marks:
    """What concerns these series in a stretch of time: a query for events and one for changes, none for what is
    hidden."""
    lines = {s.pk: limits.of(s) for s in drawn} if limits and look.shows("limits") else {}
    if not drawn or span is None:
        return Marks(lines)
    since, until = span
    events: list[MissionEvent] = []
    if look.shows("events"):
        bands = {s.band for s in drawn}
        found = events_for(units={s.unit for s in drawn}, since=since, until=until)
        events = [e for e in found if concerns_bands(e, () if "" in bands else bands)]
    changes: list[ChangePoint] = []
    if look.shows("changes"):
        changes = list(
            ChangePoint.objects.filter(
                series__in=[s.pk for s in drawn],
                mode=DetectorMode.LIVE,
                gone_at=None,
                time__gte=since,
                time__lte=until + timedelta(days=1),
            ).select_related("event", "series")[: MOST_CHANGES + 1]
        )
    return Marks(lines, tuple(events), tuple(changes[:MOST_CHANGES]), len(changes) > MOST_CHANGES)


@dataclass(frozen=True)
class Line:
    """One horizontal line of a plot."""

    y: float
    label: str
    goal: bool
    start: datetime | None
    end: datetime | None


def lines_of(series: Sequence[Series], limits: dict[int, tuple[Limit, ...]]) -> list[Line]:
    """The lines of all series of one small plot, each once; a line of some of the units says of which."""
    units_of: dict[tuple[Limit, str, float, bool], list[str]] = {}
    for one in series:
        for limit in limits.get(one.pk, ()):
            if limit.statistic == Statistic.TREND:
                continue  # speaks of the change a year, which is no height in this plot
            for sign, y, goal in _heights(limit):
                units_of.setdefault((limit, sign, y, goal), []).append(one.unit)
    units = {s.unit for s in series}
    found = []
    for (limit, sign, y, goal), of in units_of.items():
        whose = "" if set(of) == units else " ".join(sorted(set(of)))
        found.append(Line(y, _label(limit, f"{sign} {number(y)}", goal, whose), goal, *_days(limit)))
    return found


def _heights(limit: Limit) -> Iterable[tuple[str, float, bool]]:
    for low, high, goal in ((limit.low, limit.high, False), (limit.goal_low, limit.goal_high, True)):
        if low is not None:
            yield "≥", low, goal
        if high is not None:
            yield "≤", high, goal
            if limit.absolute and low is None:
                yield "≥", -high, goal


def _label(limit: Limit, bound: str, goal: bool, unit: str) -> str:
    words = [unit, "goal" if goal else "", limit.code, _STATISTIC.get(Statistic(limit.statistic), ""), bound]
    text = " ".join(word for word in words if word)
    return text if limit.verified else f"{text} (unverified)"


def _days(limit: Limit) -> tuple[datetime | None, datetime | None]:
    def moment(day: object, add: int) -> datetime | None:
        if day is None:
            return None
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=add)  # type: ignore[attr-defined]

    return moment(limit.valid_from, 0), moment(limit.valid_to, 1)


def change_label(change: ChangePoint, unit: str) -> str:
    """A word and a size: "step +0.3 %"."""
    if change.magnitude is None:
        return change.kind
    return f"{change.kind} {signed(change.magnitude)} {unit}".strip()


def event_hint(event: MissionEvent) -> str:
    when = f"{event.start:%Y-%m-%d}" + (f" to {event.end:%Y-%m-%d}" if event.end else "")
    return f"{when}: {event}"
