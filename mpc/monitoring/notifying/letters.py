"""What a message says: subject and text of a mail, and the JSON of a webhook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from mpc.monitoring.models import Alert, AlertPart, Severity
from mpc.ui.numbers import utc

PARTS_MAX = 20


@dataclass(frozen=True)
class Letter:
    """One message. ``key`` names it: who gets it twice can tell."""

    key: str
    subject: str
    text: str
    payload: dict[str, Any]


def of_alert(alert: Alert, turn: int, key: str) -> Letter:
    parts = list(alert.parts.select_related("series__metric", "requirement").order_by("pk"))
    severity = Severity(alert.severity).label
    again = f" (it came back, {turn} time{'s' if turn > 1 else ''} now)" if turn else ""
    address = f"{settings.MPC_SITE_URL}{alert.get_absolute_url()}"
    lines = [f"{alert.title}{again}", "", f"Severity: {severity}", f"Since: {utc(alert.time, 'min')}", ""]
    lines += [f"- {_line(part)}" for part in parts[:PARTS_MAX]]
    if len(parts) > PARTS_MAX:
        lines.append(f"- and {len(parts) - PARTS_MAX} more")
    lines += ["", address, "", f"You get this because you asked for it: {settings.MPC_SITE_URL}/trends/subscriptions/"]
    payload = {
        "event": "alert.opened",
        "id": key,
        "alert": alert.pk,
        "turn": turn,
        "title": alert.title,
        "unit": alert.unit,
        "severity": severity,
        "time": alert.time.isoformat(),
        "opened_at": alert.opened_at.isoformat(),
        "url": address,
        "parts": [
            {
                "kind": part.kind,
                "metric": part.series.metric_id,
                "unit": part.series.unit,
                "band": part.series.band,
                "detector": part.series.detector,
                "time": part.time.isoformat(),
                "value": part.value,
                "uncertainty": part.uncertainty,
                "limit": part.limit,
                "requirement": part.requirement.code if part.requirement else None,
                "text": part.text,
            }
            for part in parts[:PARTS_MAX]
        ],
    }
    return Letter(key, _one_line(f"[MPC] {severity}: {alert.title}{again}"), "\n".join(lines), payload)


def of_test(name: str, key: str) -> Letter:
    text = f"This is a test for {name}. Nothing happened to the mission.\n\n{settings.MPC_SITE_URL}/trends/alerts/"
    payload = {"event": "test", "id": key, "sent_at": timezone.now().isoformat()}
    return Letter(key, "[MPC] A test message", text, payload)


def _line(part: AlertPart) -> str:
    where = " ".join(p for p in (part.series.metric.name, part.series.part) if p)
    return f"{part.kind} in {where}: {part.text}" if part.text else f"{part.kind} in {where}"


def _one_line(text: str) -> str:
    """A subject: a line end in a title must not begin another header."""
    return " ".join(text.split())[:200]
