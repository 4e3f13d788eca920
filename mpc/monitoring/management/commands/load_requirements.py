"""Load the centre's tables: manage.py load_requirements [--dry-run]"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.monitoring.seeds import loading


class Command(ActingCommand):
    policy_action = "monitoring.requirements"
    help = (
        "Brings standard metrics, requirements and known events to the centre's committed tables. What a person "
        "changed is kept and named. Running it again changes nothing. It also happens after each migration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        changes = loading.load(actor=self.actor, dry_run=options["dry_run"])
        for change in changes:
            self.stdout.write(f"{change.kind} {change.code}: {change.what}")
            if change.what == "changed":
                for name, value in change.after.items():
                    self.stdout.write(f"    {name}: {change.before.get(name)!r} -> {value!r}")
        count = sum(change.counts for change in changes)
        verb = "would change" if options["dry_run"] else "changed"
        self.stdout.write(f"{count} {verb}" if count else "nothing to change")
