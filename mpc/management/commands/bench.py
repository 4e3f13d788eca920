"""Measure the centre against floors: manage.py bench NAME [--json] | --all"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bench.registry import all_benches


class Command(BaseCommand):
    help = "Runs benchmarks; each prints one JSON object with value, unit, floor, ratio, goal, met and detail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "names", nargs="*", metavar="NAME", help="benchmarks to run; without any, their names are listed"
        )
        parser.add_argument("--all", action="store_true", help="run every benchmark")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        known = all_benches()
        names = list(known) if options["all"] else options["names"]
        if not names:
            self.stdout.write("\n".join(known))
            return
        unknown = [name for name in names if name not in known]
        if unknown:
            raise CommandError(f"no benchmark {', '.join(unknown)}; known are: {', '.join(known)}", returncode=2)
        for name in names:
            figure = known[name]().as_dict()
            if options["json"] or options["all"]:
                self.stdout.write(json.dumps(figure))
            else:
                self.stdout.write(
                    f"{figure['name']}: {figure['value']:.3g} {figure['unit']}, floor {figure['floor']:.3g}, "
                    f"ratio {figure['ratio']:.2f}, goal {figure['goal']}, met {figure['met']}"
                )
