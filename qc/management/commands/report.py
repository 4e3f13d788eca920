"""Print the quality report of a product: manage.py report NAME [--json]"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.products.models import Product
from qc import services


class Command(ActingCommand):
    policy_action = "qc.view"
    help = "Prints the quality report of a product. Exit status: 0 printed, 1 not checked yet, 2 no such product."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the product (with or without .SAFE)")
        parser.add_argument("--json", action="store_true", help="the whole report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].rstrip("/").removesuffix(".SAFE")
        product = Product.objects.filter(name=name).first()
        if product is None:
            raise CommandError(
                f"no product “{name}” in the inventory; take it in with: manage.py ingest PATH", returncode=2
            )
        report = services.current_report(product)
        if report is None:
            raise CommandError(
                f"{name} has no quality report yet; make one with: manage.py run qc.product --product {name}"
            )
        if options["json"]:
            self.stdout.write(json.dumps(services.report_by_contract(report), indent=1))
            return
        whole = services.report_as_dict(report)
        self.stdout.write(f"{whole['verdict']}  {whole['product']}\n{whole['summary']}\n")
        for check in whole["checks"]:
            line = f"{check['status']:<12} {check['id']:<36} {check['message'] or check['measured']}"
            self.stdout.write(f"{line} {check['where']}".rstrip())
        for olqc in whole["olqc"]:
            self.stdout.write(
                f"{olqc['status']:<12} on-line control, {olqc['level']}: {olqc['report']} {olqc['problem']}"
            )
