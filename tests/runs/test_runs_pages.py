"""Pages of runs: what they show, who may act, and how little they ask of the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mpc.accounts.models import RoleGrant, User
from mpc.accounts.roles import Role
from mpc.runs.models import Run, RunArtifact, RunAttempt, RunLogLine, State, Worker

pytestmark = pytest.mark.django_db


def signed_in(role: Role, name: str = "") -> Client:
    user = User.objects.create_user(name or f"a-{role}", password=None)
    RoleGrant.objects.create(user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator() -> Client:
    return signed_in(Role.OPERATOR)


def make(state: str = State.SUCCEEDED, kind: str = "test.echo", **fields: Any) -> Run:
    return Run.objects.create(kind=kind, title=f"a {kind}", state=state, trigger="user", queue="default", **fields)


def test_the_list_filters(operator: Client) -> None:
    make(State.FAILED, error="no band B02")
    make(State.QUEUED, "test.sleep")
    page = operator.get(reverse("runs:list"), {"state": "failed"}).content.decode()
    assert "no band B02" in page
    assert "a test.sleep" not in page
    rows = operator.get(reverse("runs:list"), {"kind": "test.sleep", "format": "json"})
    assert b"".join(rows.streaming_content).decode().count("test.sleep") >= 1


def test_the_list_costs_the_same_for_few_and_many(operator: Client) -> None:
    costs = []
    for count in (2, 30):
        for _ in range(count):
            make(State.RUNNING)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert operator.get(reverse("runs:list")).status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 14


def test_a_run_shows_how_it_went(operator: Client) -> None:
    run = make(State.FAILED, error_kind="crash", error="its process <died>", attempt=1, params={"text": "hello"})
    RunAttempt.objects.create(run=run, attempt=1, state=State.FAILED, worker_name="host:1", started_at=timezone.now())
    RunLogLine.objects.create(run=run, attempt=1, at=timezone.now(), level="debug", text="a quiet line")
    RunLogLine.objects.create(run=run, attempt=1, at=timezone.now(), level="error", text="a loud line")
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "its process &lt;died&gt;" in page
    assert "a loud line" in page
    assert "a quiet line" not in page
    assert "Try again" in page
    assert "every 1s" not in page
    log = operator.get(reverse("runs:log", args=[run.pk]), {"level": "debug"}).content.decode()
    assert "a quiet line" in log
    text = operator.get(reverse("runs:log-text", args=[run.pk])).content.decode()
    assert text.count("\n") == 2


def test_an_active_run_asks_again_and_one_that_ends_loads_its_page_anew(operator: Client) -> None:
    run = make(State.RUNNING, progress=0.42, progress_message="band B04")
    part = operator.get(reverse("runs:live", args=[run.pk]), headers={"HX-Request": "true"}).content.decode()
    assert "42 %" in part
    assert "band B04" in part
    assert 'hx-trigger="every 1s"' in part
    Run.objects.filter(pk=run.pk).update(state=State.SUCCEEDED)
    done = operator.get(reverse("runs:live", args=[run.pk]), headers={"HX-Request": "true"})
    assert done.headers["HX-Refresh"] == "true"


def test_a_waiting_run_says_that_no_worker_is_there(operator: Client) -> None:
    run = make(State.QUEUED)
    page = operator.get(run.get_absolute_url()).content.decode()
    assert "No worker is running" in page


def test_start_from_the_form_of_the_declaration(operator: Client) -> None:
    form = operator.get(reverse("runs:start"), {"kind": "test.echo"}).content.decode()
    assert "How often; 1 to 10" in form
    answer = operator.post(reverse("runs:start"), {"kind": "test.echo", "p-text": "hi", "p-count": "11"})
    assert answer.status_code == 422
    assert Run.objects.count() == 0
    answer = operator.post(reverse("runs:start"), {"kind": "test.echo", "p-text": "hi", "p-count": "2"})
    run = Run.objects.get()
    assert answer.headers["Location"] == run.get_absolute_url()
    assert run.params == {"text": "hi", "count": 2}
    assert run.requested_by.username == "a-operator"


def test_start_refuses_an_unknown_product_and_a_foreign_kind(operator: Client) -> None:
    answer = operator.post(reverse("runs:start"), {"kind": "test.product", "product": "S2A_nothing"})
    assert answer.status_code == 422
    assert "No product of this name" in answer.content.decode()
    assert operator.get(reverse("runs:start"), {"kind": "no.such"}).status_code == 404


def test_cancel_and_retry_from_the_page(operator: Client) -> None:
    run = make(State.QUEUED)
    operator.post(reverse("runs:cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    operator.post(reverse("runs:retry", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == State.QUEUED
    assert run.cancel_requested_at is None
    again = operator.post(reverse("runs:retry", args=[run.pk]), follow=True)
    assert "only failed and cancelled runs" in again.content.decode()


def test_a_viewer_sees_but_does_not_act() -> None:
    viewer = signed_in(Role.VIEWER)
    run = make(State.QUEUED)
    assert viewer.get(run.get_absolute_url()).status_code == 200
    assert viewer.post(reverse("runs:cancel", args=[run.pk])).status_code == 403
    assert viewer.get(reverse("runs:start")).status_code == 403
    run.refresh_from_db()
    assert run.state == State.QUEUED


@pytest.mark.parametrize(
    ("media_type", "inline", "served", "saved"),
    [
        ("text/plain", "", "text/plain", True),
        ("image/png", "?inline", "image/png", False),
        ("text/html", "?inline", "application/octet-stream", True),
        ("image/svg+xml", "?inline", "application/octet-stream", True),
    ],
)
def test_files_are_served_as_what_cannot_carry_a_script(
    operator: Client, settings: Any, media_type: str, inline: str, served: str, saved: bool
) -> None:
    run = make()
    folder = settings.MPC_RUNS_DIR / str(run.pk) / "1"
    folder.mkdir(parents=True)
    (folder / 'a "note".txt').write_text("hello")
    artifact = RunArtifact.objects.create(
        run=run, attempt=1, name="note", path='a "note".txt', media_type=media_type, size=5, sha256="0" * 64
    )
    response = operator.get(artifact.get_absolute_url() + inline)
    assert b"".join(response.streaming_content) == b"hello"
    assert response.headers["Content-Type"].split(";")[0] == served
    assert response.headers["Content-Disposition"].startswith("attachment" if saved else "inline")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_that_is_gone_or_leads_away_is_not_found(operator: Client) -> None:
    run = make()
    for path in ("gone.txt", "../../../../etc/passwd"):
        artifact = RunArtifact.objects.create(
            run=run, attempt=1, name=path, path=path, media_type="text/plain", size=5, sha256="0" * 64
        )
        assert operator.get(artifact.get_absolute_url()).status_code == 404
    other = make()
    assert operator.get(reverse("runs:artifact", args=[other.pk, artifact.pk])).status_code == 404


def test_workers_page(operator: Client) -> None:
    fields = {"host": "h", "pid": 1, "process_started": 0.0, "queues": ["default", "qc"], "concurrency": 2}
    alive = Worker.objects.create(name="h:1", last_seen_at=timezone.now(), **fields)
    Worker.objects.create(
        name="h:2", last_seen_at=timezone.now(), stopped_at=timezone.now(), ending="stopped", **fields
    )
    make(State.RUNNING, worker=alive, progress=0.5)
    page = operator.get(reverse("runs:workers")).content.decode()
    assert "1 of 2" in page
    assert "50 %" in page
    assert "h:2" in page
    assert "No worker is running" not in page


def test_home_search_and_navigation_know_runs(operator: Client) -> None:
    run = make(State.FAILED, error="broken at the start")
    assert "broken at the start" in operator.get(reverse("home")).content.decode()
    found = operator.get(reverse("search"), {"q": f"run {run.pk}"})
    assert found.headers.get("Location") == run.get_absolute_url() or f"run {run.pk}" in found.content.decode()
