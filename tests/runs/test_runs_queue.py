"""The transitions of a run: who may take it, and what the fence keeps out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from mpc.accounts.actors import local_actor
from mpc.accounts.models import AuditEntry, RoleGrant, User
from mpc.accounts.roles import Role
from mpc.jobs import Outcome, UnknownJob, get_job
from mpc.products.models import Product
from mpc.runs import bell, files, finishing, patience, queue, services, sweeper
from mpc.runs.models import ErrorKind, Run, RunArtifact, RunAttempt, RunLogLine, State, Worker
from mpc.runs.queue import Ending, Fence, Late
from mpc.runs.supervisor import supervise
from mpc.runs.wire import Line, Usage

pytestmark = pytest.mark.django_db
LINES = [Line(0.0, "info", "a line")]


def make(**fields: Any) -> Run:
    given = {"kind": "test.echo", "title": "t", "trigger": "user", "queue": "default", **fields}
    return Run.objects.create(**given)


def claim(*queues: str) -> Run | None:
    return queue.claim_next(queues or ("default",), None, "here")


def test_the_best_run_is_taken_first() -> None:
    later = timezone.now() + timedelta(hours=1)
    old, urgent = make(), make(priority=5)
    make(queue="qc", priority=9)
    make(priority=9, not_before=later)
    make(priority=9, state=State.CANCELLED)
    waited = make(priority=1, not_before=timezone.now() - timedelta(seconds=5))
    assert [claim().pk for _ in range(3)] == [urgent.pk, waited.pk, old.pk]
    assert claim() is None
    assert claim("default", "qc").queue == "qc"


def test_many_are_asked_for_at_once_as_one_by_one(django_capture_on_commit_callbacks: Any) -> None:
    wanted = [(None, {"text": text}) for text in ("a", "b", "a")]
    with django_capture_on_commit_callbacks() as rings:
        free = services.request_runs("test.echo", actor=local_actor(), wanted=wanted, trigger="command")
        once = services.request_runs("test.once", actor=local_actor(), wanted=wanted, trigger="command")
    assert [(run.params["text"], new) for run, new in free] == [("a", True), ("b", True), ("a", True)]
    assert [new for _, new in once] == [True, True, False]
    assert once[0][0].pk == once[2][0].pk
    started = AuditEntry.objects.filter(action="runs.start").order_by("pk")
    assert [e.object_id for e in started] == [str(run.pk) for run, new in [*free, *once] if new]
    assert started[0].after == {"kind": "test.echo", "params": {"text": "a", "count": 1}}
    assert len(rings) == 5


def test_of_many_none_is_asked_for_when_one_makes_no_sense() -> None:
    wanted = [(None, {"text": "a"}), (None, {"count": 99})]
    with pytest.raises(services.CannotRequest):
        services.request_runs("test.echo", actor=local_actor(), wanted=wanted)
    gone = Product.objects.create(name="p", level="L1C", unit="A", path="p", size=0, withdrawn_at=timezone.now())
    for ask in (
        lambda: services.request_run("test.product", actor=local_actor(), product=gone),
        lambda: services.request_runs("test.product", actor=local_actor(), wanted=[(gone, {})]),
    ):
        with pytest.raises(services.CannotRequest, match="withdrawn"):
            ask()
    assert not Run.objects.exists()


def test_a_claim_raises_the_attempt_and_forgets_the_last_one() -> None:
    run = make(error="before", error_kind="passing", progress=0.5, verdict="FAILED")
    taken = claim()
    assert (taken.state, taken.attempt, taken.error, taken.progress, taken.verdict) == ("running", 1, "", 0.0, "")
    assert taken.heartbeat_at is not None
    assert RunAttempt.objects.get(run=run).worker_name == "here"


LATE_WRITES = {
    "beat": lambda fence: queue.beat(fence, progress=(0.9, "late"), lines=LINES),
    "end": lambda fence: queue.end_attempt(fence, Ending(ErrorKind.ERROR, "late"), lines=LINES),
    "succeed": lambda fence: queue.succeed(
        fence, usage=Usage(), wall_s=1.0, lines=LINES, keep=lambda: pytest.fail("kept"), summary="late"
    ),
}


@pytest.mark.parametrize("write", LATE_WRITES)
@pytest.mark.parametrize("fate", ["taken again", "queued again", "over"])
def test_a_late_attempt_writes_nothing(write: str, fate: str) -> None:
    make()
    late = Fence(claim().pk, 1)
    queue.end_attempt(late, Ending(ErrorKind.LOST, "lost", again=True, at_once=True))
    if fate != "queued again":
        claim()
    if fate == "over":
        queue.end_attempt(Fence(late.run_id, 2), Ending(ErrorKind.HOPELESS, "no"))
    before = Run.objects.filter(pk=late.run_id).values().get()
    if write == "beat":
        assert LATE_WRITES[write](late) is False
    else:
        with pytest.raises(Late):
            LATE_WRITES[write](late)
    assert Run.objects.filter(pk=late.run_id).values().get() == before
    assert not RunLogLine.objects.exists()
    assert not queue.look(late).mine


def test_a_late_success_removes_its_files_and_those_of_the_living_stay(nursery: Any) -> None:
    make(kind="test.write_files", params={})
    late = claim()
    queue.end_attempt(Fence(late.pk, 1), Ending(ErrorKind.LOST, "lost", again=True, at_once=True))
    living = claim()
    assert supervise(late, nursery) is None
    assert not files.folder_of(Fence(late.pk, 1)).exists()
    assert supervise(living, nursery) == State.SUCCEEDED
    artifact = RunArtifact.objects.get()
    assert (artifact.attempt, files.path_of(artifact).exists()) == (2, True)


def test_a_commit_whose_answer_was_lost_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks while COMMIT is answered: asked again, the row is closed already, by this very attempt."""
    make()
    run = claim()
    (files.make_folder(Fence(run.pk, 1)) / "kept.txt").write_text("kept")
    real, calls = queue.succeed, []

    def succeed_then_break(*args: Any, **fields: Any) -> None:
        real(*args, **fields)
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("server closed the connection unexpectedly")

    class _Outside:
        in_atomic_block = False

        def close(self) -> None:
            pass

    monkeypatch.setattr(queue, "succeed", succeed_then_break)
    monkeypatch.setattr(patience, "connection", _Outside())
    state = finishing.keep_success(
        run, get_job("test.echo"), Outcome(summary="done"), (), usage=Usage(), wall_s=1.0, lines=LINES
    )
    assert state == State.SUCCEEDED
    assert calls == [1]
    assert (files.folder_of(Fence(run.pk, 1)) / "kept.txt").exists()
    assert RunLogLine.objects.count() == 1


def test_a_cancel_wins_over_another_attempt() -> None:
    make()
    run = claim()
    assert queue.ask_to_cancel(run.pk, local_actor())
    state = queue.end_attempt(Fence(run.pk, 1), Ending(ErrorKind.PASSING, "wait", again=True))
    assert state == State.CANCELLED
    assert RunAttempt.objects.get().state == State.CANCELLED


def test_being_handed_back_does_not_count() -> None:
    make(max_attempts=1)
    run = claim()
    assert queue.end_attempt(Fence(run.pk, 1), Ending(ErrorKind.RELEASED, "stopping")) == State.QUEUED
    again = claim()
    assert (again.attempt, again.max_attempts) == (2, 2)


def test_the_silent_are_swept_and_the_beating_are_not() -> None:
    run, beating = make(max_attempts=2), make()
    claim(), claim()
    for attempt in (1, 2):
        Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=5))
        assert sweeper.sweep() == [run.pk]
        run.refresh_from_db()
        assert run.state == (State.QUEUED if attempt == 1 else State.FAILED)
        claim()
    assert (run.error_kind, run.attempt) == ("lost", 2)
    assert run.error.startswith("Lost its worker 2 times")
    beating.refresh_from_db()
    assert beating.state == State.RUNNING


def test_a_dead_worker_is_found_by_its_process() -> None:
    fields = {"host": "h", "node": "this", "process_started": 0.0, "last_seen_at": timezone.now()}
    dead = Worker.objects.create(name="h:1", pid=2**22 - 1, **fields)
    far = Worker.objects.create(name="h:2", pid=2**22 - 1, **{**fields, "node": "another machine"})
    make(), make()
    of_dead = queue.claim_next(["default"], dead, "h:1")
    of_far = queue.claim_next(["default"], far, "h:2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeper, "node", lambda: "this")
        assert sweeper.sweep() == [of_dead.pk]
    assert Run.objects.get(pk=of_far.pk).state == State.RUNNING
    assert Worker.objects.get(pk=dead.pk).ending == "found dead"


def test_bells_ring_only_for_who_has_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(bell, "ring", lambda name: rung.append(name) or True)
    for _ in range(3):
        make(queue="qc")
    assert sweeper.ring_for_waiting() == {}
    fields = {"host": "h", "pid": 1, "process_started": 0.0, "last_seen_at": timezone.now(), "concurrency": 2}
    worker = Worker.objects.create(name="h:1", queues=["qc"], **fields)
    Worker.objects.create(name="h:2", queues=["default"], **fields)
    assert sweeper.ring_for_waiting() == {"qc": 2}
    queue.claim_next(["qc"], worker, "h:1")
    assert sweeper.ring_for_waiting() == {"qc": 1}
    assert rung == ["qc"] * 3


def test_after_an_absence_of_the_database_nobodys_silence_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[int] = []
    clock = iter([0.0, 1.0, 5.0, 7.0, 60.0, 61.0])
    monkeypatch.setattr(sweeper, "sweep", lambda: swept.append(1) or [])
    monkeypatch.setattr(sweeper.time, "monotonic", lambda: next(clock))
    patient = sweeper.PatientSweep(grace_s=5.0)
    seen = []
    for _ in range(6):
        patient()
        seen.append(len(swept))
    assert seen == [0, 0, 1, 2, 2, 2]


def test_a_failing_step_of_the_sweeper_stays_alone() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    assert sweeper.do_step(sweeper.Step("fails", 1.0, fail)) is False
    assert sweeper.do_step(sweeper.Step("works", 1.0, lambda: None)) is True


# --- Asking for runs -------------------------------------------------------------------------------------------------
def test_an_equal_run_is_handed_back_until_it_is_over(ask: Any) -> None:
    first, second = ask("once", text="a"), ask("once", text="a")
    assert first.pk == second.pk
    assert ask("once", text="b").pk != first.pk
    services.cancel_run(first, local_actor())
    third = ask("once", text="a")
    assert third.pk != first.pk
    with pytest.raises(services.NotNow, match=f"as run {third.pk}"):
        services.retry_run(first, local_actor())


def test_what_makes_no_sense_is_refused() -> None:
    actor = local_actor()
    with pytest.raises(UnknownJob):
        services.request_run("no.such", actor=actor)
    with pytest.raises(services.CannotRequest) as refused:
        services.request_run("test.product", actor=actor, params={"count": 99, "colour": "red"})
    assert set(refused.value.errors) == {"product", "count", "colour"}
    assert not Run.objects.exists()


def test_roles_and_audit() -> None:
    viewer = User.objects.create_user("viewer")
    RoleGrant.objects.create(user=viewer, role=Role.VIEWER)
    with pytest.raises(PermissionDenied):
        services.request_run("test.echo", actor=viewer)
    run, _ = services.request_run("test.echo", actor=viewer, trigger="schedule")
    with pytest.raises(PermissionDenied):
        services.retry_run(run, viewer)
    services.cancel_run(run, viewer)  # who asked for it may
    services.retry_run(run, local_actor())
    entries = AuditEntry.objects.filter(action__startswith="runs.").order_by("pk")
    assert [(e.action, e.actor_name) for e in entries] == [("runs.cancel", "viewer"), ("runs.retry", "local")]


def test_the_bell_rings_after_the_commit_and_may_fail(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, ask: Any
) -> None:
    from mpc.celery import app

    def broken(*args: Any, **options: Any) -> None:
        raise ConnectionRefusedError("no broker")

    monkeypatch.setattr(app, "send_task", broken)
    monkeypatch.setattr(bell, "_pause_until", 0.0)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        run = ask("echo")
    assert len(callbacks) == 1
    assert Run.objects.get(pk=run.pk).state == State.QUEUED


def test_no_worker_is_said_for_all_and_for_a_queue() -> None:
    assert "No worker is running" in services.no_worker_reason()
    fields = {"host": "h", "pid": 1, "process_started": 0.0}
    old = timezone.now() - timedelta(minutes=5)
    Worker.objects.create(name="h:1", queues=["qc"], last_seen_at=old, **fields)
    assert services.no_worker_reason()
    Worker.objects.create(name="h:2", queues=["qc"], last_seen_at=timezone.now(), **fields)
    assert services.no_worker_reason() == ""
    assert "“intake”" in services.no_worker_reason("intake")


def test_a_rolled_back_request_leaves_nothing(ask: Any) -> None:
    with transaction.atomic():
        ask("once", text="a")
        transaction.set_rollback(True)
    assert not Run.objects.exists()


def test_a_run_that_another_takes_at_this_moment_is_not_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other claimer comes between the look at the queue and the conditional update."""
    first, second = make(), make()
    real, stolen = queue._first, []

    def steal_first(statement: Any) -> Run | None:
        found = real(statement)
        if found is not None and not stolen and connection.in_atomic_block:
            stolen.append(found.pk)
            assert queue._take(real(statement), None, "thief")
        return found

    monkeypatch.setattr(queue, "_first", steal_first)
    assert claim().pk == second.pk
    assert stolen == [first.pk]
    assert sorted(RunAttempt.objects.values_list("run_id", "worker_name")) == [(first.pk, "thief"), (second.pk, "here")]
