"""What waits for the person who looks: alerts that are theirs or nobody's, runs of theirs that failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, IntegerField, Q, Value, When
from django.http import HttpRequest

from mpc.accounts import policy
from mpc.monitoring.alerts.reading import WAITING
from mpc.monitoring.digests.content import Link
from mpc.monitoring.models import Alert, Severity
from mpc.runs.parts import recent_runs

SHOWN = 6
TRIAGE = "monitoring.triage"


@dataclass(frozen=True)
class Task:
    """One thing to do: what it is, whose, since when."""

    sign: str
    word: str
    title: str
    unit: str
    why: str
    at: datetime
    url: str


def waiting_card(request: HttpRequest) -> dict[str, Any]:
    alerts = _alerts(request.user)
    runs = recent_runs(request).mine_failed
    tasks = [_of_alert(alert, request.user) for alert in alerts[:SHOWN]]
    tasks += [
        Task(
            "failed",
            "failed",
            run.title,
            "",
            run.error[:140],
            run.finished_at or run.requested_at,
            run.get_absolute_url(),
        )
        for run in runs
    ]
    return {
        "tasks": tasks,
        "more": len(alerts) > SHOWN,
        "mine_url": Link("monitoring:alerts", {}, {"whose": "me", "state": list(WAITING)}).url(),
        "may_triage": policy.allowed(request.user, TRIAGE),
    }


def _alerts(user: Any) -> list[Alert]:
    """Those of this person, and the unacknowledged ones of nobody where their role may take them. One query."""
    mine = Q(assigned_to=user.pk)
    wanted = mine
    if policy.allowed(user, TRIAGE):
        wanted |= Q(assigned_to__isnull=True, state=Alert.State.OPEN)
    first = Case(When(mine, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = Alert.objects.filter(wanted, state__in=WAITING)
    return list(found.order_by(first, "-severity", "opened_at", "pk")[: SHOWN + 1])


def _of_alert(alert: Alert, user: Any) -> Task:
    sign = "failed" if alert.severity >= Severity.MAJOR else "warning"
    whose = "yours" if alert.assigned_to_id == user.pk else "nobody's yet"
    return Task(
        sign=sign,
        word=str(Severity(alert.severity).label),
        title=alert.title.removeprefix(f"{alert.unit}: "),
        unit=alert.unit,
        why=whose,
        at=alert.opened_at,
        url=Link("monitoring:alert", {"pk": alert.pk}).url(),
    )
