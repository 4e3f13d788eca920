"""Import mission events: manage.py import_events FILE [--dry-run]"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.monitoring.events import csvfile, services


class Command(ActingCommand):
    policy_action = "monitoring.events"
    help = (
        "Imports mission events from a CSV file with the columns of the export. What is here already is left out, what "
        "is wrong is said with its line. Exit status: 0 done, 1 some lines are wrong, 2 wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="say what would come in, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        try:
            if path.stat().st_size > csvfile.MOST_BYTES:
                raise csvfile.Unreadable(f"The file has more than {csvfile.MOST_BYTES} bytes. Send it in parts.")
            read = csvfile.read_csv(csvfile.decoded(path.read_bytes()))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
        except csvfile.Unreadable as error:
            raise CommandError(f"{path}: {error}", returncode=2) from error
        for wrong in read.wrong:
            self.stderr.write(f"line {wrong.line}: {wrong.text}")
        new = read.new
        if not options["dry_run"]:
            services.import_events(self.actor, new)
        verb = "would be imported" if options["dry_run"] else "imported"
        known = len(read.rows) - len(new)
        self.stdout.write(f"{len(new)} {verb}, {known} here already, {len(read.wrong)} wrong")
        if read.wrong:
            raise SystemExit(1)
