"""What the sweeper does for the roll-ups."""

from __future__ import annotations

from mpc.jobs import every
from mpc.monitoring.rollups.roller import Roller

ROLL_EVERY_S = 5.0
ROLL_FOR_S = 20.0

_roller = Roller()


@every(ROLL_EVERY_S, "monitoring.roll_up")
def roll_up() -> None:
    """Reckon what was marked; what is left after a while waits for the next turn, so that others have theirs."""
    _roller.roll_all(for_s=ROLL_FOR_S)
