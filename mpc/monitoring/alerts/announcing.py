"""One signal for each opened alert, and one message to each subscription that wants to hear of it."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from mpc.monitoring.alerts.signals import alert_opened
from mpc.monitoring.models import Alert
from mpc.monitoring.notifying.matching import write_messages

log = logging.getLogger(__name__)


def announce_due(limit: int = 200) -> int:
    """Announce what was opened; hands back how many. An alert whose receivers fail is logged and tried again."""
    done = 0
    for pk in list(Alert.objects.filter(announced_at=None).order_by("pk").values_list("pk", flat=True)[:limit]):
        try:
            done += announce(pk)
        except Exception:
            log.exception("alert %s: could not be announced; tried again at the next turn", pk)
    return done


@transaction.atomic
def announce(pk: int) -> bool:
    """Send the alert's signal unless somebody has."""
    alert = Alert.objects.select_for_update().filter(pk=pk, announced_at=None).first()
    if alert is None:
        return False
    Alert.objects.filter(pk=pk).update(announced_at=timezone.now())
    alert.refresh_from_db()
    write_messages(alert)
    alert_opened.send(sender=Alert, alert=alert, turn=alert.reopened)
    return True
