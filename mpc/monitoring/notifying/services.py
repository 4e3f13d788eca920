"""A person's subscriptions: made, changed, taken away, tried. They are one's own; nobody changes those of others."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import transaction

from mpc.accounts import audit, policy
from mpc.monitoring.models import Subscription
from mpc.monitoring.notifying import webhooks

ACTION = "monitoring.subscribe"
MOST = 50
FIELDS = ("channel", "url", "unit", "band", "group", "severity", "digest", "active")


class CannotSubscribe(ValueError):
    """The wish cannot be kept; ``field`` is the one that it is about, "" for the whole."""

    def __init__(self, text: str, field: str = "") -> None:
        self.field = field
        super().__init__(text)


def save(actor: Any, values: dict[str, Any], subscription: Subscription | None = None) -> Subscription:
    """Make or change one's subscription; a webhook gets its secret when it is made.

    Raises PermissionDenied, CannotSubscribe.
    """
    policy.require(actor, ACTION)
    webhook = values.get("channel") == Subscription.Channel.WEBHOOK
    if webhook:
        try:
            webhooks.judge(values.get("url", ""), resolve=False)
        except webhooks.Refused as error:
            raise CannotSubscribe(str(error), "url") from error
    elif not actor.email:
        raise CannotSubscribe("The account has no e-mail address; an administrator can set it.", "channel")
    if subscription is None and Subscription.objects.filter(user=actor).count() >= MOST:
        raise CannotSubscribe(f"An account has at most {MOST} subscriptions.")
    with transaction.atomic():
        row = subscription or Subscription(user=actor)
        before = _facts(row) if subscription is not None else None
        for name in FIELDS:
            if name in values:
                setattr(row, name, values[name])
        if not webhook:
            row.url = ""
        elif not row.secret:
            row.secret = secrets.token_urlsafe(32)
        row.save()
        name = "monitoring.subscription_change" if before else "monitoring.subscription_add"
        audit.record(actor, name, row, before=before, after=_facts(row))
    return row


def remove(actor: Any, subscription: Subscription) -> None:
    """Take it away, with what waited to be sent. Raises PermissionDenied."""
    policy.require(actor, ACTION)
    with transaction.atomic():
        audit.record(actor, "monitoring.subscription_remove", subscription, before=_facts(subscription))
        subscription.delete()


def send_test(actor: Any, subscription: Subscription) -> None:
    """Send a test message now. Raises PermissionDenied, and what the sending raises."""
    from mpc.monitoring.notifying import sending

    policy.require(actor, ACTION)
    with transaction.atomic():
        audit.record(actor, "monitoring.subscription_test", subscription, after={"channel": subscription.channel})
    sending.send_test(subscription)


def _facts(row: Subscription) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS}
