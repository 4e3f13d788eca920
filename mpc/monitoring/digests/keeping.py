"""What the sweeper does for the digests."""

from __future__ import annotations

from mpc.jobs import every
from mpc.monitoring.digests import mailing, making


@every(60.0, "monitoring.digests")
def keep_digests() -> None:
    """Make what is missing, one day after the other, and send what was not sent."""
    for day in making.missing_days():
        making.make(day)
    mailing.send_due()
