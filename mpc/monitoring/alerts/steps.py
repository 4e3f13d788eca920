"""What the sweeper does for alerts. One step that fails does not stop the next."""

from __future__ import annotations

from mpc.jobs import every
from mpc.monitoring.alerts import announcing, cells, judging, snoozing


@every(10.0, "monitoring.alerts")
def judge() -> None:
    """Make alerts of what the detectors saw."""
    judging.judge_due()


@every(60.0, "monitoring.alerts_of_requirements")
def judge_requirements() -> None:
    """Make alerts of cells of the compliance matrix."""
    cells.judge_cells()


@every(30.0, "monitoring.snoozed")
def wake() -> None:
    """Bring snoozed alerts back whose time has come."""
    snoozing.wake_snoozed()


@every(10.0, "monitoring.announce")
def announce() -> None:
    """Send the signals of opened alerts, and write the messages."""
    announcing.announce_due()
