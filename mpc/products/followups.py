"""What an arrival set in motion, for commands that wait for it. The organiser of runs says how to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpc.products.models import Product

FollowUp = Callable[[Product, Callable[[str], Any]], list[dict[str, Any]]]
_follow_up: list[FollowUp] = []


def set_follow_up(function: FollowUp) -> None:
    """Say how to wait for the runs of a product: ``function(product, log) -> [{"id", "kind", "state", "verdict"}]``."""
    _follow_up[:] = [function]


def follow_up(product: Product, *, log: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Wait until everything that the product's arrival queued has ended; does it in place when no worker runs."""
    return _follow_up[0](product, log) if _follow_up else []
