"""Commands that make accounts, and on whose behalf commands act."""

from __future__ import annotations

import io
import re
import stat

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from mpc.accounts.actors import actor_from_option, local_actor
from mpc.accounts.models import AuditEntry, Organisation, User
from mpc.accounts.roles import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def data_dir(settings, tmp_path):
    settings.MPC_DATA_DIR = tmp_path
    return tmp_path


def run(*args: str, **options: object) -> str:
    out = io.StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue()


def signs_in(name: str, password: str) -> bool:
    return Client().post("/account/login/", {"login": name, "password": password}).status_code == 302


def test_the_demo_administrator_is_made_and_told_once(data_dir):
    said = run("create_demo_user")
    password = re.search(r"as admin with the password (\S+)", said)[1]
    assert signs_in("admin", password)
    assert User.objects.get(username="admin").roles == [Role.ADMINISTRATOR]
    place = data_dir / "demo-account.txt"
    assert password in place.read_text()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert run("create_demo_user") == ""
    assert signs_in("admin", password)


def test_no_demo_account_where_there_is_an_administrator(data_dir, administrator):
    assert run("create_demo_user") == ""
    assert not User.objects.filter(username="admin").exists()
    assert not (data_dir / "demo-account.txt").exists()


def test_the_account_of_commands_does_not_count_as_an_administrator(data_dir):
    local_actor()
    assert "admin" in run("create_demo_user")


def test_a_file_of_an_earlier_database_is_replaced_and_stays_private(data_dir):
    (data_dir / "demo-account.txt").write_text("old")
    run("create_demo_user")
    place = data_dir / "demo-account.txt"
    assert "old" not in place.read_text()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_another_s_account_named_admin_is_not_taken_over(data_dir, person):
    person("admin", Role.VIEWER)
    with pytest.raises(CommandError, match="cannot be made"):
        run("create_demo_user")
    assert User.objects.get(username="admin").roles == [Role.VIEWER]
    assert not (data_dir / "demo-account.txt").exists()


def test_create_user(administrator):
    said = run(
        *("create_user", "ann", "--role", "qc_engineer", "--role", "ESL expert"),
        *("--email", "ann@example.org", "--organisation", "LAB", "--user", "root"),
    )
    ann = User.objects.get(username="ann")
    assert ann.roles == [Role.QC_ENGINEER, Role.ESL_EXPERT]
    assert (ann.email, ann.organisation) == ("ann@example.org", Organisation.objects.get(short_name="LAB"))
    assert signs_in("ann", re.search(r"Password: (\S+)", said)[1])
    assert AuditEntry.objects.get(action="accounts.create").actor == administrator


def test_create_user_takes_the_password_from_its_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a pass phrase of mine\n"))
    said = run("create_user", "ann", "--role", "viewer", "--password-stdin")
    assert "pass phrase" not in said
    assert signs_in("ann", "a pass phrase of mine")
    assert AuditEntry.objects.get(action="accounts.create").actor_name == "local"


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("ann", "--role", "boss"), 2, "no role “boss”"),
        (("ann", "--role", "viewer", "--user", "nobody"), 2, "no account “nobody”"),
        (("ann", "--role", "viewer", "--user", "vic"), 2, "Administrator"),
        (("VIC", "--role", "viewer"), 1, "exists already"),
        (("ann", "--role", "viewer", "--email", "vic@example.org"), 1, "exists already"),
    ],
)
def test_create_user_refuses(person, arguments, status, complaint):
    person("vic", Role.VIEWER)
    with pytest.raises(CommandError, match=complaint) as refusal:
        run("create_user", *arguments)
    assert refusal.value.returncode == status
    assert not User.objects.filter(username="ann").exists()


def test_who_a_command_acts_as(person, monkeypatch):
    ann = person("ann", Role.OPERATOR)
    assert actor_from_option().username == "local"
    assert actor_from_option("local") == local_actor()
    assert actor_from_option("Ann") == ann
    monkeypatch.setenv("MPC_USER", "ann")
    assert actor_from_option() == ann
    monkeypatch.setenv("MPC_USER", "nobody")
    with pytest.raises(CommandError, match="no account “nobody”"):
        actor_from_option()
    ann.is_active = False
    ann.save()
    with pytest.raises(CommandError, match="not active"):
        actor_from_option("ann")


def test_the_local_account_is_made_once_and_cannot_sign_in():
    first, second = local_actor(), local_actor()
    assert first == second
    assert not first.has_usable_password()
    assert first.email == ""
    assert AuditEntry.objects.filter(action="accounts.local_actor").count() == 1
