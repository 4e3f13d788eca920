"""Which findings reach a person, seen together with their neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from mpc.monitoring.models import ChangePoint


def held(changes: Sequence[ChangePoint]) -> dict[int, str]:
    """Why changes (live, standing) are kept back, by key; those that are not named reach people."""
    return {}
