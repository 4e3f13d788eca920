"""Which subscriptions want to hear of an alert. One message an alert, subscription and time that it comes back."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from mpc.accounts import policy
from mpc.monitoring.models import Alert, AlertPart, Notification, Subscription


def wants(subscription: Subscription, alert: Alert, parts: Iterable[AlertPart]) -> bool:
    """Whether unit, severity and one of the parts (band and group of metrics) fit the subscription."""
    if not subscription.active or alert.severity < subscription.severity:
        return False
    if subscription.unit and alert.unit and subscription.unit != alert.unit:
        return False
    return any(
        subscription.band in ("", part.series.band) and subscription.group in ("", part.series.metric.group)
        for part in parts
    )


def write_messages(alert: Alert) -> int:
    """Write the messages that this alert is to bring, inside the caller's transaction; hands back how many are new.

    Called again when an alert grows: who was told already is not told again.
    """
    parts = list(alert.parts.select_related("series__metric"))
    rows = Subscription.objects.filter(active=True, severity__lte=alert.severity, user__is_active=True)
    wanted = [s for s in rows.select_related("user").order_by("pk") if wants(s, alert, parts)]
    wanted = [s for s in wanted if policy.allowed(s.user, "monitoring.view")]
    known = set(Notification.objects.filter(alert=alert, turn=alert.reopened).values_list("subscription_id", flat=True))
    new = [s for s in wanted if s.pk not in known]
    now = timezone.now()
    Notification.objects.bulk_create(
        [Notification(alert=alert, subscription=s, turn=alert.reopened, next_at=now) for s in new],
        ignore_conflicts=True,
    )
    return len(new)
