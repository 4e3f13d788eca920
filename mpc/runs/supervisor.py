"""One attempt of one run, watched from its claim to its end.

The work is in a child process; this thread only waits. It beats the heart by SQL, passes on what the child says, looks
whether a cancel was asked for, keeps the limits of time and memory, and closes the row. The heart beats here and not in
the child, because a compiled kernel may keep every other thread of the child from running.
"""

from __future__ import annotations

import logging
import pickle
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from mpc.jobs import HopelessError, Inputs, Job, Outcome, ParamError, PassingError, UnknownJob, get_job, parse_params
from mpc.runs import files, finishing, queue, wire
from mpc.runs.child import keep_files
from mpc.runs.children import ChildProcess, Nursery, describe_status
from mpc.runs.models import ErrorKind, Run, State
from mpc.runs.patience import AWAY, patiently
from mpc.runs.portions import KEPT, DatabasePortions, Interrupted
from mpc.runs.queue import Ending, Fence, Late

logger = logging.getLogger(__name__)

LOOK_S = 0.5
MEASURE_S = 0.5
FLUSH_S = 1.0
DEATH_S = 2.0
LINES_MAX = 5000


class _Refused(Exception):
    """The attempt ends before the work begins."""

    def __init__(self, ending: Ending, trace: str = "") -> None:
        self.ending = ending
        self.trace = trace
        super().__init__(ending.text)


@dataclass
class _Stop:
    """A decision to end the work: ``ending`` is what becomes of the attempt, ``kill_at`` when patience ends."""

    ending: Ending | None
    kill_at: float


def supervise(run: Run, nursery: Nursery, stopping: threading.Event | None = None) -> State | None:
    """Do the claimed ``run`` and close its row; hands back its new state, or None when it was not ours any more."""
    return _Supervision(run, nursery, stopping or threading.Event()).go()


class _Supervision:
    def __init__(self, run: Run, nursery: Nursery, stopping: threading.Event) -> None:
        self.run = run
        self.fence = Fence(run.pk, run.attempt)
        self.nursery = nursery
        self.stopping = stopping
        self.began = time.monotonic()
        self.lines: list[wire.Line] = []
        self.lines_taken = 0
        self.progress: tuple[float, str] | None = None
        self.cpu_before = 0.0
        self.usage = wire.Usage()
        self.stop: _Stop | None = None

    def go(self) -> State | None:
        try:
            return self._attempt()
        except Late:
            logger.warning(
                "run %s attempt %s: %s; nothing was written", self.fence.run_id, self.fence.attempt, queue.NOT_MINE
            )
            files.drop(self.fence)
            return None
        except _Refused as refused:
            if refused.trace:
                self._note("error", refused.trace)
            return self._fail(refused.ending)
        except AWAY:
            logger.exception("run %s: the database stayed away; the sweeper will settle the run", self.fence.run_id)
            return None
        except BaseException as error:
            # This process is ending (Ctrl-C in a command) or our own code is wrong: the run need not wait for a sweep.
            leaving = not isinstance(error, Exception)
            kind = ErrorKind.RELEASED if leaving else ErrorKind.ERROR
            self._fail_quietly(Ending(kind, f"{type(error).__name__} in the supervisor: {error}", again=leaving))
            raise

    def _attempt(self) -> State:
        job, params = self._declared()
        if job.in_database is not None:
            return self._work_in_database(job, params)
        order = self._order(job, params)
        try:
            child = self.nursery.borrow()
        except OSError as error:
            raise _Refused(Ending(ErrorKind.PASSING, f"No process could be started: {error}", again=True)) from error
        try:
            self.cpu_before = child.own_cpu_s()
            child.give(order)
            answer = self._watch(child, job)
        except BaseException:
            child.end()
            raise
        # The child is free, or dead, before the database is asked: the next run need not wait for a commit.
        self.nursery.give_back(child)
        return self._close(job, answer)

    # --- before ------------------------------------------------------------------------------------------------------
    def _declared(self) -> tuple[Job, Any]:
        try:
            job = get_job(self.run.kind)
            return job, parse_params(job.params, self.run.params)
        except (UnknownJob, ParamError) as error:
            raise _Refused(Ending(ErrorKind.HOPELESS, str(error))) from error

    def _order(self, job: Job, params: Any) -> wire.Order:
        try:
            inputs = patiently(lambda: inputs_of(job, self.run.product, params))
            order = wire.Order(job.work, params, inputs, str(files.folder_of(self.fence)))
            wire.pack(order)
        except HopelessError as error:
            raise _Refused(Ending(ErrorKind.HOPELESS, str(error))) from error
        except (PassingError, OSError) as error:
            raise _Refused(Ending(ErrorKind.PASSING, str(error), again=True), traceback.format_exc()) from error
        except AWAY:
            raise
        except Exception as error:
            text = f"The inputs could not be made ready: {type(error).__name__}: {error}"
            raise _Refused(Ending(ErrorKind.ERROR, text), traceback.format_exc()) from error
        return order

    # --- Work in the database -----------------------------------------------------------------------------------------
    def _work_in_database(self, job: Job, params: Any) -> State:
        so_far = self.run.facts.get(KEPT, {}) if isinstance(self.run.facts, dict) else {}
        portions = DatabasePortions(self.fence, so_far, deadline=self.began + job.time_limit_s, stopping=self.stopping)
        try:
            outcome = job.in_database(self.run, params, portions)  # type: ignore[misc]
            kept = keep_files(portions.workdir, outcome.artifacts) if outcome.artifacts else ()
        except Interrupted as stop:
            self.lines = portions.unsaid
            return self._fail(stop.ending)
        except (HopelessError, PassingError) as error:
            self.lines = portions.unsaid
            again = isinstance(error, PassingError)
            kind = ErrorKind.PASSING if again else ErrorKind.HOPELESS
            return self._fail(Ending(kind, str(error), again=again))
        except (Late, *AWAY):
            raise
        except Exception as error:
            self.lines = portions.unsaid
            self._note("error", traceback.format_exc())
            return self._fail(Ending(ErrorKind.ERROR, f"{type(error).__name__}: {error}"))
        wall_s = time.monotonic() - self.began
        return finishing.keep_success(
            self.run, job, outcome, kept, usage=self.usage, wall_s=wall_s, lines=portions.unsaid
        )

    # --- meanwhile ---------------------------------------------------------------------------------------------------
    def _watch(self, child: ChildProcess, job: Job) -> wire.Message | Ending:
        """Wait until the child has answered or is dead; an Ending where there is no answer."""
        now = self.began
        deadline = now + job.time_limit_s
        next_look, next_measure = now + LOOK_S, now + MEASURE_S
        next_beat, next_flush = now + settings.MPC_HEARTBEAT_S, now + FLUSH_S
        while True:
            answer = self._hear(child.exchange(0.1 if self.stop else 0.25))
            if answer is not None:
                return answer
            if not child.alive():
                return self._hear(child.exchange(0.0)) or self._ending_of_dead(child)
            now = time.monotonic()
            if self.stop and now >= self.stop.kill_at:
                child.kill()
                return self._ending_of_dead(child)
            if now >= next_measure:
                next_measure = now + MEASURE_S
                self._measure(child, job)
            if now >= deadline and self.stop is None:
                self._ask_to_stop(
                    child, Ending(ErrorKind.TIMEOUT, f"Took longer than the {job.time_limit_s} s allowed.")
                )
            if now >= next_look:
                next_look = now + LOOK_S
                self._look(child)
            if now >= next_beat or (now >= next_flush and (self.lines or self.progress)):
                self._beat(child)
                now = time.monotonic()
                next_beat, next_flush = now + settings.MPC_HEARTBEAT_S, now + FLUSH_S

    def _hear(self, messages: list[wire.Message]) -> wire.Message | None:
        for message in messages:
            match message:
                case wire.Progress(fraction, text):
                    self.progress = (fraction, text)
                case wire.Line(level=level, text=text):
                    self._note(level, text, message.at)
                case wire.Done() | wire.Failed() | wire.Stopped():
                    return message
        return None

    def _note(self, level: str, text: str, at: float | None = None) -> None:
        self.lines_taken += 1
        if self.lines_taken < LINES_MAX:
            self.lines.append(wire.Line(time.time() if at is None else at, level, text))
        elif self.lines_taken == LINES_MAX:
            self.lines.append(
                wire.Line(time.time(), "warning", f"After {LINES_MAX} lines the rest of the log is left out.")
            )

    def _measure(self, child: ChildProcess, job: Job) -> None:
        usage = child.measure()
        if usage is None or usage.peak_rss_mb is None or usage.cpu_s is None:
            return
        now_mb = usage.peak_rss_mb
        self.usage = wire.Usage(max(usage.cpu_s - self.cpu_before, 0.0), max(now_mb, self.usage.peak_rss_mb or 0.0))
        if now_mb > job.memory_limit_mb and not self._is_killing():
            text = f"Needed {now_mb:.0f} MB of memory where {job.memory_limit_mb} MB are allowed."
            # At once: what grows like this would take the machine down within the time of a polite request.
            self.stop = _Stop(Ending(ErrorKind.MEMORY, text), kill_at=0.0)

    def _is_killing(self) -> bool:
        return self.stop is not None and self.stop.kill_at == 0.0

    def _look(self, child: ChildProcess) -> None:
        try:
            standing = queue.look(self.fence)
        except AWAY as error:
            self._database_away(error)
            return
        if not standing.mine:
            self.stop = _Stop(None, kill_at=0.0)
        elif standing.cancel and self.stop is None:
            self._ask_to_stop(child, Ending(ErrorKind.CANCELLED, "cancelled"))
        elif self.stopping.is_set() and self.stop is None:
            self._ask_to_stop(
                child, Ending(ErrorKind.RELEASED, "Handed back by a worker that was told to stop."), grace_s=2.0
            )

    def _ask_to_stop(self, child: ChildProcess, ending: Ending, grace_s: float | None = None) -> None:
        grace = settings.MPC_CANCEL_GRACE_S if grace_s is None else grace_s
        self.stop = _Stop(ending, kill_at=time.monotonic() + grace)
        child.ask_to_stop()

    def _beat(self, child: ChildProcess) -> None:
        lines, progress = self.lines, self.progress
        try:
            mine = queue.beat(self.fence, progress=progress, usage=self.usage, lines=lines)
        except AWAY as error:
            self._database_away(error)
            return
        if not mine:
            self.stop = _Stop(None, kill_at=0.0)
            return
        self.lines = self.lines[len(lines) :]
        self.progress = None

    def _database_away(self, error: Exception) -> None:
        from django.db import connection

        logger.warning("run %s: the database is away (%s); the work goes on", self.fence.run_id, str(error).strip())
        if not connection.in_atomic_block:
            connection.close()

    # --- after -------------------------------------------------------------------------------------------------------
    def _ending_of_dead(self, child: ChildProcess) -> Ending:
        status = child.wait_for_status(DEATH_S)
        for line in child.last_words():
            self._note(line.level, line.text, line.at)
        if self.stop is not None:
            if self.stop.ending is None:
                raise Late(queue.NOT_MINE)
            return self.stop.ending
        return Ending(ErrorKind.CRASH, f"The process that did the work {describe_status(status)}.", again=True)

    def _close(self, job: Job, answer: wire.Message | Ending) -> State:
        if isinstance(answer, Ending):
            return self._fail(answer)
        if isinstance(answer, (wire.Done, wire.Failed, wire.Stopped)):
            peak = max(filter(None, (answer.usage.peak_rss_mb, self.usage.peak_rss_mb)), default=None)
            self.usage = wire.Usage(answer.usage.cpu_s, peak)
        if isinstance(answer, wire.Done):
            return self._succeed(job, answer)
        if self.stop is not None:
            if self.stop.ending is None:
                raise Late(queue.NOT_MINE)
            return self._fail(self.stop.ending)
        if isinstance(answer, wire.Failed):
            self._note("error", answer.trace)
            return self._fail(Ending(ErrorKind(answer.kind), answer.text, again=answer.kind == ErrorKind.PASSING))
        return self._fail(
            Ending(ErrorKind.CRASH, "Somebody else asked the process that did the work to stop.", again=True)
        )

    def _succeed(self, job: Job, answer: wire.Done) -> State:
        try:
            outcome: Any = pickle.loads(answer.outcome)  # noqa: S301 - from our own child
            if not isinstance(outcome, Outcome):
                raise TypeError(f"not an Outcome but {type(outcome).__name__}")
        except Exception as error:
            self._note("error", traceback.format_exc())
            return self._fail(Ending(ErrorKind.RESULTS, f"What the work handed back cannot be read: {error}"))
        return finishing.keep_success(
            self.run,
            job,
            outcome,
            answer.files,
            usage=self.usage,
            wall_s=time.monotonic() - self.began,
            lines=self.lines,
        )

    def _fail(self, ending: Ending) -> State:
        wall_s = time.monotonic() - self.began
        return finishing.keep_failure(self.run, ending, usage=self.usage, wall_s=wall_s, lines=self.lines)

    def _fail_quietly(self, ending: Ending) -> None:
        try:
            self._fail(ending)
        except Exception:
            logger.exception("run %s: could not be closed; the sweeper will", self.fence.run_id)


def inputs_of(job: Job, product: Any, params: Any = None) -> Inputs:
    """What the work is done on, as plain values for another process; without ``params`` what they name is left out."""
    extra = job.extra_inputs(product.pk if product is not None else None) if job.extra_inputs is not None else {}
    if params is not None and job.param_inputs is not None:
        extra = {**extra, **job.param_inputs(params)}
    if product is None:
        return Inputs(extra=extra)
    return Inputs(product=product.name, path=product.path, extra=extra)
