"""Messages are sent here, outside of any request and any transaction.

A sender takes a message by one conditional UPDATE that also says until when nobody else takes it. A sender that dies on
the way leaves the message to the next one after that time: then it may come twice, under the same id, but never not at
all. After ``MPC_NOTIFY_ATTEMPTS`` failures it is given up, with the error kept on its row.
"""

from __future__ import annotations

import logging
import smtplib
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.utils import timezone

from mpc.jobs import every
from mpc.monitoring.models import Notification, Subscription
from mpc.monitoring.notifying import letters, webhooks
from mpc.monitoring.notifying.letters import Letter

log = logging.getLogger(__name__)

LEASE_S = 120.0
BACKOFF_S, BACKOFF_MAX_S = 30.0, 3600.0
BATCH = 50
State = Notification.State


class Undeliverable(Exception):
    """It cannot be sent, and trying again would not help."""


@every(15.0, "monitoring.notify")
def send_due() -> int:
    """Send what is due; hands back how many were sent."""
    now = timezone.now()
    due = Notification.objects.filter(state=State.WAITING, next_at__lte=now).order_by("next_at", "pk")
    return sum(send_one(pk) for pk in list(due.values_list("pk", flat=True)[:BATCH]))


def send_one(pk: int) -> bool:
    """Send one message unless another sender has it; False when it was not sent."""
    now = timezone.now()
    mine = Notification.objects.filter(pk=pk, state=State.WAITING, next_at__lte=now)
    if not mine.update(attempts=F("attempts") + 1, next_at=now + timedelta(seconds=LEASE_S)):
        return False
    message = Notification.objects.select_related("alert", "subscription__user").get(pk=pk)
    key = f"alert-{message.alert_id}-{message.turn}-{message.subscription_id}"
    try:
        if not message.subscription.active or not message.subscription.user.is_active:
            raise Undeliverable("The subscription or its account is not active any more.")
        deliver(message.subscription, letters.of_alert(message.alert, message.turn, key))
    except (Undeliverable, webhooks.Refused) as error:
        _close(message, State.FAILED, str(error))
    except (webhooks.Unreached, OSError, smtplib.SMTPException) as error:
        _later(message, str(error) or type(error).__name__)
    except Exception as error:
        log.exception("message %s failed", pk)
        _later(message, f"{type(error).__name__}: {error}")
    else:
        Notification.objects.filter(pk=pk).update(state=State.SENT, sent_at=timezone.now(), error="")
        return True
    return False


def deliver(subscription: Subscription, letter: Letter) -> None:
    """Bring a letter to whom the subscription says. Raises Undeliverable, webhooks.Refused, webhooks.Unreached, and
    what the mail server makes of it."""
    if subscription.channel == Subscription.Channel.WEBHOOK:
        webhooks.send(subscription.url, subscription.secret, letter.key, letter.payload)
        return
    if not subscription.user.email:
        raise Undeliverable("The account has no e-mail address.")
    EmailMessage(
        letter.subject, letter.text, settings.DEFAULT_FROM_EMAIL, [subscription.user.email],
        headers={"Message-ID": f"<{letter.key}@{_domain()}>", "Auto-Submitted": "auto-generated"},
    ).send()  # fmt: skip


def send_test(subscription: Subscription) -> None:
    """A test letter, now. Raises what ``deliver`` raises."""
    deliver(subscription, letters.of_test(str(subscription.user), f"test-{uuid.uuid4().hex}"))


def _later(message: Notification, error: str) -> None:
    if message.attempts >= settings.MPC_NOTIFY_ATTEMPTS:
        _close(message, State.FAILED, f"given up after {message.attempts} attempts: {error}")
        return
    pause = min(BACKOFF_S * 2 ** (message.attempts - 1), BACKOFF_MAX_S)
    Notification.objects.filter(pk=message.pk).update(
        next_at=timezone.now() + timedelta(seconds=pause), error=error[:300]
    )


def _close(message: Notification, state: str, error: str) -> None:
    log.warning("message %s: %s", message.pk, error)
    Notification.objects.filter(pk=message.pk).update(state=state, error=error[:300])


def _domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
