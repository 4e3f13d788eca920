"""Make the centre ready to serve: manage.py prepare [--products PATH...]"""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.runs import deployment


class Command(ActingCommand):
    policy_action = "site.maintain"
    help = (
        "Brings the database up to date, gathers static files, makes the demonstration administrator and, in an empty "
        "database, the demonstration mission. Running it again changes nothing that is there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--products", nargs="*", default=[], metavar="PATH", help="products to take in as well")
        parser.add_argument("--no-demo", action="store_true", help="no demonstration account and mission")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        deployment.declare()  # workers of other software take no run from now on
        call_command("collectstatic", verbosity=0, interactive=False)
        if not options["no_demo"]:
            call_command("create_demo_user", url=self._address(), stdout=self.stdout)
            call_command("demo", stdout=self.stdout)
        if options["products"]:
            try:
                call_command("ingest", *options["products"], stdout=self.stdout)
            except SystemExit:
                self.stderr.write("Some of these products were refused; the lines above and the page Arrivals say why.")
        self.stdout.write(f"State: {settings.MPC_DATA_DIR}")
        if settings.MPC_SCHEMA_DIR is None:
            self.stdout.write(
                "No schema sets: the check of metadata against the PSD schemas says “not checked” and products come "
                "out INCOMPLETE. Set MPC_SCHEMA_DIR to a folder that holds them."
            )
        self.stdout.write(f"Pages: {self._address()}")

    def _address(self) -> str:
        return f"http://{os.environ.get('MPC_BIND', '127.0.0.1:8000')}/"
