"""Whether a process of this machine is well: manage.py health site|worker|sweeper"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from mpc.housekeeping import health

ASKED = {"site": health.site_health, "worker": health.worker_health, "sweeper": health.sweeper_health}


class Command(BaseCommand):
    help = (
        "Says whether the site can serve (its database answers and is up to date), or whether the worker or the "
        "sweeper of this machine has been seen lately. Exit status: 0 well, 1 not, 2 wrong use."
    )
    requires_system_checks = []  # asked often, by containers

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=sorted(ASKED))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            status = ASKED[options["what"]]()
        except Error as error:
            raise CommandError(f"the database does not answer: {str(error).strip()}") from error
        if status != health.OK:
            raise CommandError(status)
        self.stdout.write(status)
