"""Time passes: snoozed alerts come back."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from mpc.monitoring.alerts.locking import one_at_a_time
from mpc.monitoring.alerts.opening import note
from mpc.monitoring.models import Alert


def wake_snoozed(now: datetime | None = None) -> int:
    """Snoozed alerts whose time has come are open again."""
    now = now or timezone.now()
    woken = 0
    for pk, unit in list(
        Alert.objects.filter(state=Alert.State.SNOOZED, snoozed_until__lte=now).values_list("pk", "unit")[:500]
    ):
        with one_at_a_time(unit):
            alert = Alert.objects.select_for_update().get(pk=pk)
            if alert.state != Alert.State.SNOOZED or alert.snoozed_until is None or alert.snoozed_until > now:
                continue
            alert.wake()
            alert.save()
            note(alert, "woke", "the time of the snooze is over")
            woken += 1
    return woken
