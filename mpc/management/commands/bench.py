"""Measure the centre against floors: manage.py bench NAME... [--json] | --all [--slow]"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bench.harness import Figure, Options
from bench.registry import all_benches


class Command(BaseCommand):
    help = (
        "Runs benchmarks; each prints one JSON object with name, value, unit, floor, ratio, goal, met and detail. "
        "Without names they are listed. What takes minutes to make (a full-size product, a filled database) is kept in "
        "MPC_BENCH_DIR, else in the folder bench of MPC_DATA_DIR."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "names", nargs="*", metavar="NAME", help="benchmarks to run; without any, their names are listed"
        )
        parser.add_argument(
            "--all", action="store_true", help="run every benchmark but the slow ones, which take ten minutes and more"
        )
        parser.add_argument("--slow", action="store_true", help="with --all: the slow ones too")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument("--pairs", type=int, help="interleaved pairs of ours and the floor; at least 3")
        parser.add_argument(
            "--tiny",
            action="store_true",
            help="the smallest material: shows that the benchmarks work, measures nothing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        known = all_benches()
        names = options["names"]
        if options["all"]:
            names = [name for name, found in known.items() if options["slow"] or not found.slow]
        if not names:
            for name, found in known.items():
                self.stdout.write(f"{name:18} {found.title}{' (slow)' if found.slow else ''}")
            return
        unknown = [name for name in names if name not in known]
        if unknown:
            raise CommandError(f"no benchmark {', '.join(unknown)}; known are: {', '.join(known)}", returncode=2)
        cache = Path(os.environ.get("MPC_BENCH_DIR") or settings.MPC_DATA_DIR / "bench")
        told = Options(cache, options["pairs"], options["tiny"], settings.MPC_SCHEMA_DIR)
        for name in names:
            self._print(known[name].measure(told), as_json=options["json"] or options["all"])

    def _print(self, figure: Figure, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(figure.as_dict()))
            return
        self.stdout.write(
            f"{figure.name}: {figure.value:.3g} {figure.unit}, floor {figure.floor:.3g}, ratio {figure.ratio:.2f}, "
            f"goal {figure.goal}, met {figure.met}"
        )
