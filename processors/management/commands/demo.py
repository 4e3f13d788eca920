"""Fill an empty inventory with the demonstration mission: manage.py demo [--force] [--wait]"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.products import services
from mpc.products.followups import follow_up
from mpc.products.models import Product
from processors.simulator.products import demo_mission


class Command(ActingCommand):
    policy_action = "products.ingest"
    help = (
        "Writes a small simulated mission (reduced products of several units, baselines and dates, some with planted "
        "faults) and takes it in like any other products. Does nothing when the inventory holds products already, but "
        "goes on with a mission that was broken off."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="also when the inventory is not empty")
        parser.add_argument("--wait", action="store_true", help="wait for the quality control")
        parser.add_argument("--seed", type=int, default=20261122, help="the same seed gives the same products")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.MPC_DATA_DIR) / "demo"
        unfinished = folder / "unfinished"
        if Product.objects.exists() and not options["force"] and not unfinished.exists():
            self.stdout.write("The inventory holds products already; the demonstration mission is left out.")
            return
        folder.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
        self.stdout.write(f"Writing the demonstration mission to {folder} ...")
        written = demo_mission(folder, seed=options["seed"])
        taken = [services.take_in(str(w.path), actor=self.actor, trigger="demo") for w in written]
        unfinished.unlink(missing_ok=True)
        self.stdout.write(f"{len(taken)} simulated products taken in; workers check them now.")
        if options["wait"]:
            for one in taken:
                if one.product is not None:
                    follow_up(one.product, log=self.stderr.write)
