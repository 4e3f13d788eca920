"""How a lower room asks for work without knowing who organises it, and what is to be done again and again.

The ``runs`` app sets the requester when Django is ready; the sweeper calls the periodic steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Requester = Callable[..., Any]
_requester: list[Requester] = []
_steps: dict[str, PeriodicStep] = {}


@dataclass(frozen=True)
class PeriodicStep:
    """A short piece of housekeeping: ``function()`` is called every ``period_s`` seconds by the sweeper."""

    name: str
    period_s: float
    function: Callable[[], None]


def set_requester(function: Requester) -> None:
    """Say who takes requests for work: ``function(kind, *, actor, product, params, trigger) -> run``."""
    _requester[:] = [function]


def request_work(
    kind: str, *, actor: Any, product: Any = None, params: dict[str, Any] | None = None, trigger: str
) -> Any:
    """Ask for a run of ``kind``; hands back the run (or the equal one that is under way)."""
    if not _requester:
        raise RuntimeError("nobody takes requests for work: the runs app is not installed")
    return _requester[0](kind, actor=actor, product=product, params=params or {}, trigger=trigger)


def every(period_s: float, name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Declare a periodic step of the sweeper."""

    def declare(function: Callable[[], None]) -> Callable[[], None]:
        _steps[name] = PeriodicStep(name, period_s, function)
        return function

    return declare


def periodic_steps() -> list[PeriodicStep]:
    return list(_steps.values())
