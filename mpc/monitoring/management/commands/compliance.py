"""Reckon the compliance matrix: manage.py compliance [--rebuild]"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Count

from mpc.accounts.commands import ActingCommand
from mpc.monitoring.compliance import recompute
from mpc.monitoring.models import Compliance


class Command(ActingCommand):
    policy_action = "monitoring.requirements"
    help = "Reckons the cells of the compliance matrix that are out of date, or all, and says how they stand."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="reckon every cell anew")

    def handle(self, *args: Any, **options: Any) -> None:
        count = recompute.rebuild(self.actor) if options["rebuild"] else recompute.recompute()
        self.stdout.write(f"{count} cells reckoned")
        for state, number in Compliance.objects.order_by("state").values_list("state").annotate(Count("pk")):
            self.stdout.write(f"{Compliance.State(state).label}: {number}")
