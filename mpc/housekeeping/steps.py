"""What the sweeper does for the housekeeping."""

from __future__ import annotations

import socket

from django.utils import timezone

from mpc.housekeeping import cleaning
from mpc.housekeeping.models import Heartbeat
from mpc.jobs import every

HEARTBEAT_S = 10.0
SWEEPER = "sweeper"

every(30.0, "housekeeping.cleaning")(cleaning.DailyCleaning())


@every(HEARTBEAT_S, "housekeeping.heartbeat")
def beat() -> None:
    """Say that the sweeper of this machine lives."""
    Heartbeat.objects.update_or_create(name=SWEEPER, host=socket.gethostname(), defaults={"at": timezone.now()})
