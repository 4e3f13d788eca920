"""Every command of ours says what it takes to run it, keeps to that, and is called by some test."""

from __future__ import annotations

import re

import pytest
from django.core.management import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mpc.accounts import policy
from mpc.accounts.commands import WITHOUT_ACTOR, ActingCommand
from mpc.accounts.models import AuditEntry
from mpc.accounts.policy import Role
from mpc.products.models import Intake, Product
from mpc.runs.models import Run
from tests import factories
from tests.accounts.test_policy import TABLE
from tests.policy.commands import ROOT, any_arguments, execute, own_commands

COMMANDS = own_commands()
ACTING = [name for name in COMMANDS if name not in WITHOUT_ACTOR]


def test_the_walk_sees_the_commands():
    assert {"ingest", "run", "report", "demo", "create_user", "prepare", "worker", "sweeper", "backup"} <= set(COMMANDS)
    assert set(COMMANDS) >= set(WITHOUT_ACTOR), "WITHOUT_ACTOR names what is no command"


@pytest.mark.parametrize("name", ACTING)
def test_every_command_declares_what_it_takes(name):
    command = COMMANDS[name]
    assert isinstance(command, ActingCommand), f"{name}: base it on ActingCommand, or say in WITHOUT_ACTOR why not"
    assert command.policy_action in policy.ACTIONS, f"{name} declares “{command.policy_action}”"
    assert command.help.strip(), f"{name} has no help"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ACTING)
def test_an_account_that_may_not_is_refused_before_anything_is_done(name, monkeypatch, capsys):
    command = COMMANDS[name]
    allowed = TABLE[command.policy_action] | policy.FOR_SOME_OBJECTS.get(command.policy_action, frozenset())
    people = [factories.person(), *(factories.person(role) for role in Role if role not in allowed)]
    before = (AuditEntry.objects.count(), Product.objects.count(), Run.objects.count(), Intake.objects.count())
    for person in people:
        for by_environment in (False, True):
            fresh = own_commands()[name]
            arguments = any_arguments(fresh, name)
            monkeypatch.setenv("MPC_USER", person.username if by_environment else "")
            with (
                pytest.raises(CommandError, match="takes the role") as refused,
                CaptureQueriesContext(connection) as sql,
            ):
                execute(fresh, name, *arguments, *(() if by_environment else ("--user", person.username)))
            assert refused.value.returncode == 2
            written = [q["sql"] for q in sql if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
            assert written == []
    assert (
        AuditEntry.objects.count(), Product.objects.count(), Run.objects.count(), Intake.objects.count()
    ) == before  # fmt: skip
    assert capsys.readouterr().out == ""


@pytest.mark.django_db
@pytest.mark.parametrize("name", ACTING)
def test_who_may_is_let_in_and_named(name):
    command = own_commands()[name]
    for role in TABLE[command.policy_action]:
        person = factories.person(role)
        fresh = own_commands()[name]
        fresh.user_name = person.username.upper()
        fresh.admit()
        assert fresh.actor == person
    command.user_name = ""
    command.admit()
    assert command.actor.username == "local"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ACTING)
def test_an_unknown_and_an_inactive_account_are_refused(name):
    gone = factories.person(*Role, is_active=False)
    for user, words in (("nobody", "no account “nobody”"), (gone.username, "is not active")):
        command = own_commands()[name]
        with pytest.raises(CommandError, match=words) as refused:
            execute(command, name, *any_arguments(command, name), "--user", user)
        assert refused.value.returncode == 2


def test_every_command_is_called_by_some_test():
    """By name, as the first thing that something is called with: ``call_command("ingest", ...)``, ``manage("run")``."""
    written = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py") if path.name != "commands.py")
    called = set(re.findall(r'\b\w+\(\s*"([a-z_]+)"[,)]', written))
    assert sorted(set(COMMANDS) - called) == []
