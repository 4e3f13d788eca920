"""Which steps reach a person, seen together with all series of the same metric and unit.

The rule is :mod:`mpc.monitoring.detectors.family`: a step reaches people when its score is above a threshold that knows
how many series there are, some values after it was found, or when neighbours (of the same band, or of the same
detector) have steps of the same sign at the same time. Here it is asked about the rows: the score of a row is the one
that is known now, so that what the rule says at each look is what it would have said on the day.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from statistics import median

from django.utils import timezone

from mpc.monitoring.detecting.explaining import judge_again
from mpc.monitoring.detecting.inputs import days
from mpc.monitoring.detecting.marking import watched
from mpc.monitoring.detectors.family import FamilyParams, Member, decide, family_threshold
from mpc.monitoring.detectors.step import Step
from mpc.monitoring.models import ChangePoint, DetectorMode, Series

Key = tuple[str, str]
ALIVE_DAYS = 365
"""Series without a value for longer raise no false steps and count for nothing."""
YEAR = timedelta(days=365.25)
BY_DAY_MOST = 365.25


def held(changes: Sequence[ChangePoint]) -> dict[int, str]:
    """Why steps among these changes (live, standing, with their series) are kept back, by key; the others reach people.

    Steps of other series of the family whose standing changes with these are judged again at the next turn.
    """
    steps = [change for change in changes if change.kind == "step"]
    keys = {(c.series.metric_id, c.series.unit) for c in steps}
    if not keys:
        return {}
    mine = {change.pk for change in steps}
    found: dict[int, str] = {}
    for members, standing in _families(keys, steps).values():
        raised, threshold = _raised(members, standing)
        for step in standing:
            if step.pk in mine and step.pk not in raised:
                found[step.pk] = _words(step, len(members), threshold)
        judge_again([s.series_id for s in standing if s.pk in raised and s.pk not in mine and _was_held(s)])
    return found


HELD = "too weak alone"


def _words(step: ChangePoint, series: int, threshold: float) -> str:
    return f"{HELD} among {series} series: score {step.score or 0:.1f} of {threshold:.1f}, and no neighbours agree"


def _was_held(step: ChangePoint) -> bool:
    return step.held.startswith(HELD)


def _families(keys: Collection[Key], steps: Sequence[ChangePoint]) -> dict[Key, tuple[list[Series], list[ChangePoint]]]:
    """By metric and unit: the series that are alive, and all steps that stand in them near these. Two queries."""
    metrics, units = {m for m, _ in keys}, {u for _, u in keys}
    alive = watched().filter(last_time__gte=timezone.now() - timedelta(days=ALIVE_DAYS), count__gt=0)
    members: dict[Key, dict[int, Series]] = defaultdict(dict)
    for series in alive.filter(metric__in=metrics, unit__in=units):
        members[series.metric_id, series.unit][series.pk] = series
    reach = timedelta(days=10)
    rows = ChangePoint.objects.filter(
        series__metric__in=metrics, series__unit__in=units, kind="step", mode=DetectorMode.LIVE, gone_at=None,
        time__gte=min(s.time for s in steps) - reach, time__lte=max(s.time for s in steps) + reach,
    ).select_related("series")  # fmt: skip
    standing: dict[Key, list[ChangePoint]] = defaultdict(list)
    for row in rows:
        standing[row.series.metric_id, row.series.unit].append(row)
    for key in keys:
        for row in standing[key]:
            members[key].setdefault(row.series_id, row.series)
    return {key: (list(members[key].values()), standing[key]) for key in keys}


def _raised(series: Sequence[Series], steps: Iterable[ChangePoint]) -> tuple[set[int], float]:
    """Keys of the steps that reach people, and the score that one alone needs."""
    asked = FamilyParams(points_a_year=_pace(series))
    by_series: dict[int, list[tuple[int, Step]]] = defaultdict(list)
    for row in steps:
        by_series[row.series_id].append((row.pk, _as_step(row)))
    members = [Member(s.band, s.detector, _Times(), tuple(step for _, step in by_series.get(s.pk, ()))) for s in series]
    of_step = {id(step): pk for own in by_series.values() for pk, step in own}
    decided = decide(members, asked)
    raised = {of_step[id(part.step)] for change in decided for part in change.parts}
    return raised, family_threshold(len(series), asked)


class _Times(tuple[float, ...]):
    """When it was raised is not asked here: every point has the same time."""

    def __getitem__(self, index: object) -> float:  # type: ignore[override]
        return 0.0


def _pace(series: Sequence[Series]) -> float:
    """How many points a series of the family gets in a year: the median, at most one a day."""
    found = [
        s.count / max((s.last_time - s.first_time) / YEAR, 0.1)
        for s in series
        if s.count and s.first_time is not None and s.last_time is not None
    ]
    return min(max(median(found), 1.0), BY_DAY_MOST) if found else FamilyParams().points_a_year


def _as_step(row: ChangePoint) -> Step:
    start, end = days(row.interval_start), days(row.interval_end)
    return Step(
        index=0,
        time=days(row.time),
        interval_start=start,
        interval_end=end,
        magnitude=row.magnitude or 0.0,
        magnitude_uncertainty=row.magnitude_uncertainty or math.nan,
        score=row.score or 0.0,
        before=row.before or 0.0,
        after=row.after or 0.0,
        found_index=0,
        found=end,
        found_start=start,
        found_end=end,
        course=(row.score or 0.0,) * (row.points_after + 1),
        taken_back=None,
        sigma=math.nan,
        correlation=0.0,
    )
