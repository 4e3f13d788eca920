"""Take products in: manage.py ingest PATH... [--wait] [--json]"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mpc import disk
from mpc.accounts.commands import ActingCommand
from mpc.msi.discover import discover
from mpc.products import services
from mpc.products.followups import follow_up
from mpc.products.models import Intake, Product, Status


class Command(ActingCommand):
    policy_action = "products.ingest"
    help = (
        "Takes in products: files, folders, glob patterns or whole trees. Prints one JSON line a product. "
        "Exit status: 0 done, 1 a product was refused or failed, 2 wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH")
        parser.add_argument("--wait", action="store_true", help="wait for the quality control of what was taken in")
        parser.add_argument("--json", action="store_true", help="only JSON lines on standard output (they always are)")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        waiting: list[services.Taken] = []
        paths = self._found(options["paths"])
        if not paths:
            raise CommandError(f"no product found below: {', '.join(options['paths'])}", returncode=2)
        for path in paths:
            if reason := disk.shortage():
                raise CommandError(f"{path} and what comes after it was not taken in. {reason}")
            taken = services.take_in(str(path), actor=self.actor, trigger="ingest")
            if taken.result == Intake.Result.REFUSED or not options["wait"] or taken.product is None:
                failed += taken.result == Intake.Result.REFUSED
                self._print(taken)
            else:
                waiting.append(taken)
        for taken in waiting:
            runs = follow_up(taken.product, log=self.stderr.write)
            product = Product.objects.get(pk=taken.product.pk)
            failed += product.status == Status.FAILED or any(run["state"] == "failed" for run in runs)
            self._print(taken, product, runs)
        if failed:
            raise SystemExit(1)

    def _found(self, arguments: list[str]) -> list[Path]:
        """All that is meant, looked up before anything is taken in: a wrong argument changes nothing."""
        try:
            return list(dict.fromkeys(path for argument in arguments for path in discover(argument)))
        except FileNotFoundError as error:
            raise CommandError(str(error), returncode=2) from error

    def _print(self, taken: services.Taken, product: Product | None = None, runs: list[dict[str, Any]] = ()) -> None:
        product = product or taken.product
        line = {
            "path": taken.intake.source,
            "product": product.name if product else None,
            "result": str(taken.result),
            "message": taken.intake.message,
            "status": str(product.status) if product else None,
            "runs": list(runs),
        }
        self.stdout.write(json.dumps(line))
