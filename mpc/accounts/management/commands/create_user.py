"""manage.py create_user NAME --role ROLE: make an account."""

from __future__ import annotations

import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import CommandError

from mpc.accounts import services
from mpc.accounts.commands import ActingCommand
from mpc.accounts.models import Organisation, User
from mpc.accounts.roles import Role


class Command(ActingCommand):
    policy_action = "accounts.manage"
    help = "Make an account and print its password once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name to sign in with")
        parser.add_argument(
            "--role", action="append", required=True, help=f"may be repeated; one of {', '.join(Role)}", metavar="ROLE"
        )
        parser.add_argument("--email", default="", help="where links to reset the password go")
        parser.add_argument("--display-name", default="", help="the person's name as pages show it")
        parser.add_argument("--organisation", default="", help="name or short name; made when there is none")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input instead of making one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            roles = [Role.named(text) for text in options["role"]]
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        given = options["password_stdin"]
        password = sys.stdin.readline().rstrip("\n") if given else secrets.token_urlsafe(12)
        try:
            person = services.create_person(
                options["name"],
                actor=self.actor,
                roles=roles,
                email=options["email"],
                display_name=options["display_name"],
                organisation=_organisation(options["organisation"], self.actor),
                password=password,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except PermissionDenied as error:
            raise CommandError(str(error)) from None
        held = ", ".join(role.label for role in roles)
        self.stdout.write(f"Made the account {person.username} ({held})." + ("" if given else f" Password: {password}"))


def _organisation(name: str, actor: User) -> Organisation | None:
    if not name:
        return None
    for field in ("short_name", "name"):
        found = Organisation.objects.filter(**{f"{field}__iexact": name}).first()
        if found is not None:
            return found
    organisation = Organisation(name=name, short_name=name[:40])
    services.save_organisation(organisation, actor=actor)
    return organisation
