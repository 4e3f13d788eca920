"""Bring roll-ups up to date: manage.py roll_up [--rebuild] [--series ID ...]"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.monitoring.models import Series
from mpc.monitoring.rollups.roller import Roller, rebuild


class Command(ActingCommand):
    policy_action = "site.maintain"
    help = (
        "Takes all marks and reckons the days and months behind them; the sweeper does so every few seconds. With "
        "--rebuild all days and months are reckoned anew from the measurements, while the site runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="reckon everything anew")
        parser.add_argument("--series", type=int, nargs="+", metavar="ID", help="with --rebuild: only these series")

    def handle(self, *args: Any, **options: Any) -> None:
        series = options["series"]
        if series and not options["rebuild"]:
            raise CommandError("--series goes with --rebuild", returncode=2)
        if not options["rebuild"]:
            self.stdout.write(f"{Roller().roll_all()} marks taken")
            return
        if series:
            known = set(Series.objects.filter(pk__in=series).values_list("pk", flat=True))
            if unknown := sorted(set(series) - known):
                raise CommandError(f"there is no series {', '.join(map(str, unknown))}", returncode=2)
        say = self.stderr.write if options["verbosity"] > 1 else lambda text: None
        self.stdout.write(f"{rebuild(series, say)} values reckoned anew")
