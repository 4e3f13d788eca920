"""The transitions of a run. Each is one transaction around one conditional UPDATE; nobody else writes ``Run.state``.

    queued --claim--> running --succeed--> succeeded
       ^                 |---end_attempt--> queued (again, later) | failed | cancelled
       |-----reopen------'                            (by a person, from failed or cancelled)

A claim raises ``attempt``. The pair (run, attempt) is the fence: every write of whoever works says "as long as this run
is running and its attempt is mine". A process that lost its run, because it slept, was cut off or was thought dead,
finds no row and writes nothing.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from mpc.jobs import job_of
from mpc.runs import deployment, queues
from mpc.runs.models import OVER, ErrorKind, Run, RunAttempt, RunLogLine, State, Worker
from mpc.runs.texts import LINE_LENGTH, clean
from mpc.runs.wire import Line, Usage

logger = logging.getLogger(__name__)

BACKOFF_MAX_S = 300.0
NOT_MINE = "the run is not ours any more"


class Late(Exception):
    """Somebody else has the run by now, or it is over: nothing may be written."""


@dataclass(frozen=True)
class Fence:
    run_id: int
    attempt: int

    def row(self) -> QuerySet[Run]:
        return Run.objects.filter(pk=self.run_id, attempt=self.attempt, state=State.RUNNING)

    def attempt_row(self) -> QuerySet[RunAttempt]:
        return RunAttempt.objects.filter(run_id=self.run_id, attempt=self.attempt)


def eligible(names: Iterable[str] | None = None) -> QuerySet[Run]:
    """Queued runs (of these queues) whose time has come."""
    waiting = Run.objects.filter(state=State.QUEUED).filter(Q(not_before=None) | Q(not_before__lte=Now()))
    return waiting if names is None else waiting.filter(queue__in=list(names))


def startable(waiting: QuerySet[Run]) -> QuerySet[Run]:
    """Those of the eligible runs that queues, limits and the deployed software let this process start now."""
    return deployment.for_this_software(queues.open_runs(waiting))


def claim_next(served: Sequence[str], worker: Worker | None, worker_name: str) -> Run | None:
    """Take the best run of these queues that may start: highest priority, then oldest. None when there is none."""
    software = (settings.MPC_SOFTWARE_VERSION, settings.MPC_GIT_COMMIT)
    return _claim(partial(_best_of, connection.vendor, tuple(served), software), worker, worker_name)


def claim_run(run_id: int, worker_name: str) -> Run | None:
    """Take this run, whatever its place in the queue, if its queue is open and its limits leave room.

    For a command that does the work in place: who calls it means the software that it belongs to.
    """
    return _claim(lambda locked: _best(queues.open_runs(eligible().filter(pk=run_id)), locked), None, worker_name)


Statement = tuple[str, tuple[Any, ...]]


@lru_cache(maxsize=32)
def _best_of(vendor: str, served: tuple[str, ...], software: tuple[str, str], locked: bool) -> Statement:
    # Kept, for to build this statement takes longer than to execute it; it differs by all that is given here.
    return _statement(eligible(served), locked)


def _statement(waiting: QuerySet[Run], locked: bool) -> Statement:
    return _best(startable(waiting), locked)


def _best(open_runs: QuerySet[Run], locked: bool) -> Statement:
    best = open_runs.order_by("-priority", "id")
    if locked and connection.features.has_select_for_update_skip_locked:
        best = best.select_for_update(skip_locked=True)
    sql, params = best[:1].query.sql_with_params()
    return sql, tuple(params)


def _claim(best: Callable[[bool], Statement], worker: Worker | None, worker_name: str) -> Run | None:
    skips_locked = connection.features.has_select_for_update_skip_locked
    while True:
        # Where a transaction holds up all others a look at an empty queue takes none.
        if not skips_locked and _first(best(False)) is None:
            return None
        with transaction.atomic():
            run = _first(best(True))
            if run is None:
                return None  # or what is left is being taken by others at this moment
            if _take(run, worker, worker_name):
                return run
        # Another took it, or the last place of its queue, at this moment.


def _first(statement: Statement) -> Run | None:
    return next(iter(Run.objects.raw(*statement)), None)


def _take(run: Run, worker: Worker | None, worker_name: str) -> bool:
    """Make the run found a running one, here and in its row; False when it may not start any more."""
    if run.limited:
        queues.lock(run.queue)
        # Whoever had the lock before has claimed: only now the counts are true.
        if not startable(Run.objects.filter(pk=run.pk)).exists():
            return False
    version = {"software_version": settings.MPC_SOFTWARE_VERSION, "git_commit": settings.MPC_GIT_COMMIT}
    change: dict[str, Any] = {
        "state": State.RUNNING, "attempt": run.attempt + 1, "worker": worker, "not_before": None, "finished_at": None,
        "progress": 0.0, "progress_message": "", "verdict": "", "summary": "", "error_kind": "", "error": "",
        "cpu_s": None, "wall_s": None, "peak_rss_mb": None, **version,
    }  # fmt: skip
    times = ("claimed_at", "heartbeat_at", "started_at")
    queued = Run.objects.filter(pk=run.pk, attempt=run.attempt, state=State.QUEUED)
    if not queued.update(**change, **dict.fromkeys(times, Now())):
        return False
    for name, value in {**change, **dict.fromkeys(times, timezone.now())}.items():
        setattr(run, name, value)
    RunAttempt.objects.create(
        run=run, attempt=run.attempt, worker=worker, worker_name=worker_name, started_at=Now(), **version
    )
    return True


@dataclass(frozen=True)
class Standing:
    """What the supervisor learns about its run by looking."""

    mine: bool
    cancel: bool


def look(fence: Fence) -> Standing:
    found = list(fence.row().values_list("cancel_requested_at", flat=True))
    return Standing(mine=bool(found), cancel=bool(found) and found[0] is not None)


def beat(
    fence: Fence, *, progress: tuple[float, str] | None = None, usage: Usage | None = None, lines: Sequence[Line] = ()
) -> bool:
    """Say that the attempt lives, how far it is and what it said; False when it is not ours any more."""
    news: dict[str, Any] = {"heartbeat_at": Now()}
    if progress is not None:
        news |= {"progress": progress[0], "progress_message": clean(progress[1], 300)}
    if usage is not None:
        news |= {"cpu_s": usage.cpu_s, "peak_rss_mb": usage.peak_rss_mb}
    with transaction.atomic():
        if not fence.row().update(**news):
            return False
        add_lines(fence, lines)
    return True


def add_lines(fence: Fence, lines: Sequence[Line]) -> None:
    """Write log lines; only inside a transaction that has passed the fence."""
    RunLogLine.objects.bulk_create(
        [
            RunLogLine(
                run_id=fence.run_id, attempt=fence.attempt, at=datetime.fromtimestamp(line.at, UTC),
                level=line.level, text=clean(line.text, LINE_LENGTH),
            )
            for line in lines
        ],
        batch_size=500,
    )  # fmt: skip


def succeed(
    fence: Fence, *, usage: Usage, wall_s: float, lines: Sequence[Line], keep: Callable[[], None], **result: Any
) -> None:
    """Close the run with its results in one transaction: ``keep()`` writes them behind the fence. Raises Late."""
    spent = {"finished_at": Now(), "cpu_s": usage.cpu_s, "wall_s": wall_s, "peak_rss_mb": usage.peak_rss_mb}
    with transaction.atomic():
        closed = fence.row().update(
            state=State.SUCCEEDED, progress=1.0, heartbeat_at=None, error_kind="", error="", **spent, **result
        )
        if not closed:
            raise Late(NOT_MINE)
        fence.attempt_row().update(state=State.SUCCEEDED, **spent)
        add_lines(fence, lines)
        keep()


def has_succeeded(fence: Fence) -> bool:
    """Whether this very attempt's results were committed, which a broken connection may leave unsaid."""
    return fence.attempt_row().filter(state=State.SUCCEEDED).exists()


@dataclass(frozen=True)
class Ending:
    """How an attempt that did not succeed ended. ``again``: another attempt may do better."""

    kind: ErrorKind
    text: str
    again: bool = False
    at_once: bool = False


def end_attempt(
    fence: Fence,
    ending: Ending,
    *,
    usage: Usage | None = None,
    wall_s: float | None = None,
    lines: Sequence[Line] = (),
    only_if: Q | None = None,
) -> State:
    """Close an attempt that did not succeed; the run is queued again, failed or cancelled. Raises Late."""
    usage = usage or Usage()
    spent = {"cpu_s": usage.cpu_s, "wall_s": wall_s, "peak_rss_mb": usage.peak_rss_mb}
    with transaction.atomic():
        row = fence.row().filter(only_if) if only_if is not None else fence.row()
        # The row is locked before it is judged, so that a cancel which comes at this moment is not overlooked.
        run = row.select_for_update().only("max_attempts", "cancel_requested_at").first()
        if run is None:
            raise Late(NOT_MINE)
        state, kind, text, change = _judge(fence, run, ending)
        if not fence.row().update(
            state=state, error_kind=kind, error=clean(text), heartbeat_at=None, worker=None, **spent, **change
        ):
            raise Late(NOT_MINE)
        attempt_state = State.CANCELLED if state == State.CANCELLED else State.FAILED
        fence.attempt_row().update(
            state=attempt_state, error_kind=kind, error=clean(ending.text), finished_at=Now(), **spent
        )
        add_lines(fence, lines)
        if state in OVER:
            _give_up(fence.run_id)
    return state


def _give_up(run_id: int) -> None:
    """Tell the kind of job that this run is over without success; part of the transaction that closes it.

    Whatever the job does wrong here must not keep the run open.
    """
    run = Run.objects.get(pk=run_id)
    job = job_of(run.kind)
    if job is None or job.given_up is None:
        return
    try:
        with transaction.atomic():
            job.given_up(run)
    except DatabaseError:
        raise  # the closing is tried again
    except Exception:
        logger.exception("run %s: what its kind does when it is given up failed", run_id)


def _judge(fence: Fence, run: Run, ending: Ending) -> tuple[State, ErrorKind, str, dict[str, Any]]:
    if run.cancel_requested_at is not None or ending.kind == ErrorKind.CANCELLED:
        return State.CANCELLED, ErrorKind.CANCELLED, "cancelled", {"finished_at": Now()}
    if ending.kind == ErrorKind.RELEASED:  # no fault of the run: the attempt is not counted against it
        return State.QUEUED, ending.kind, ending.text, {"max_attempts": F("max_attempts") + 1, "not_before": None}
    if ending.again and fence.attempt < run.max_attempts:
        not_before = None if ending.at_once else Now() + timedelta(seconds=backoff_s(fence.attempt))
        return State.QUEUED, ending.kind, ending.text, {"not_before": not_before}
    text = ending.text
    if ending.again and fence.attempt > 1:
        text = f"{text} This was attempt {fence.attempt} of {run.max_attempts}."
    return State.FAILED, ending.kind, text, {"finished_at": Now()}


def backoff_s(attempt: int) -> float:
    """How long a run waits after its ``attempt``-th failure: doubling, at most five minutes, spread by a quarter."""
    base = getattr(settings, "MPC_RETRY_BACKOFF_S", 5.0)
    return min(base * 2 ** (attempt - 1), BACKOFF_MAX_S) * random.uniform(1.0, 1.25)  # noqa: S311 - no secret


def cancel_queued(run_id: int, actor: Any) -> bool:
    """Cancel a run that nobody has taken; False when it is not queued."""
    with transaction.atomic():
        cancelled = Run.objects.filter(pk=run_id, state=State.QUEUED).update(
            state=State.CANCELLED, cancel_requested_at=Now(), cancel_requested_by=actor, finished_at=Now(),
            error_kind=ErrorKind.CANCELLED, error="cancelled before it started", not_before=None,
        )  # fmt: skip
        if cancelled:
            _give_up(run_id)
    return bool(cancelled)


def ask_to_cancel(run_id: int, actor: Any) -> bool:
    """Tell the supervisor of a running run to stop it; False when it is not running."""
    return bool(
        Run.objects.filter(pk=run_id, state=State.RUNNING).update(
            cancel_requested_at=Now(), cancel_requested_by=actor, progress_message="stopping"
        )
    )


def reopen(run_id: int, more_attempts: int) -> bool:
    """Queue a failed or cancelled run again with further attempts; False when it is neither.

    Raises IntegrityError when an equal run is active.
    """
    return bool(
        Run.objects.filter(pk=run_id, state__in=[State.FAILED, State.CANCELLED]).update(
            state=State.QUEUED, max_attempts=F("attempt") + more_attempts, not_before=None, finished_at=None,
            cancel_requested_at=None, cancel_requested_by=None, progress=0.0, progress_message="", worker=None,
        )
    )  # fmt: skip


def lose(lost_after_s: float, dead_workers: Sequence[int] = ()) -> list[tuple[int, State]]:
    """Take running runs away from workers that are dead or too long silent; hands back what became of them."""
    silent = Q(heartbeat_at__lt=Now() - timedelta(seconds=lost_after_s))
    gone = silent | Q(worker__in=list(dead_workers)) if dead_workers else silent
    fates = []
    for run in Run.objects.filter(gone, state=State.RUNNING).only("pk", "attempt", "heartbeat_at").order_by("pk")[:500]:
        fence = Fence(run.pk, run.attempt)
        times = 1 + RunAttempt.objects.filter(run=run, error_kind=ErrorKind.LOST).count()
        often = f"{times} time{'s' if times > 1 else ''}"
        text = f"Lost its worker {often}: it ended or fell silent while it worked on this run."
        try:
            fates.append(
                (run.pk, end_attempt(fence, Ending(ErrorKind.LOST, text, again=True, at_once=True), only_if=gone))
            )
        except Late:
            continue  # it beat, or ended, at this moment
    return fates
