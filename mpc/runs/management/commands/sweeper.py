"""Keep house: manage.py sweeper [--once]"""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.runs import sweeper


class Command(ActingCommand):
    policy_action = "site.run"
    help = "Queues again what lost its worker, rings for what waits, and keeps the schedule, until it is told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one sweep and one ring, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            lost = sweeper.sweep()
            rung = sweeper.ring_for_waiting()
            self.stdout.write(f"{len(lost)} runs had lost their worker; rung for {', '.join(rung) or 'nobody'}")
            return
        process = sweeper.Sweeper()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.stop.set())
        process.run()
