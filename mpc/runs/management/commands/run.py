"""Ask for a run: manage.py run KIND [--product NAME] [--param k=v ...] [--wait] [--json]"""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.jobs import UnknownJob
from mpc.products.models import Product
from mpc.runs import describe, services, waiting
from mpc.runs.models import State, Trigger


class Command(ActingCommand):
    policy_action = "runs.start"
    help = (
        "Asks for a run of a job, on a product where the job needs one. With --wait it waits for the end, and does the "
        "work itself when no worker runs. Exit status: 0 done, 1 the run failed or was cancelled, 2 wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", metavar="KIND", help="kind of job, such as qc.product")
        parser.add_argument(
            "--product", metavar="NAME", help="name of a product in the inventory, with or without .SAFE"
        )
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the job")
        parser.add_argument(
            "--wait", action="store_true", help="wait until the run is over; progress on standard error"
        )
        parser.add_argument("--json", action="store_true", help="the run as one JSON line on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        product = self._product(options["product"])
        try:
            run, created = services.request_run(
                options["kind"],
                actor=self.actor,
                product=product,
                params=_params(options["param"]),
                trigger=Trigger.COMMAND,
            )
        except (UnknownJob, services.CannotRequest, PermissionDenied) as error:
            raise CommandError(str(error), returncode=2) from error
        if not created:
            self.stderr.write(f"the same work is {run.get_state_display()} already as run {run.pk}")
        if options["wait"]:
            (run,) = waiting.wait_for([run], self.stderr.write)
        self.stdout.write(json.dumps(describe.run_as_dict(run)) if options["json"] else describe.run_as_line(run))
        if options["wait"] and run.state != State.SUCCEEDED:
            raise SystemExit(1)

    def _product(self, name: str | None) -> Product | None:
        if name is None:
            return None
        found = Product.objects.filter(name=name.rstrip("/").removesuffix(".SAFE")).first()
        if found is None:
            raise CommandError(
                f"no product “{name}” in the inventory; take it in with: manage.py ingest PATH", returncode=2
            )
        return found


def _params(pairs: list[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise CommandError(f"--param {pair}: write it as NAME=VALUE", returncode=2)
        params[name] = value
    return params
