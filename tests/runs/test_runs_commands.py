"""The commands of runs: what they print and the status they end with."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mpc.accounts.models import RoleGrant, User
from mpc.accounts.roles import Role
from mpc.runs import services
from mpc.runs.models import Run, State

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("run", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_without_wait_the_run_is_queued() -> None:
    status, out, _ = run("test.echo", "--param", "text=a=b", "--json")
    told = json.loads(out)
    assert (status, told["state"], told["params"]) == (0, "queued", {"text": "a=b", "count": 1})
    assert Run.objects.get().requested_by.username == "local"


@pytest.mark.parametrize(
    ("kind", "status", "verdict", "error_kind"),
    [("test.echo", 0, "PASSED", None), ("test.hopeless", 1, None, "hopeless")],
)
def test_with_wait_and_no_worker_it_is_done_here(kind: str, status: int, verdict: Any, error_kind: Any) -> None:
    ended, out, err = run(kind, "--wait", "--json")
    told = json.loads(out)
    assert (ended, told["verdict"], told["error_kind"]) == (status, verdict, error_kind)
    assert "no worker, done in place" in err


def test_the_same_work_is_waited_for_and_not_asked_again() -> None:
    run("test.once")
    status, out, err = run("test.once", "--wait")
    assert status == 0
    assert "already as run" in err
    assert Run.objects.count() == 1
    assert "PASSED" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no.such"], "no job of kind “no.such”"),
        (["test.echo", "--param", "count=99"], "99 is above the maximum 10"),
        (["test.echo", "--param", "count"], "write it as NAME=VALUE"),
        (["test.echo", "--product", "S2A_nothing"], "no product “S2A_nothing”"),
        (["test.product"], "needs a product"),
        (["test.echo", "--user", "nobody"], "no account “nobody”"),
    ],
)
def test_wrong_use_ends_with_status_two(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert refused.value.returncode == 2
    assert says in str(refused.value)
    assert Run.objects.count() == 0


def test_who_may_not_start_is_refused() -> None:
    RoleGrant.objects.create(user=User.objects.create_user("looker"), role=Role.VIEWER)
    with pytest.raises(CommandError) as refused:
        run("test.echo", "--user", "looker")
    assert refused.value.returncode == 2


def test_one_sweep(ask: Any) -> None:
    out = StringIO()
    waiting = ask("echo")
    call_command("sweeper", "--once", stdout=out)
    assert out.getvalue() == "0 runs had lost their worker; rung for nobody\n"
    services.work_in_place(waiting)
    assert waiting.state == State.SUCCEEDED


@pytest.mark.parametrize("wrong", [["--concurrency", "0"], ["--queues", " , "]])
def test_a_worker_needs_a_queue_and_a_place(wrong: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("worker", *wrong)
    assert refused.value.returncode == 2
