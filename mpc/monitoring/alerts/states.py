"""What people do with alerts. Each step asks the policy, is a transition of the state machine, leaves a line in the
alert's time line and an entry in the audit.

    open --acknowledge--> acknowledged --snooze--> snoozed --(time is over)--> open
      any --close--> closed --reopen--> open

Two people at once: who says which line of the time line they have seen (``seen``) is refused when another person did
something since, and told what; without ``seen`` the state machine alone decides.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_fsm import ConcurrentTransition, can_proceed

from mpc.accounts import audit, policy
from mpc.monitoring.alerts.opening import note
from mpc.monitoring.models import Alert
from mpc.ui.bulk import NotDone
from mpc.ui.numbers import utc

ACTION = "monitoring.triage"
REASON_LENGTH = 500
SNOOZE_DAYS_MAX = 180
WORDS = {
    "acknowledged": "acknowledged it",
    "assigned": "assigned it",
    "snoozed": "snoozed it",
    "judged": "judged it",
    "closed": "closed it",
    "reopened": "reopened it",
    "noted": "wrote a note",
}


class NotNow(NotDone):
    """The alert is in no state for that, or something is missing; the text says what."""


class Changed(NotNow):
    """Somebody else did something meanwhile; the text says who did what. Nothing was done."""


class _Step:
    """One change under the alert's lock."""

    def __init__(self, alert: Alert, actor: Any) -> None:
        self.alert = alert
        self.actor = actor
        self.before = _facts(alert)
        self.note: tuple[str, str] | None = None
        self.name = ""

    def done(self, name: str, what: str, text: str = "") -> None:
        self.name, self.note = name, (what, text)


@contextmanager
def _step(alert: Alert, actor: Any, seen: int | None) -> Any:
    policy.require(actor, ACTION, alert)
    try:
        with transaction.atomic():
            found = Alert.objects.select_for_update().get(pk=alert.pk)
            _refuse_changed(found, actor, seen)
            step = _Step(found, actor)
            yield step
            found.save()
            note(found, *step.note, actor=actor)  # type: ignore[misc]
            audit.record(actor, f"monitoring.alert_{step.name}", found, before=step.before, after=_facts(found))
    except ConcurrentTransition:
        raise Changed("Another person changed this alert at this moment. Nothing was done; look at it again.") from None
    alert.refresh_from_db()


def _refuse_changed(alert: Alert, actor: Any, seen: int | None) -> None:
    if seen is None:
        return
    others = alert.notes.filter(pk__gt=seen).exclude(actor=None).exclude(actor=actor).select_related("actor")
    told = [f"{n.actor} {WORDS.get(n.what, n.what)} at {utc(n.at, 'min')}" for n in others.order_by("pk")[:5]]
    over = alert.notes.filter(pk__gt=seen, actor=None, what__in=("closed", "came back")).order_by("-pk").first()
    if over is not None:
        told.append(
            f"it {'was closed' if over.what == 'closed' else 'came back'} at {utc(over.at, 'min')} ({over.text})"
        )
    if told:
        raise Changed(f"Meanwhile {'; '.join(told)}. Nothing of yours was done; look at it again.")


def _proceed(alert: Alert, transition: Callable[..., Any], *args: Any) -> None:
    if not can_proceed(transition):
        raise NotNow(f"The alert is {alert.get_state_display()}; that cannot be done now.")
    transition(*args)


def _facts(alert: Alert) -> dict[str, Any]:
    return {
        "state": alert.state,
        "assigned_to": str(alert.assigned_to) if alert.assigned_to_id else None,
        "snoozed_until": alert.snoozed_until.isoformat() if alert.snoozed_until else None,
        "judgement": alert.judgement,
        "why": alert.closed_why or alert.judged_why,
    }


def _reason(text: str, what: str) -> str:
    cleaned = " ".join(str(text).replace("\x00", "").split())[:REASON_LENGTH]
    if not cleaned:
        raise NotNow(f"Say why {what}: others will read it.")
    return cleaned


# --- The steps --------------------------------------------------------------------------------------------------------
def acknowledge(alert: Alert, actor: Any, *, seen: int | None = None) -> Alert:
    """Somebody looks after it. Raises PermissionDenied, NotNow, Changed."""
    with _step(alert, actor, seen) as step:
        _proceed(step.alert, step.alert.acknowledge, _known(actor), timezone.now())
        step.done("acknowledge", "acknowledged")
    return alert


def assign(alert: Alert, actor: Any, *, to: Any, seen: int | None = None) -> Alert:
    """Say who looks after it (``to`` None: nobody). Raises PermissionDenied, NotNow (also where they may not)."""
    if to is not None and not policy.allowed(to, ACTION, alert):
        raise NotNow(f"{to} may not deal with alerts: {policy.reason(to, ACTION)}")
    with _step(alert, actor, seen) as step:
        if not step.alert.active:
            raise NotNow("The alert is closed; reopen it first.")
        step.alert.assigned_to = to
        step.done("assign", "assigned", f"to {to}" if to is not None else "to nobody")
    return alert


def snooze(alert: Alert, actor: Any, *, until: datetime, reason: str = "", seen: int | None = None) -> Alert:
    """Out of the queue until a moment. Raises PermissionDenied, NotNow, Changed."""
    now = timezone.now()
    if not now < until <= now + timedelta(days=SNOOZE_DAYS_MAX):
        raise NotNow(f"A snooze ends in the future, within {SNOOZE_DAYS_MAX} days.")
    with _step(alert, actor, seen) as step:
        _proceed(step.alert, step.alert.snooze, until)
        step.done("snooze", "snoozed", f"until {utc(until, 'min')}{f': {reason}' if reason else ''}")
    return alert


def judge(alert: Alert, actor: Any, *, judgement: str, reason: str, seen: int | None = None) -> Alert:
    """Noise, expected or real, with the reason. Noise and expected close it, real acknowledges it.

    Raises PermissionDenied, NotNow, Changed.
    """
    if judgement not in (Alert.Judgement.NOISE, Alert.Judgement.EXPECTED, Alert.Judgement.REAL):
        raise NotNow(f"“{judgement}” is no judgement: noise, expected or real.")
    why = _reason(reason, f"it is {judgement}")
    with _step(alert, actor, seen) as step:
        found = step.alert
        if not found.active:
            raise NotNow("The alert is closed; reopen it first.")
        found.judgement, found.judged_why = judgement, why
        now = timezone.now()
        if judgement == Alert.Judgement.REAL:
            if can_proceed(found.acknowledge):
                found.acknowledge(_known(actor), now)
        else:
            found.close(f"judged {judgement}: {why}", now)
        step.done("judge", "judged", f"{judgement}: {why}")
    return alert


def close(alert: Alert, actor: Any, *, reason: str, seen: int | None = None) -> Alert:
    """There is nothing more to do. Raises PermissionDenied, NotNow, Changed."""
    why = _reason(reason, "it is closed")
    with _step(alert, actor, seen) as step:
        _proceed(step.alert, step.alert.close, why, timezone.now())
        step.done("close", "closed", why)
    return alert


def reopen(alert: Alert, actor: Any, *, reason: str = "", seen: int | None = None) -> Alert:
    """It was closed wrongly: a person takes it up again; nobody is told anew. Raises PermissionDenied, NotNow."""
    with _step(alert, actor, seen) as step:
        _proceed(step.alert, step.alert.reopen)
        step.alert.judgement, step.alert.judged_why = Alert.Judgement.NONE, ""
        step.done("reopen", "reopened", " ".join(reason.split())[:REASON_LENGTH])
    return alert


def write_note(alert: Alert, actor: Any, *, text: str) -> Alert:
    """A line for the time line. Raises PermissionDenied, NotNow."""
    words = _reason(text, "what you want to note")
    with _step(alert, actor, None) as step:
        step.done("note", "noted", words)
    return alert


def _known(actor: Any) -> Any:
    return actor if actor is not None and actor.pk is not None else None
