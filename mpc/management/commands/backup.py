"""Write everything into one file: manage.py backup FILE.tar.gz"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from mpc.accounts import audit
from mpc.accounts.commands import ActingCommand
from mpc.housekeeping.backup import BackupError, write_backup


class Command(ActingCommand):
    policy_action = "site.maintain"
    help = (
        "Writes all tables, uploads and files of runs into one file while the site runs; SQLite or PostgreSQL alike, "
        "and restore puts it back into either. Keep the file safe: it holds what accounts sign in with, as hashes. "
        "Exit status: 0 done, 1 it could not be written, 2 wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.tar.gz")
        parser.add_argument("--overwrite", action="store_true", help="replace a file of this name")
        parser.add_argument("--json", action="store_true", help="what was written as one JSON line on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"]).expanduser().absolute()
        if not path.name.endswith((".tar.gz", ".tgz")):
            raise CommandError(f"{path.name}: a backup is a gzipped tar; call it {path.name}.tar.gz", returncode=2)
        say = self.stderr.write if options["verbosity"] > 0 else (lambda text: None)
        try:
            written = write_backup(path, overwrite=options["overwrite"], say=say)
        except BackupError as error:
            raise CommandError(str(error)) from error
        facts = {
            "file": str(written.path), "size": written.size, "sha256": written.sha256,
            "rows": written.rows, "files": written.files, "missing": written.missing,
        }  # fmt: skip
        audit.record(self.actor, "site.backup", after=facts, label=path.name)
        if options["json"]:
            self.stdout.write(json.dumps(facts))
            return
        self.stdout.write(
            f"{written.path}: {written.rows} rows and {written.files} files in {written.size / 1e6:.1f} MB, "
            f"SHA-256 {written.sha256}"
        )
        if written.missing:
            self.stdout.write(f"{written.missing} files of runs are named in the database, but are gone.")
