"""Runs over REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mpc.accounts.roles import Role
from mpc.runs.models import Run, RunLogLine, State
from tests.runs.test_runs_pages import make, signed_in

pytestmark = pytest.mark.django_db
RUNS = "/api/v1/runs/"


@pytest.fixture
def operator() -> Client:
    return signed_in(Role.OPERATOR)


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, body or {}, content_type="application/json")


def test_create_list_and_read(operator: Client) -> None:
    answer = post(operator, RUNS, {"kind": "test.echo", "params": {"text": "hi", "count": 2}})
    assert answer.status_code == 201
    created = answer.json()
    assert (created["state"], created["params"], created["trigger"]) == ("queued", {"text": "hi", "count": 2}, "api")
    listed = operator.get(RUNS, {"kind": "test.echo"}).json()
    assert [row["id"] for row in listed["results"]] == [created["id"]]
    whole = operator.get(f"{RUNS}{created['id']}/").json()
    assert (whole["attempts"], whole["artifacts"], whole["requested_by"]) == ([], [], "a-operator")


def test_the_same_work_is_not_queued_twice(operator: Client) -> None:
    first = post(operator, RUNS, {"kind": "test.once", "params": {"text": "a"}})
    second = post(operator, RUNS, {"kind": "test.once", "params": {"text": "a"}})
    other = post(operator, RUNS, {"kind": "test.once", "params": {"text": "b"}})
    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["id"] == second.json()["id"] != other.json()["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "no.such"}, "kind"),
        ({"kind": "test.echo", "params": {"count": 99}}, "params"),
        ({"kind": "test.echo", "params": {"colour": "red"}}, "params"),
        ({"kind": "test.product"}, "product"),
        ({"kind": "test.product", "product": "S2A_nothing"}, "product"),
        ({}, "kind"),
    ],
)
def test_wrong_requests_name_the_field(operator: Client, body: dict[str, Any], field: str) -> None:
    answer = post(operator, RUNS, body)
    assert answer.status_code == 400
    assert field in answer.json()
    assert Run.objects.count() == 0


def test_cancel_and_retry(operator: Client) -> None:
    run = make(State.QUEUED)
    assert post(operator, f"{RUNS}{run.pk}/cancel/").json()["state"] == "cancelled"
    assert post(operator, f"{RUNS}{run.pk}/cancel/").status_code == 409
    assert post(operator, f"{RUNS}{run.pk}/retry/").json()["state"] == "queued"
    assert post(operator, f"{RUNS}{run.pk}/retry/").status_code == 409


def test_roles_are_kept() -> None:
    viewer, engineer = signed_in(Role.VIEWER), signed_in(Role.QC_ENGINEER)
    run = make(State.QUEUED)
    assert viewer.get(f"{RUNS}{run.pk}/").status_code == 200
    for client in (viewer, engineer):
        assert post(client, f"{RUNS}{run.pk}/cancel/").status_code == 403
        assert post(client, RUNS, {"kind": "test.echo"}).status_code == 403
    run.refresh_from_db()
    assert run.state == State.QUEUED


def test_who_asked_may_cancel() -> None:
    engineer = signed_in(Role.QC_ENGINEER, "asker")
    from mpc.accounts.models import User

    run = make(State.QUEUED, requested_by=User.objects.get(username="asker"))
    assert post(engineer, f"{RUNS}{run.pk}/cancel/").status_code == 200


def test_the_log_is_read_on(operator: Client) -> None:
    run = make()
    for level in ("debug", "info", "error"):
        RunLogLine.objects.create(run=run, attempt=1, at=timezone.now(), level=level, text=f"a {level} line")
    lines = operator.get(f"{RUNS}{run.pk}/log/").json()
    assert [line["level"] for line in lines] == ["debug", "info", "error"]
    rest = operator.get(f"{RUNS}{run.pk}/log/", {"after": lines[0]["id"], "level": "warning"}).json()
    assert [line["text"] for line in rest] == ["a error line"]
    assert operator.get(f"{RUNS}{run.pk}/log/", {"level": "loud"}).status_code == 400


def test_jobs_are_described(operator: Client) -> None:
    jobs = {job["kind"]: job for job in operator.get("/api/v1/jobs/").json()}
    count = next(p for p in jobs["test.echo"]["params"] if p["name"] == "count")
    assert (count["type"], count["minimum"], count["maximum"], count["default"]) == ("integer", 1, 10, 1)
