"""How each unit stands: the alerts that wait for people, and its cells of the compliance matrix."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from django.db.models import Count
from django.http import HttpRequest

from mpc.monitoring.alerts.reading import WAITING
from mpc.monitoring.digests.content import Link
from mpc.monitoring.models import Alert, Compliance
from mpc.monitoring.models.alerts import Severity
from mpc.ui.headlines import HomeButton
from mpc.ui.units import CALM, GRAVE, UNKNOWN, WATCH, WRONG, UnitLine, UnitPart, UnitSign, UnitText

_BY_GRAVITY = tuple(sorted(Severity, reverse=True))

State = Compliance.State
# The states that are told on a card, in this order; the others are told together as not judged.
_TOLD = (
    (State.BREACHED, "not met"),
    (State.AT_RISK, "at risk"),
    (State.UNDECIDED, "undecided"),
    (State.WAIVED, "waived"),
    (State.MET, "met"),
)
_UNJUDGED = (State.TOO_FEW, State.NOT_MEASURED)


def waiting_alerts(request: HttpRequest) -> Counter[tuple[str, int, str]]:
    """How many alerts wait, by unit, severity and state; counted once a request."""
    if not hasattr(request, "_waiting_alerts"):
        rows = Alert.objects.filter(state__in=WAITING).order_by().values_list("unit", "severity", "state")
        counted = Counter({(u, severity, state): n for u, severity, state, n in rows.annotate(n=Count("pk"))})
        request._waiting_alerts = counted  # type: ignore[attr-defined]
    return request._waiting_alerts  # type: ignore[attr-defined]


def state_of_units(request: HttpRequest) -> dict[str, UnitPart]:
    alerts: dict[str, Counter[int]] = defaultdict(Counter)
    for (unit, severity, _), n in waiting_alerts(request).items():
        alerts[unit][severity] += n
    cells: dict[str, Counter[str]] = defaultdict(Counter)
    for unit, state, n in Compliance.objects.order_by().values_list("unit", "state").annotate(n=Count("pk")):
        cells[unit][state] = n
    return {unit: _part(unit, alerts[unit], cells[unit]) for unit in {*alerts, *cells}}


def _part(unit: str, alerts: Counter[int], cells: Counter[str]) -> UnitPart:
    lines = [UnitLine("Alerts", _alert_texts(unit, alerts))]
    if cells:
        lines.append(UnitLine("Requirements", _cell_texts(unit, cells)))
    return UnitPart(sign=_sign(unit, alerts, cells), lines=tuple(lines))


def _alert_texts(unit: str, alerts: Counter[int]) -> tuple[UnitText, ...]:
    found = tuple(
        UnitText(f"{alerts[severity]} {severity.label}", _alerts(unit, severity=[int(severity)]))
        for severity in _BY_GRAVITY
        if alerts[severity]
    )
    return found or (UnitText("none"),)


def _cell_texts(unit: str, cells: Counter[str]) -> tuple[UnitText, ...]:
    told = [UnitText(f"{cells[state]} {word}", _matrix(unit, state)) for state, word in _TOLD if cells[state]]
    unjudged = sum(cells[state] for state in _UNJUDGED)
    if unjudged:
        told.append(UnitText(f"{unjudged} not judged", _matrix(unit, *_UNJUDGED)))
    return tuple(told)


def _sign(unit: str, alerts: Counter[int], cells: Counter[str]) -> UnitSign | None:
    for severity in (Severity.CRITICAL, Severity.MAJOR):
        if alerts[severity]:
            label = f"{alerts[severity]} {severity.label} alert{'' if alerts[severity] == 1 else 's'}"
            return UnitSign(GRAVE, "failed", label, _alerts(unit, severity=[int(severity)]))
    if n := cells[State.BREACHED]:
        return UnitSign(
            WRONG, "failed", f"{n} requirement{'' if n == 1 else 's'} not met", _matrix(unit, State.BREACHED)
        )
    if n := alerts.total():
        return UnitSign(WATCH, "warning", f"{n} alert{'' if n == 1 else 's'}", _alerts(unit))
    if n := cells[State.AT_RISK]:
        return UnitSign(WATCH, "warning", f"{n} at risk", _matrix(unit, State.AT_RISK))
    if cells[State.MET]:
        return UnitSign(CALM, "passed", "within requirements", _matrix(unit, State.MET))
    return UnitSign(UNKNOWN, "not_checked", "no requirement judged", _matrix(unit)) if cells else None


def _alerts(unit: str, **query: Any) -> str:
    own = {"unit": unit} if unit else {}
    return Link("monitoring:alerts", {}, {**own, "state": list(WAITING), **query}).url()


def _matrix(unit: str, *states: str) -> str:
    return Link("monitoring:compliance-cells", {}, {"unit": unit, "state": [str(state) for state in states]}).url()


# --- Buttons ---------------------------------------------------------------------------------------------------------
def triage_button(request: HttpRequest) -> HomeButton | None:
    """To the alerts that nobody has acknowledged; none where there is none."""
    n = sum(count for (_, _, state), count in waiting_alerts(request).items() if state == Alert.State.OPEN)
    url = Link("monitoring:alerts").url()
    if not n or not url:
        return None
    return HomeButton(f"Triage {n} alert{'' if n == 1 else 's'}", url, main=True, key="t")


def digest_button(request: HttpRequest) -> HomeButton:
    return HomeButton("Daily digest", Link("monitoring:digest-latest").url())
