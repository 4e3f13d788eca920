"""Find mission events in the products that are here: manage.py find_events"""

from __future__ import annotations

from typing import Any

from mpc.accounts.commands import ActingCommand
from mpc.monitoring.events import seen


class Command(ActingCommand):
    policy_action = "monitoring.events"
    help = (
        "Looks at all products that are here for the first appearance of baselines, GIPPs and irradiance tables. "
        "Arrivals do so by themselves; running it again changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        written = seen.backfill(self.actor)
        self.stdout.write(f"{written} first appearances kept" if written else "nothing new")
