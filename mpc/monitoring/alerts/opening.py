"""Where a new part of an alert goes: to the open alert of its unit and time, to one that comes back, or to a new one.

Everything here runs under the unit's lock (``locking.one_at_a_time``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from mpc.monitoring.alerts import words
from mpc.monitoring.models import Alert, AlertNote, AlertPart, ChangePoint, Measurement, Series, Severity

HOLDS, BACK, GONE = AlertPart.State.HOLDS, AlertPart.State.BACK, AlertPart.State.GONE
TEXT = 300


@dataclass(frozen=True)
class Candidate:
    """Something that a person should look at: a change, or a requirement that is not met."""

    series: Series
    kind: str
    time: datetime
    severity: Severity
    change: ChangePoint | None = None
    requirement: int | None = None
    value: float | None = None
    uncertainty: float | None = None
    limit: float | None = None
    text: str = ""
    back: int = 0


class Desk:
    """The alerts of one unit that can take parts: those that are open, and those that may come back."""

    def __init__(self, unit: str, now: datetime | None = None) -> None:
        self.unit = unit
        self.now = now or timezone.now()
        since = self.now - timedelta(days=settings.MPC_ALERT_REOPEN_DAYS)
        rows = Alert.objects.select_for_update().filter(unit=unit).order_by("pk")
        self.active = list(rows.exclude(state=Alert.State.CLOSED))
        self.closed = list(rows.filter(state=Alert.State.CLOSED, closed_at__gte=since))
        self.parts: dict[int, list[AlertPart]] = {alert.pk: [] for alert in (*self.active, *self.closed)}
        for part in AlertPart.objects.filter(alert__in=list(self.parts)).select_related("series__metric"):
            self.parts[part.alert_id].append(part)
        self.touched: set[int] = set()

    # --- New parts ---------------------------------------------------------------------------------------------------
    def place(self, wanted: Candidate) -> Alert:
        """Put a candidate where it belongs; hands back its alert."""
        alert = self._of_its_time(wanted) or self._coming_back(wanted) or self._new(wanted)
        part = AlertPart.objects.create(alert=alert, series=wanted.series, kind=wanted.kind, change=wanted.change,
            requirement_id=wanted.requirement, time=wanted.time, value=wanted.value, uncertainty=wanted.uncertainty,
            limit=wanted.limit, text=wanted.text[:TEXT], back_points=wanted.back, **behind(wanted.series, wanted.time),
        )  # fmt: skip
        self.parts[alert.pk].append(part)
        self.touched.add(alert.pk)
        if wanted.severity > alert.severity:
            alert.severity = wanted.severity
            if alert.state == Alert.State.SNOOZED:
                alert.wake()
                note(alert, "woke", "it became more severe")
        return alert

    def _of_its_time(self, wanted: Candidate) -> Alert | None:
        window = timedelta(days=settings.MPC_ALERT_WINDOW_DAYS)

        def distance(alert: Alert) -> timedelta:
            return min((abs(p.time - wanted.time) for p in self.parts[alert.pk]), default=abs(alert.time - wanted.time))

        # Judged noise or real alike: what happens to the unit at this time belongs together as long as it is open.
        near = [alert for alert in self.active if distance(alert) <= window]
        return min(near, key=lambda alert: (distance(alert), alert.pk), default=None)

    def _coming_back(self, wanted: Candidate) -> Alert | None:
        """The newest closed alert that spoke of the same kind of thing in the same series."""
        for alert in sorted(self.closed, key=lambda alert: (alert.closed_at, alert.pk), reverse=True):
            for part in self.parts[alert.pk]:
                same = part.series_id == wanted.series.pk and part.kind == wanted.kind
                if same and part.requirement_id == wanted.requirement:
                    self.reopen(alert, f"{words.NOUNS.get(wanted.kind, wanted.kind)} in {wanted.series} again")
                    return alert
        return None

    def _new(self, wanted: Candidate) -> Alert:
        alert = Alert.objects.create(
            title="…",
            unit=self.unit,
            severity=wanted.severity,
            time=wanted.time,
            opened_at=self.now,
            last_seen_at=self.now,
        )
        note(alert, "opened", wanted.text)
        self.active.append(alert)
        self.parts[alert.pk] = []
        return alert

    # --- What comes back, what is over --------------------------------------------------------------------------------
    def reopen(self, alert: Alert, why: str) -> None:
        """A closed alert holds again; its signal is sent once more (``announced_at``)."""
        if alert.state != Alert.State.CLOSED:
            return
        alert.reopen()
        alert.reopened += 1
        alert.announced_at = None
        alert.judgement, alert.judged_why = Alert.Judgement.NONE, ""
        alert.acknowledged_by, alert.acknowledged_at = None, None
        note(alert, "came back", why)
        if alert in self.closed:
            self.closed.remove(alert)
        self.active.append(alert)
        self.touched.add(alert.pk)

    def settle(self) -> None:
        """Bring titles and severities to what the parts say, and close the alerts of which nothing holds any more."""
        for alert in list(self.active):
            if alert.pk not in self.touched:
                continue
            parts = self.parts[alert.pk]
            holding = [part for part in parts if part.state == HOLDS]
            alert.title = words.title_of(alert.unit, holding or parts)
            alert.time = min(part.time for part in parts)
            if holding:
                alert.last_seen_at = self.now
            else:
                why = why_over(parts)
                alert.close(why, self.now)
                note(alert, "closed", f"by itself: {why}")
            alert.save()


def why_over(parts: Iterable[AlertPart]) -> str:
    """Why nothing of an alert holds any more, from what its parts say."""
    reasons = dict.fromkeys(part.text if part.state == GONE else "back within limits" for part in parts)
    return "; ".join(reason for reason in reasons if reason)[:TEXT] or "nothing of it is found any more"


def behind(series: Series, when: datetime) -> dict[str, Any]:
    """Product and run of the first value at or after a moment; nothing when none came (a silence)."""
    rows = Measurement.objects.shown().filter(series=series, time__gte=when).order_by("time", "id")
    found = rows.values_list("product_id", "run_id").first()
    return {} if found is None else {"product_id": found[0], "run_id": found[1]}


def note(alert: Alert | int, what: str, text: str = "", actor: Any = None) -> AlertNote:
    """One line of the alert's time line."""
    known = actor if actor is not None and actor.pk is not None else None
    key = alert if isinstance(alert, int) else alert.pk
    return AlertNote.objects.create(alert_id=key, at=timezone.now(), actor=known, what=what, text=text[:500])


def write(part: AlertPart, **values: object) -> None:
    """Change fields of a part, here and in its row."""
    for name, value in values.items():
        setattr(part, name, value)
    part.save(update_fields=list(values))
