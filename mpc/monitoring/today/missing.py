"""What should have spoken within the last day and did not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from mpc.monitoring.digests.sections.absent import SILENT, expected_units, silent_series
from mpc.monitoring.today.news import trend_of
from mpc.runs import punctuality

SINCE = timedelta(hours=24)
SHOWN = 6


def missing_card(request: HttpRequest) -> dict[str, Any]:
    """Four queries: turns of the schedule (two), units, series."""
    now = timezone.now()
    since = now - SINCE
    turns = punctuality.turns(since, now)
    units, quiet = expected_units(since, now)
    silent = silent_series(now, limit=SHOWN + 1)
    return {
        "late": punctuality.missed(turns),
        "due": len(turns),
        "units": units,
        "quiet": quiet,
        "silent": [(change, trend_of(change)) for change in silent[:SHOWN]],
        "more_silent": len(silent) > SHOWN,
        "silent_url": SILENT.url(),
    }
