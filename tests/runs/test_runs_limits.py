"""Queues that are paused or limited, and workers of other software: who may take what."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from mpc.accounts.actors import local_actor
from mpc.accounts.models import AuditEntry, User
from mpc.accounts.roles import Role
from mpc.products.models import Product
from mpc.runs import bell, deployment, queue, queues, services, sweeper
from mpc.runs.models import Deployment, QueueState, Run, State, Worker
from mpc.runs.queue import Ending, Fence
from tests.runs.test_runs_pages import signed_in
from tests.runs.test_runs_queue import claim, make

pytestmark = pytest.mark.django_db


def product(name: str) -> Product:
    return Product.objects.create(name=name, level="L1C", unit="A", path=name, size=0)


def rule(name: str, **fields: Any) -> None:
    QueueState.objects.update_or_create(name=name, defaults=fields)


def end(run: Run) -> None:
    queue.end_attempt(Fence(run.pk, run.attempt), Ending("hopeless", "no"))


def a_worker(**fields: Any) -> Worker:
    given = {"name": "h:1", "host": "h", "pid": 1, "process_started": 0.0, "queues": ["default"], "concurrency": 4}
    return Worker.objects.create(last_seen_at=timezone.now(), **{**given, **fields})


# --- Rules in the claim ----------------------------------------------------------------------------------------------
def test_quality_control_reads_a_product_once_at_a_time_unless_told_otherwise() -> None:
    assert dict(QueueState.objects.values_list("name", "per_product")) == {"default": None, "intake": None, "qc": 1}


def test_a_paused_queue_gives_nothing_and_the_others_go_on() -> None:
    make(queue="qc", priority=9)
    other = make()
    queues.pause_queue("qc", local_actor(), "the disk is exchanged")
    assert claim("default", "qc").pk == other.pk
    assert claim("default", "qc") is None
    queues.resume_queue("qc", local_actor())
    assert claim("default", "qc").queue == "qc"


def test_a_limit_holds_until_a_run_of_the_queue_ends() -> None:
    rule("qc", limit=2, per_product=None)
    for _ in range(3):
        make(queue="qc")
    make(priority=-1)
    taken = [claim("default", "qc") for _ in range(4)]
    assert [run and run.queue for run in taken] == ["qc", "qc", "default", None]
    assert "all 2 of the runs" in queues.why_held(Run.objects.get(state=State.QUEUED))
    end(taken[0])
    assert claim("default", "qc").queue == "qc"


def test_on_one_product_runs_wait_for_each_other_and_not_for_others() -> None:
    one, two = product("one"), product("two")
    first, second, third, free = (make(queue="qc", product=p) for p in (one, one, two, None))
    taken = [claim("qc") for _ in range(3)]
    assert [run.pk for run in taken] == [first.pk, third.pk, free.pk]
    assert claim("qc") is None
    assert (
        queues.why_held(second) == f"Run {first.pk} of this queue works on the same product; this one starts after it."
    )
    make(product=one)
    assert claim("default") is not None, "the limit is the queue's, not the product's"
    end(taken[0])
    assert claim("qc").pk == second.pk


def test_a_run_named_in_person_keeps_the_rules_too() -> None:
    run = make(queue="qc")
    queues.pause_queue("qc", local_actor())
    assert queue.claim_run(run.pk, "here") is None
    queues.resume_queue("qc", local_actor())
    assert queue.claim_run(run.pk, "here").pk == run.pk


def test_nobody_is_rung_for_what_may_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    a_worker()
    make()
    make()
    monkeypatch.setattr(bell, "ring", lambda name: True)
    rule("default", limit=1)
    claim()
    assert sweeper.ring_for_waiting() == {}
    rule("default", limit=None)
    assert sweeper.ring_for_waiting() == {"default": 1}
    rule("default", paused_at=timezone.now())
    assert sweeper.ring_for_waiting() == {}


# --- Changes by people -----------------------------------------------------------------------------------------------
def test_what_is_changed_is_audited_and_not_changed_twice() -> None:
    actor = local_actor()
    queues.pause_queue("qc", actor, "  why  ")
    with pytest.raises(queues.NotNow, match="paused already"):
        queues.pause_queue("qc", actor)
    queues.resume_queue("qc", actor)
    with pytest.raises(queues.NotNow, match="is not paused"):
        queues.resume_queue("qc", actor)
    queues.limit_queue("qc", actor, limit=4, per_product=None)
    with pytest.raises(ValueError, match="pause the queue"):
        queues.limit_queue("qc", actor, limit=0, per_product=None)
    entries = AuditEntry.objects.filter(action__startswith="runs.").order_by("pk")
    assert list(entries.values_list("action", "object_label", "before", "after")) == [
        ("runs.pause_queue", "queue qc", {"paused": False}, {"paused": True, "why": "why"}),
        ("runs.resume_queue", "queue qc", {"paused": True, "why": "why"}, {"paused": False}),
        ("runs.limit_queue", "queue qc", {"limit": None, "per_product": 1}, {"limit": 4, "per_product": None}),
    ]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.QC_ENGINEER, Role.ESL_EXPERT])
def test_who_may_not_change_queues_changes_none(role: Role) -> None:
    client = signed_in(role)
    user = User.objects.get(username=f"a-{role}")
    for change in (
        lambda: queues.pause_queue("qc", user),
        lambda: queues.resume_queue("qc", user),
        lambda: queues.limit_queue("qc", user, limit=1, per_product=1),
    ):
        with pytest.raises(PermissionDenied, match="Operator"):
            change()
    assert client.post(reverse("runs:queue-pause", args=["qc"])).status_code == 403
    assert client.post("/api/v1/queues/qc/pause/").status_code == 403
    page = client.get(reverse("runs:workers")).content.decode()
    assert "Keep limits" not in page
    assert "pause, resume and limit queues takes the role" in page


def test_pause_limit_and_resume_from_the_page() -> None:
    client = signed_in(Role.OPERATOR)
    run = make(queue="qc")
    page = client.post(reverse("runs:queue-pause", args=["qc"]), {"reason": "maintenance <b>"}, follow=True)
    assert "maintenance &lt;b&gt;" in page.content.decode()
    waiting = client.get(run.get_absolute_url()).content.decode()
    assert "is paused by a-operator: maintenance &lt;b&gt;" in waiting
    client.post(reverse("runs:queue-limit", args=["qc"]), {"limit": "3", "per_product": ""})
    state = QueueState.objects.get(pk="qc")
    assert (state.paused, state.limit, state.per_product) == (True, 3, None)
    for wrong in ("0", "two", "99999"):
        client.post(reverse("runs:queue-limit", args=["qc"]), {"limit": wrong})
        assert QueueState.objects.get(pk="qc").limit == 3
    client.post(reverse("runs:queue-resume", args=["qc"]))
    assert not QueueState.objects.get(pk="qc").paused
    assert client.post(reverse("runs:queue-pause", args=["nothing"])).status_code == 404
    assert not QueueState.objects.filter(pk="nothing").exists()


def test_pause_limit_and_resume_over_the_api() -> None:
    client = signed_in(Role.OPERATOR)
    make(queue="qc")
    a_worker(queues=["qc"])

    def post(path: str, body: Any = None) -> Any:
        return client.post(f"/api/v1/queues/{path}/", body or {}, content_type="application/json")

    paused = post("qc/pause", {"reason": "why"})
    assert (paused.status_code, paused.json()["paused"], paused.json()["paused_by"]) == (200, True, "a-operator")
    assert post("qc/pause").status_code == 409
    assert post("qc/resume").json()["paused"] is False
    assert post("qc/resume").status_code == 409
    assert post("qc/limit", {"limit": 5, "per_product": None}).json()["limit"] == 5
    assert post("qc/limit", {"limit": 0, "per_product": None}).status_code == 400
    assert post("nothing/pause").status_code == 404
    listed = {q["name"]: q for q in client.get("/api/v1/queues/").json()}
    assert (listed["qc"]["waiting"], listed["qc"]["served"], listed["default"]["served"]) == (1, True, False)


def test_the_page_costs_the_same_for_few_and_many_queues(django_assert_max_num_queries: Any) -> None:
    client = signed_in(Role.OPERATOR)
    for n in range(12):
        state = State.RUNNING if n % 2 else State.QUEUED
        make(state=state, queue=f"q{n}", worker=a_worker(name=f"h:{n}"))
    with django_assert_max_num_queries(14):
        assert client.get(reverse("runs:workers")).status_code == 200


# --- Software --------------------------------------------------------------------------------------------------------
def deployed(version: str, commit: str) -> None:
    Deployment.objects.update_or_create(pk=1, defaults={"version": version, "commit": commit, "at": timezone.now()})


@pytest.mark.parametrize(
    ("version", "commit", "works"),
    [
        ("1.0", "abc", True),
        ("1.0", "unknown", True),
        ("1.0", "other", False),
        ("1.1", "abc", False),
        ("1.1", "unknown", False),
    ],
)
def test_only_the_deployed_software_takes_runs(settings: Any, version: str, commit: str, works: bool) -> None:
    settings.MPC_SOFTWARE_VERSION, settings.MPC_GIT_COMMIT = "1.0", "abc"
    make()
    deployed(version, commit)
    assert (claim() is not None) is works
    assert (deployment.refusal() == "") is works


def test_software_that_knows_no_commit_goes_by_its_version(settings: Any) -> None:
    settings.MPC_SOFTWARE_VERSION, settings.MPC_GIT_COMMIT = "1.0", "unknown"
    make()
    deployed("1.0", "abc")
    assert claim() is not None


def test_preparing_the_centre_declares_its_software(settings: Any, tmp_path: Any) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    deployed("0.0.1", "old")
    make()
    assert claim() is None
    call_command("prepare", "--no-demo")
    assert str(Deployment.objects.get()).startswith(settings.MPC_SOFTWARE_VERSION)
    assert claim() is not None


def test_a_refused_worker_is_named_on_every_page() -> None:
    client = signed_in(Role.OPERATOR)
    refuses = "Refused: this worker is of version 1.0, deployed is 2.0."
    old = a_worker(name="old:1", refuses=refuses)
    run = make()
    assert "No worker takes work. old:1: Refused" in client.get(run.get_absolute_url()).content.decode()
    a_worker(name="new:1")
    page = client.get(reverse("runs:workers")).content.decode()
    assert f"Worker old:1 takes no run: {refuses}" in page
    assert services.waiting_reason("default") == ""
    old.delete()
    assert "takes no run" not in client.get(reverse("runs:workers")).content.decode()


def test_a_command_works_in_place_whatever_software_is_deployed(settings: Any) -> None:
    """Who calls a command means its software; only workers that were left behind are refused."""
    settings.MPC_SOFTWARE_VERSION, settings.MPC_GIT_COMMIT = "1.0", "abc"
    run = make()
    deployed("1.1", "other")
    assert deployment.refusal()
    assert claim() is None
    claimed = queue.claim_run(run.pk, "a command")
    assert claimed is not None
    assert claimed.pk == run.pk
