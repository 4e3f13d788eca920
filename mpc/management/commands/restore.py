"""Put a backup back: manage.py restore FILE.tar.gz [--replace]"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import connection

from mpc.accounts.commands import ActingCommand
from mpc.housekeeping.backup import BackupError, restore, tables
from mpc.runs import deployment

WORD = "replace"


class Command(ActingCommand):
    policy_action = "site.maintain"
    help = (
        "Puts back everything that a backup holds: into an empty database, whose tables it makes where they are "
        "missing, or with --replace in the place of what is there. The file is compared with its checksums before "
        "anything is touched, and the change is one transaction. Stop the site first. Exit status: 0 done, 1 refused "
        "or damaged (and nothing was changed), 2 wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.tar.gz")
        parser.add_argument("--replace", action="store_true", help="replace what the database and the folders hold now")
        parser.add_argument("--no-input", action="store_true", help="do not ask before replacing")
        parser.add_argument("--json", action="store_true", help="what was restored as one JSON line on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"]).expanduser().absolute()
        if not path.is_file():
            raise CommandError(f"there is no file {path}", returncode=2)
        name = self.actor.get_username() if self._holds_accounts() else settings.LOCAL_ACTOR
        if options["replace"] and not options["no_input"]:
            self._ask()
        say = self.stderr.write if options["verbosity"] > 0 else (lambda text: None)
        try:
            restored = restore(path, replace=options["replace"], actor_name=name, say=say)
        except BackupError as error:
            raise CommandError(str(error)) from error
        deployment.declare()  # the backup names the software of its day; this one works from now on
        if options["json"]:
            self.stdout.write(json.dumps(asdict(restored)))
            return
        self.stdout.write(
            f"Restored {restored.rows} rows and {restored.files} files of {restored.made} "
            f"(version {restored.software_version})."
        )

    def admit(self) -> None:
        if self._holds_accounts():
            super().admit()

    @staticmethod
    def _holds_accounts() -> bool:
        """An empty database has no accounts yet; whoever can fill it owns it."""
        return bool(tables.migrations_of(connection) and tables.filled_tables(connection))

    def _ask(self) -> None:
        database = connection.settings_dict["NAME"]
        self.stderr.write(f"Everything in the database {database} and below {settings.MPC_DATA_DIR} will be replaced.")
        try:
            answer = input(f"Type “{WORD}” to go on: ")
        except EOFError:
            answer = ""
        if answer.strip() != WORD:
            raise CommandError("not confirmed; nothing was changed (--no-input does not ask)", returncode=2)
