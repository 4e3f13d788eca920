"""Base of the commands that do something to the centre: on whose behalf, and whether they may."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from mpc.accounts import policy
from mpc.accounts.actors import actor_from_option
from mpc.accounts.models import User

# Commands that act for nobody, and why that is right.
WITHOUT_ACTOR: Mapping[str, str] = MappingProxyType(
    {
        "bench": "measures on data of its own",
        "health": "says one word that the site says to everybody; asked every few seconds",
    }
)


class ActingCommand(BaseCommand):
    """A command with ``--user``: ``policy_action`` says what its account must be allowed to do.

    ::

        class Command(ActingCommand):
            policy_action = "products.ingest"

            def handle(self, *args, **options):
                services.take_in(path, actor=self.actor)

    Whoever may not is refused with the policy's reason and exit status 2 before anything is done. An action that also
    depends on the object is asked again by the service, with the object.
    """

    policy_action = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--user", help="act as this account (default: MPC_USER, else the local account)")
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.user_name = options.get("user") or os.environ.get("MPC_USER", "").strip()
        self.admit()
        return super().execute(*args, **options)

    def admit(self) -> None:
        """Raises CommandError (exit status 2) unless the account may do what the command does.

        The local account may: who runs commands on the machine owns the database. It is not looked up here, so that a
        command which prepares the database can run before there is one.
        """
        if self.user_name in ("", settings.LOCAL_ACTOR):
            return
        try:
            actor = self.actor
        except DatabaseError as error:
            raise CommandError(
                f"the account “{self.user_name}” cannot be looked up: {str(error).strip()}. Is the database prepared? "
                "As the local account (without --user and MPC_USER): manage.py prepare",
                returncode=2,
            ) from None
        if not policy.could(actor, self.policy_action):
            raise CommandError(policy.reason(actor, self.policy_action), returncode=2)

    @cached_property
    def actor(self) -> User:
        """The account that the command acts as."""
        return actor_from_option(self.user_name)
