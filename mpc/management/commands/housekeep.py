"""Remove what is old, by the retention of the settings: manage.py housekeep [--dry-run]"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.housekeeping import cleaning
from mpc.housekeeping.retention import all_rules


class Command(ActingCommand):
    policy_action = "site.maintain"
    help = (
        "Removes what is older than the MPC_KEEP_... settings say, now; the sweeper does so once a day. "
        "Exit status: 0 done, 2 wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would be removed")
        parser.add_argument("--json", action="store_true", help="the counts by rule as one JSON line")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            counts = {rule.name: due for rule, due in cleaning.due_now()}
        else:
            removed = cleaning.clean_now(self.actor)
            counts = {rule.name: removed.get(rule.name, 0) for rule in all_rules()}
        if options["json"]:
            self.stdout.write(json.dumps(counts))
            return
        for rule in all_rules():
            days = rule.kept_days()
            kept = "for ever" if days is None else f"{days} days" if days else "no longer"
            said = f" ({rule.setting})" if rule.setting else ""
            word = "would go" if options["dry_run"] else "removed"
            self.stdout.write(f"{rule.title}: {counts[rule.name]} {word}; kept {kept}{said}")
