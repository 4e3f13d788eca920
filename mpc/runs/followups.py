"""Tells the inventory's commands how to wait for what an arrival set in motion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpc.products.followups import set_follow_up
from mpc.products.models import Product
from mpc.runs.models import Run
from mpc.runs.waiting import wait_for


def runs_of_arrival(product: Product, log: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Wait for all runs of a product that are queued or under way, or (when none is) tell of its newest ones."""
    found = wait_for(Run.objects.filter(product=product).order_by("pk"), log)
    return [{"id": r.pk, "kind": r.kind, "state": r.state, "verdict": r.verdict, "error": r.error} for r in found]


set_follow_up(runs_of_arrival)
