"""Fill a database with made-up measurements: manage.py fill_measurements --count 10000000 [--years 10] [--force]"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.monitoring.filling import NotEmpty, fill


class Command(ActingCommand):
    policy_action = "site.maintain"
    help = (
        "Adds plausible made-up measurements of three units, with their series and roll-ups, to measure and try the "
        "centre with. Refuses a database with runs that somebody asked for."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=100_000, help="how many measurements (100000)")
        parser.add_argument("--years", type=int, default=10, help="over how many years, ending last midnight (10)")
        parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
        parser.add_argument("--force", action="store_true", help="also among real measurements")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["count"] < 1 or not 1 <= options["years"] <= 30:
            raise CommandError("--count is at least 1, --years 1 to 30", returncode=2)
        say = self.stderr.write if options["verbosity"] > 1 else lambda text: None
        try:
            filled = fill(
                options["count"], actor=self.actor, years=options["years"], seed=options["seed"],
                force=options["force"], say=say,
            )  # fmt: skip
        except NotEmpty as error:
            raise CommandError(f"{error} With --force they are added all the same.", returncode=1) from error
        self.stdout.write(f"{filled.measurements} measurements of {filled.products} products in {filled.series} series")
