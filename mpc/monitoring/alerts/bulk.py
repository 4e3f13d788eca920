"""What can be done to many alerts at once; pages and the API do the same to one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from mpc.accounts.models import User
from mpc.monitoring.alerts import forms, states
from mpc.monitoring.alerts.filters import AlertFilter
from mpc.monitoring.models import Alert
from mpc.runs.bulk import declare
from mpc.ui.bulk import BulkAction, BulkList, register_bulk

KIND = "monitoring.alerts_bulk"


def assign(alert: Alert, actor: Any, to: str = "", seen: int | None = None) -> Alert:
    """To an account by its name; empty is nobody. Raises what ``states.assign`` raises, and NotNow."""
    person = User.objects.filter(username__iexact=to, is_active=True).first() if to else None
    if to and person is None:
        raise states.NotNow(f"No active account has the name “{to}”.")
    return states.assign(alert, actor, to=person, seen=seen)


def snooze(alert: Alert, actor: Any, days: int, reason: str = "", seen: int | None = None) -> Alert:
    until = timezone.now() + timedelta(days=days)
    return states.snooze(alert, actor, until=until, reason=reason, seen=seen)


def _all(user: Any) -> QuerySet[Alert]:
    return Alert.objects.all()


ACTIONS = (
    BulkAction("acknowledge", "Acknowledge", states.ACTION, states.acknowledge, key="a"),
    BulkAction("assign", "Assign…", states.ACTION, assign, forms.AssignForm, key="s"),
    BulkAction("snooze", "Snooze…", states.ACTION, snooze, forms.SnoozeForm, key="z"),
    BulkAction(
        "judge", "Judge…", states.ACTION, states.judge, forms.JudgeForm, key="u",
        question="Others read the reason, and whoever tunes the detectors counts the judgements.",
    ),
    BulkAction("close", "Close…", states.ACTION, states.close, forms.CloseForm, key="c", danger=True),
)  # fmt: skip

BULK = register_bulk(
    BulkList(
        kind=KIND,
        list_name="monitoring.TriageList",
        title="alerts",
        url_name="monitoring:alerts",
        queryset=_all,
        filterset_class=AlertFilter,
        actions=ACTIONS,
    )
)
JOB = declare(BULK)
