"""A small policy in place of the real one: people may do what their ``may`` names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def allowed(user: Any, action: str, obj: Any = None) -> bool:
    return action in getattr(user, "may", ())


could = allowed


def reason(user: Any, action: str, obj: Any = None) -> str:
    return "" if allowed(user, action, obj) else f"To {action} takes another role."


def roles_of(user: Any) -> list[SimpleNamespace]:
    return [SimpleNamespace(label="Operator")]
