"""The daily digest: manage.py digest [--day YYYY-MM-DD] [--mail] [--json]"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.monitoring.digests import mailing, making
from mpc.monitoring.digests.content import as_text, from_json
from mpc.monitoring.digests.pages import as_dict


class Command(ActingCommand):
    policy_action = "monitoring.digest"
    help = (
        "Prints the digest of a UTC day (yesterday), and makes it where there is none yet. --day today shows how today "
        "looks so far and keeps nothing. With --mail it goes to those who want it and have not had it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--day", metavar="YYYY-MM-DD", help="the UTC day, or: today")
        parser.add_argument("--mail", action="store_true", help="send it to those who want it and have not had it")
        parser.add_argument("--json", action="store_true", help="as one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["day"] == "today":
            if options["mail"]:
                raise CommandError("what is not over is not mailed: leave out --mail or name a past day", returncode=2)
            digest = making.draft(making.today())
        else:
            digest = self._made(options["day"])
        if options["json"]:
            self.stdout.write(json.dumps(as_dict(digest)))
        else:
            self.stdout.write(as_text(digest.day, digest.made_at, from_json(digest.content)), ending="")
        if options["mail"]:
            sent = mailing.send_for(self.actor, digest)
            self.stderr.write(f"{sent} letters sent")

    def _made(self, text: str | None) -> Any:
        try:
            day = date.fromisoformat(text) if text else making.today() - timedelta(days=1)
        except ValueError:
            raise CommandError(f"--day {text}: write it as YYYY-MM-DD", returncode=2) from None
        try:
            return making.make_for(self.actor, day)[0]
        except (making.NotOver, PermissionDenied) as reason:
            raise CommandError(str(reason), returncode=2) from None
