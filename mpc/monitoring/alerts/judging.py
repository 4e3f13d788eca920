"""From what the detectors saw to alerts: parts begin, go on, go back, are explained or excused.

``judge_due`` takes the series of which something new was seen (``Watch.judged`` false), unit by unit, each under the
unit's lock in a short transaction. It may be called by several processes at once and at any time: what it finds depends
on the rows alone, so that it can be broken off and called again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from mpc.monitoring.alerts import family, severity
from mpc.monitoring.alerts.locking import one_at_a_time
from mpc.monitoring.alerts.opening import BACK, GONE, HOLDS, Candidate, Desk, note, write
from mpc.monitoring.detecting import explaining
from mpc.monitoring.limits import Limit, Limits
from mpc.monitoring.models import AlertPart, ChangePoint, DetectorMode, Series, Statistic, Watch
from mpc.monitoring.waivers.reading import active_waivers, waiver_of
from mpc.ui.numbers import measured, number

log = logging.getLogger(__name__)

SERIES_AT_ONCE = 100


def judge_due(limit: int = 1000) -> int:
    """Judge what waits; hands back how many series. A unit that fails is logged and leaves the others alone."""
    rows = Watch.objects.filter(judged=False).order_by("series")
    due: dict[str, list[int]] = defaultdict(list)
    for pk, unit in rows.values_list("series", "series__unit")[:limit]:
        due[unit].append(pk)
    done = 0
    for unit, keys in sorted(due.items()):
        for start in range(0, len(keys), SERIES_AT_ONCE):
            try:
                done += judge_series(unit, keys[start : start + SERIES_AT_ONCE])
            except Exception:
                log.exception("alerts of unit %r: could not be judged; tried again at the next turn", unit)
                break
    return done


def judge_series(unit: str, keys: Sequence[int]) -> int:
    """Judge some series of one unit. One transaction."""
    with one_at_a_time(unit):
        watches = list(
            Watch.objects.select_for_update(of=("self",))
            .filter(series__in=keys, judged=False)
            .select_related("series__metric")
            .order_by("series")
        )
        if not watches:
            return 0
        _Judge(unit, watches).go()
        Watch.objects.filter(series__in=[w.series_id for w in watches]).update(judged=True)
    return len(watches)


class _Judge:
    def __init__(self, unit: str, watches: Sequence[Watch]) -> None:
        self.now = timezone.now()
        self.watches = {w.series_id: w for w in watches}
        self.series = {w.series_id: w.series for w in watches}
        self.desk = Desk(unit, self.now)
        self.waivers = active_waivers(self.now.date())
        self.limits = Limits.load(sorted({s.metric_id for s in self.series.values()}))
        self.oldest = self.now - timedelta(days=settings.MPC_ALERT_MAX_AGE_DAYS)

    def go(self) -> None:
        changes = self._changes()
        parts = list(
            AlertPart.objects.filter(series__in=list(self.series)).select_related("alert", "series__metric", "change")
        )
        # The desk's own objects stand for alerts and parts that it holds, so that nothing is written twice.
        ours = {part.pk: part for own in self.desk.parts.values() for part in own}
        parts = [ours.get(part.pk, part) for part in parts]
        self._follow_changes(parts, {c.pk: c for c in changes})
        self._follow_breaches(parts)
        placed = {part.change_id for part in parts if part.change_id is not None}
        for change in sorted(changes, key=lambda c: (c.time, c.pk)):
            if change.pk not in placed and self._reaches(change):
                self.desk.place(self._of_change(change))
        self._new_breaches(parts)
        self.desk.settle()

    # --- Changes ------------------------------------------------------------------------------------------------------
    def _changes(self) -> list[ChangePoint]:
        """The changes of these series that may matter, explained anew and with the family's word. One query each."""
        mine = ChangePoint.objects.filter(series__in=list(self.series))
        recent = Q(time__gte=self.oldest) | Q(interval_end__gte=self.oldest) | Q(alert_parts__isnull=False)
        unsaid = Q(held="", mode=DetectorMode.LIVE, gone_at=None)  # old ones are told once that they are
        changes = list(mine.filter(recent | unsaid | ~Q(event=None)).distinct())
        for change in changes:
            change.series = self.series[change.series_id]
        standing = [c for c in changes if c.gone_at is None]
        altered = {c.pk: c for c in explaining.judge(standing)}
        live = [c for c in standing if c.mode == DetectorMode.LIVE]
        held = self._held(live)
        for change in live:
            if change.held != held.get(change.pk, ""):
                change.held = held.get(change.pk, "")
                altered[change.pk] = change
        ChangePoint.objects.bulk_update(altered.values(), ["explained", "event", "held"], batch_size=200)
        return changes

    def _held(self, live: Sequence[ChangePoint]) -> dict[int, str]:
        """Why changes alert nobody, beside that they are explained: a word for each that is held back."""
        held = family.held(live)
        for change in live:
            if change.interval_end < self.oldest and change.time < self.oldest:
                held[change.pk] = f"it was found when it was over {settings.MPC_ALERT_MAX_AGE_DAYS:g} days old"
            elif excuse := waiver_of(self.waivers, change.series):
                held[change.pk] = f"waived: {excuse.title}"[:200]
        by_series: dict[int, list[ChangePoint]] = defaultdict(list)
        for change in live:
            by_series[change.series_id].append(change)
        for own in by_series.values():
            for found in (_taken_back(own), _made_by_a_step(own)):
                held.update({pk: why for pk, why in found.items() if pk not in held})
        return held

    def _reaches(self, change: ChangePoint) -> bool:
        return (
            change.mode == DetectorMode.LIVE
            and change.gone_at is None
            and change.explained != ChangePoint.Explained.YES
            and not change.held
        )

    def _follow_changes(self, parts: Iterable[AlertPart], changes: dict[int, ChangePoint]) -> None:
        """Bring parts that speak of changes to what is known of these now."""
        for part in parts:
            change = changes.get(part.change_id) if part.change_id else None
            if change is None:
                if part.requirement_id is None and part.change_id is None and part.state == HOLDS:
                    self._end(part, GONE, "its change is no longer kept")
                continue
            if change.gone_at is not None:
                self._end(part, GONE, "not found any more")
            elif change.explained == ChangePoint.Explained.YES:
                self._end(part, GONE, f"explained by {change.event}" if change.event else "explained")
            elif change.held and part.state == HOLDS and change.held.startswith("waived"):
                self._end(part, GONE, change.held)
            elif part.state == GONE and self._reaches(change):
                self._again(part, change.text)
            elif part.state == HOLDS:
                self._still(part, change)

    def _still(self, part: AlertPart, change: ChangePoint) -> None:
        points = int(self.watches[part.series_id].back.get(str(part.pk), part.back_points))
        values = {
            "time": change.time, "value": _value(change), "uncertainty": change.magnitude_uncertainty,
            "text": change.text, "back_points": points,
        }  # fmt: skip
        if points >= settings.MPC_ALERT_BACK_POINTS:
            self._end(part, BACK, change.text, back_points=points)
        elif any(getattr(part, name) != value for name, value in values.items()):
            write(part, **values)
        self._touch(part)

    def _of_change(self, change: ChangePoint) -> Candidate:
        metric = change.series.metric
        outside = _is_outside(self.limits.of(change.series), change)
        return Candidate(
            series=change.series,
            kind=change.kind,
            time=change.time,
            severity=severity.of_change(
                change.kind,
                before=change.before,
                after=change.after,
                direction=metric.direction,
                target=metric.target,
                outside=outside,
            ),
            change=change,
            value=_value(change),
            uncertainty=change.magnitude_uncertainty,
            text=change.text,
        )

    # --- Requirements on each value -----------------------------------------------------------------------------------
    def _follow_breaches(self, parts: Iterable[AlertPart]) -> None:
        each = {limit.requirement for s in self.series.values() for limit in self.limits.of(s) if _each(limit)}
        for part in parts:
            if part.kind != "breach" or part.state != HOLDS:
                continue
            found = self._breaches(part.series_id).get(part.requirement_id)
            if found is None:
                if part.requirement_id in each or not _judged_by_cell(part):
                    self._end(part, BACK, part.text, back_points=max(part.back_points, settings.MPC_ALERT_BACK_POINTS))
                continue
            excuse = waiver_of(self.waivers, part.series, part.requirement_id)
            if excuse is not None:
                self._end(part, GONE, f"waived: {excuse.title}")
                continue
            write(part, value=found["value"], uncertainty=found["uncertainty"], back_points=found["back"])
            self._touch(part)

    def _new_breaches(self, parts: Iterable[AlertPart]) -> None:
        there = {(p.series_id, p.requirement_id) for p in parts if p.kind == "breach" and p.state == HOLDS}
        for pk, watch in self.watches.items():
            if watch.newest is None or watch.newest < self.oldest:
                continue
            limits = {limit.requirement: limit for limit in self.limits.of(self.series[pk])}
            for requirement, found in self._breaches(pk).items():
                limit = limits.get(requirement)
                if (pk, requirement) in there or limit is None:
                    continue
                if waiver_of(self.waivers, self.series[pk], requirement) is None:
                    self.desk.place(self._of_breach(self.series[pk], limit, found))

    def _breaches(self, series: int) -> dict[int, dict]:
        return {b["requirement"]: b for b in self.watches[series].breaches}

    def _of_breach(self, series: Series, limit: Limit, found: dict) -> Candidate:
        since = parse_datetime(found["since"])
        assert since is not None
        side = "at least" if found["side"] == "low" else "at most"
        unit = series.metric.unit
        text = (
            f"{limit.title}: {measured(found['value'], found['uncertainty'])}, {side} {number(found['limit'])} {unit}"
        )
        return Candidate(
            series=series,
            kind="breach",
            time=since,
            severity=severity.of_breach(
                found["value"],
                found["limit"],
                low=limit.low,
                high=limit.high,
                uncertainty=found["uncertainty"],
                verified=limit.verified,
            ),
            requirement=limit.requirement,
            value=found["value"],
            uncertainty=found["uncertainty"],
            limit=found["limit"],
            text=text.strip(),
            back=found["back"],
        )

    # --- Parts --------------------------------------------------------------------------------------------------------
    def _end(self, part: AlertPart, state: str, text: str, **values: object) -> None:
        if part.state == state and part.text == text[:300]:
            return
        was = part.state
        write(part, state=state, text=text[:300], **values)
        if was == HOLDS:
            note(part.alert_id, "back" if state == BACK else "gone", f"{part.series.part or part.series}: {text}")
        self._touch(part)

    def _again(self, part: AlertPart, text: str) -> None:
        write(part, state=HOLDS, text=text[:300], back_points=0)
        alert = next((a for a in self.desk.closed if a.pk == part.alert_id), None)
        if alert is not None:
            self.desk.reopen(alert, f"{part.series.part or part.series}: it holds again")
        self._touch(part)

    def _touch(self, part: AlertPart) -> None:
        self.desk.touched.add(part.alert_id)


# --- Small questions --------------------------------------------------------------------------------------------------
def _taken_back(changes: Sequence[ChangePoint]) -> dict[int, str]:
    """Steps that lead back to the level before an earlier step of the same series: good news, and no alert."""
    found = {}
    steps = sorted((c for c in changes if c.kind == "step"), key=lambda c: c.time)
    for earlier, later in pairwise(steps):
        known = (earlier.before, earlier.after, later.after)
        if None in known or earlier.pk in found:
            continue
        before, after, now = known
        if abs(now - before) < 0.5 * abs(after - before):  # type: ignore[operator]
            found[later.pk] = f"it takes back the step of {earlier.time:%Y-%m-%d}"
    return found


def _made_by_a_step(changes: Sequence[ChangePoint]) -> dict[int, str]:
    """Drifts of series in which a step is found meanwhile: the slope comes with the step, which says it better."""
    steps = [c for c in changes if c.kind == "step"]
    found = {}
    for drift in (c for c in changes if c.kind == "drift"):
        inside = [s for s in steps if drift.interval_start <= s.time <= drift.interval_end]
        if inside:
            found[drift.pk] = f"it comes with the step of {max(inside, key=lambda s: s.time).time:%Y-%m-%d}"
    return found


def _is_outside(limits: Iterable[Limit], change: ChangePoint) -> bool:
    if change.after is None or change.kind not in ("step", "drift"):
        return False
    for limit in limits:
        if limit.statistic == Statistic.TREND or not limit.holds_on(change.time.date()):
            continue
        value = abs(change.after) if limit.absolute else change.after
        if (limit.low is not None and value < limit.low) or (limit.high is not None and value > limit.high):
            return True
    return False


def _each(limit: Limit) -> bool:
    return limit.statistic == Statistic.EACH


def _judged_by_cell(part: AlertPart) -> bool:
    return part.requirement is not None and part.requirement.statistic != Statistic.EACH


def _value(change: ChangePoint) -> float | None:
    return change.magnitude
