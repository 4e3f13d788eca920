"""manage.py create_demo_user: an administrator to begin with."""

from __future__ import annotations

import os
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from mpc.accounts import services
from mpc.accounts.commands import ActingCommand
from mpc.accounts.roles import Role

NAME = "admin"
FILE_NAME = "demo-account.txt"


class Command(ActingCommand):
    policy_action = "accounts.manage"
    help = "Make the administrator “admin” with a random password, unless there is an administrator already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000/", help="where the site is served, for the hint")

    def handle(self, *args: Any, **options: Any) -> None:
        if services.administrators().exists():
            if options["verbosity"] > 1:
                self.stdout.write("There is an administrator already; nothing was made.")
            return
        password = secrets.token_urlsafe(12)
        hint = f"Sign in at {options['url']} as {NAME} with the password {password}\n"
        place = Path(settings.MPC_DATA_DIR) / FILE_NAME
        try:
            with transaction.atomic():
                services.create_person(
                    NAME,
                    actor=self.actor,
                    roles=[Role.ADMINISTRATOR],
                    display_name="Demo administrator",
                    password=password,
                )
                _write_private(place, hint)
        except ValidationError as error:
            raise CommandError(
                f"no administrator can sign in, and the account “{NAME}” cannot be made: {' '.join(error.messages)} "
                "Make another with: manage.py create_user NAME --role administrator"
            ) from None
        self.stdout.write(f"{hint}This is said once; it is kept in {place}. Change the password under your profile.")


def _write_private(place: Path, text: str) -> None:
    """Write a file that only its owner can read, never readable by others in between."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
