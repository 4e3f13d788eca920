"""How severe a part of an alert is: a rule of its kind, its margin and its direction. No clocks, no database.

1. Its kind: a requirement that is not met is major; a step, a drift, a change of the noise and a silence are minor; an
   outlier is for information.
2. Its margin. A breach that lies outside by half of what is allowed or more is critical; one that lies outside by no
   more than its own standard uncertainty, or is of a requirement that nobody has verified, is minor. A change after
   which the level lies outside a requirement is major.
3. Its direction. A change for the better is one grade lower (never below information).

An alert is as severe as its gravest part that holds.
"""

from __future__ import annotations

from mpc.monitoring.models import Direction, Severity

BY_KIND = {
    "breach": Severity.MAJOR,
    "step": Severity.MINOR,
    "drift": Severity.MINOR,
    "noise": Severity.MINOR,
    "silence": Severity.MINOR,
    "outlier": Severity.INFO,
}
_GRADES = list(Severity)
HALF = 0.5


def of_breach(
    value: float, limit: float, *, low: float | None, high: float | None, uncertainty: float | None, verified: bool
) -> Severity:
    """Of a requirement that is not met: ``value`` lies beyond ``limit``, one of ``low`` and ``high``."""
    outside = abs(value - limit)
    allowed = high - low if low is not None and high is not None else abs(limit)
    if not verified or (uncertainty is not None and outside <= uncertainty):
        return Severity.MINOR
    return Severity.CRITICAL if allowed > 0 and outside >= HALF * allowed else Severity.MAJOR


def of_change(
    kind: str,
    *,
    before: float | None,
    after: float | None,
    direction: str = Direction.NONE,
    target: float | None = None,
    outside: bool = False,
) -> Severity:
    """Of a change; ``outside``: the level after it lies outside a requirement."""
    severity = Severity(BY_KIND.get(kind, Severity.MINOR))
    if kind in ("step", "drift") and outside:
        severity = Severity.MAJOR
    better = is_better(kind, before, after, direction, target)
    return _lower(severity) if better else severity


def is_better(
    kind: str, before: float | None, after: float | None, direction: str, target: float | None
) -> bool | None:
    """Whether a change is for the better; None where nobody can say."""
    if before is None or after is None or before == after or kind in ("outlier", "silence"):
        return None
    if kind == "noise":  # before and after are the scatter
        return after < before
    if direction == Direction.LOW:
        return after < before
    if direction == Direction.HIGH:
        return after > before
    if direction == Direction.TARGET and target is not None:
        return abs(after - target) < abs(before - target)
    return None


def _lower(severity: Severity) -> Severity:
    return _GRADES[max(_GRADES.index(severity) - 1, 0)]
