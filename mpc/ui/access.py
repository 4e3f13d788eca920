"""The one way in which pages ask the policy and write to the audit.

``mpc.ui`` stands below ``mpc.accounts`` and does not import it; the policy module is found by its name
(``settings.MPC_POLICY``), which also lets tests put a small policy of their own in its place, and so is the audit.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings


def _policy() -> ModuleType:
    return import_module(getattr(settings, "MPC_POLICY", "mpc.accounts.policy"))


def allowed(user: Any, action: str, obj: Any = None) -> bool:
    """Whether ``user`` may do ``action`` (for example ``"runs.cancel"``), on ``obj`` if one is given."""
    return bool(_policy().allowed(user, action, obj))


def could(user: Any, action: str) -> bool:
    """Whether ``user`` may do ``action`` to some object at least: what the door of a page asks before it reads one."""
    return bool(_policy().could(user, action))


def roles(user: Any) -> list[str]:
    """The titles of the roles that ``user`` holds."""
    return sorted(str(role.label) for role in _policy().roles_of(user))


def reason(user: Any, action: str, obj: Any = None) -> str:
    """Why ``user`` may not do ``action``, in words for the person who wanted to; "" when they may."""
    return str(_policy().reason(user, action, obj))


def record(actor: Any, action: str, obj: Any, **facts: Any) -> None:
    """Write to the audit what ``actor`` did to ``obj``; ``facts`` are its ``before`` and ``after``."""
    import_module(getattr(settings, "MPC_AUDIT", "mpc.accounts.audit")).record(actor, action, obj, **facts)
