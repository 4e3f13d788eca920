"""What an alert is called, and what to do next about it."""

from __future__ import annotations

from collections.abc import Sequence

from mpc.monitoring.models import Alert, AlertPart
from mpc.monitoring.reading import band_order
from mpc.ui import numbers

NOUNS = {
    "breach": "requirement not met",
    "step": "step",
    "drift": "drift",
    "noise": "change of noise",
    "silence": "silence",
    "outlier": "outlier",
}
_ORDER = tuple(NOUNS)
NAMED = 3


def title_of(unit: str, parts: Sequence[AlertPart]) -> str:
    """What happened, to what, since when: "S2B: step in Mean reflectance of B02 and B03 on 2026-11-20"."""
    kinds = sorted({p.kind for p in parts}, key=lambda kind: _ORDER.index(kind) if kind in _ORDER else 99)
    what = _and([NOUNS.get(kind, kind) for kind in kinds])
    metrics = list(dict.fromkeys(p.series.metric.name for p in parts))
    bands = sorted({p.series.band for p in parts if p.series.band}, key=band_order)
    where = _and(metrics)
    if bands:
        where += f" of {_and(bands)}"
    since = min(p.time for p in parts)
    text = f"{what} in {where}, {since:%Y-%m-%d}"
    return f"{unit}: {text}"[:200] if unit else text[:1].upper() + text[1:200]


def _and(names: Sequence[str]) -> str:
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def value_of(part: AlertPart) -> str:
    """What a part's value says, in its unit: a silence is told in days, a drift a year, noise as a share."""
    if part.value is None:
        return numbers.NOTHING
    unit = part.series.metric.unit
    if part.kind == "silence":
        return f"{numbers.number(part.value, 1)} days late"
    if part.kind == "noise":
        return f"{numbers.signed(100 * part.value, 0)} %"
    if part.kind == "drift":
        return f"{numbers.measured(part.value, part.uncertainty)} {unit} a year".replace("  ", " ")
    return f"{numbers.measured(part.value, part.uncertainty)} {unit}".strip()


def what_next(alert: Alert, parts: Sequence[AlertPart]) -> str:
    """One sentence for who opens the page."""
    holding = [p for p in parts if p.state == AlertPart.State.HOLDS]
    if alert.state == Alert.State.CLOSED:
        return "Closed. Reopen it if that was wrong; it reopens by itself when the same comes back."
    if not holding:
        return "Nothing of it holds any more: it closes itself at the next look."
    if alert.state == Alert.State.SNOOZED:
        return "Snoozed: it comes back to the queue by itself, at the latest when it becomes more severe."
    if alert.state == Alert.State.OPEN:
        return (
            "Acknowledge it if you look after it, or assign it. Compare the trend of the other units and bands first."
        )
    if not alert.judgement:
        return "Judge it: noise, expected (then an event that explains it should be in the list of events), or real."
    return "It is judged real. It closes itself when its series are back; close it if it is settled otherwise."
