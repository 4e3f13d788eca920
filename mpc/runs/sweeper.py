"""The housekeeper in a process of its own: what lost its worker is queued again, and what waits is rung for.

Three loops in threads of their own, so that none waits for another: the sweep, the periodic steps that the apps declare
(``mpc.jobs.every``), and the schedule (django-celery-beat). A step that fails is logged and tried again at its turn.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import psutil
from django.conf import settings
from django.db import close_old_connections, connection
from django.db.models import Count, Q
from django.db.models.functions import Now

from mpc.jobs.requests import periodic_steps
from mpc.runs import bell, files, queue, queues, services
from mpc.runs.models import OVER, State, Worker
from mpc.runs.patience import AWAY
from mpc.runs.worker import node

logger = logging.getLogger(__name__)

SWEEP_S = 3.0
WORKER_ROWS_DAYS = 14
_SAME_START_S = 2.0


# --- Steps -----------------------------------------------------------------------------------------------------------
def find_dead_workers() -> list[int]:
    """Workers of this machine whose process is gone, found without waiting for their heart; their rows are closed."""
    here = node()
    if not here:
        return []
    dead = [w.pk for w in Worker.objects.filter(stopped_at=None, node=here) if not _lives(w)]
    Worker.objects.filter(pk__in=dead, stopped_at=None).update(stopped_at=Now(), ending="found dead")
    return dead


def _lives(worker: Worker) -> bool:
    try:
        return abs(psutil.Process(worker.pid).create_time() - worker.process_started) < _SAME_START_S
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def sweep() -> list[int]:
    """Queue again, or fail for good, every run that lost its worker; hands back their ids."""
    lost_after = settings.MPC_WORKER_LOST_S
    dead = find_dead_workers()
    # A worker that was found dead by an earlier sweep may have left a run that this sweep is the first to see.
    dead += Worker.objects.filter(runs__state=State.RUNNING, ending="found dead").values_list("pk", flat=True)
    fates = queue.lose(lost_after, sorted(set(dead)))
    for run_id, state in fates:
        logger.warning("run %s lost its worker and is %s now", run_id, state)
        if state in OVER:
            files.drop_all(run_id)
    Worker.objects.filter(stopped_at=None, last_seen_at__lt=Now() - timedelta(seconds=3 * lost_after)).update(
        stopped_at=Now(), ending="fell silent"
    )
    return [run_id for run_id, _ in fates]


def ring_for_waiting() -> dict[str, int]:
    """Ring for queues that hold eligible runs while a worker has a free place; hands back how often for which.

    Where no worker has a place nobody is rung for: workers look again before they rest, and when they start.
    """
    waiting = dict(queues.open_runs(queue.eligible()).order_by().values_list("queue").annotate(n=Count("pk")))
    if not waiting:
        return {}
    busy = Count("runs", filter=Q(runs__state=State.RUNNING))
    workers = list(services.live_workers().filter(refuses="").annotate(busy=busy))
    rung = {}
    for name, count in waiting.items():
        free = sum(max(w.concurrency - w.busy, 0) for w in workers if name in w.queues)
        rung[name] = min(count, free)
        for _ in range(rung[name]):
            bell.ring(name)
    return {name: times for name, times in rung.items() if times}


def forget_old_workers() -> None:
    Worker.objects.filter(stopped_at__lt=Now() - timedelta(days=WORKER_ROWS_DAYS)).delete()


# --- Loops -----------------------------------------------------------------------------------------------------------
@dataclass
class Step:
    name: str
    period_s: float
    function: Callable[[], object]
    due: float = field(default=0.0)


class Loop(threading.Thread):
    """Calls each step when it is due; none of their errors ends it."""

    def __init__(self, name: str, steps: list[Step], stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self._steps = steps
        self._stop_event = stop

    def run(self) -> None:
        while not self._stop_event.is_set():
            for step in self._steps:
                if time.monotonic() >= step.due and not self._stop_event.is_set():
                    do_step(step)
                    step.due = time.monotonic() + step.period_s
            next_due = min((step.due for step in self._steps), default=time.monotonic() + SWEEP_S)
            self._stop_event.wait(max(next_due - time.monotonic(), 0.05))
        connection.close()


def do_step(step: Step) -> bool:
    """Do one step; False when it failed, which is logged."""
    try:
        close_old_connections()
        step.function()
    except AWAY as error:
        logger.warning("sweeper, %s: the database is away (%s)", step.name, str(error).strip())
        connection.close()
        return False
    except Exception:
        logger.exception("sweeper, %s: failed; the next turn is in %s s", step.name, step.period_s)
        return False
    return True


class PatientSweep:
    """The sweep, which judges nobody's silence shortly after the database was away: nobody could beat meanwhile."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._last_ok = float("-inf")
        self._judge_from = float("-inf")

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._last_ok > 4 * SWEEP_S:
            self._judge_from = now + self._grace_s
        queue.eligible().exists()  # fails here while the database is away, and so leaves the gap open
        self._last_ok = now
        if now >= self._judge_from:
            sweep()


class Sweeper:
    def __init__(self) -> None:
        self.stop = threading.Event()
        self._loops = [
            Loop(
                "sweep",
                [
                    Step("lost runs", SWEEP_S, PatientSweep(3 * settings.MPC_HEARTBEAT_S)),
                    Step("bell", SWEEP_S, ring_for_waiting),
                    Step("old workers", 3600.0, forget_old_workers),
                ],
                self.stop,
            ),
            Loop("periodic", [Step(s.name, s.period_s, s.function) for s in periodic_steps()], self.stop),
            Loop("schedule", [Step("schedule", 1.0, Schedule())], self.stop),
        ]

    def run(self) -> None:
        """Sweep until told to stop. Raises RuntimeError should a loop end: then the process must start anew."""
        for loop in self._loops:
            loop.start()
        while not self.stop.wait(1.0):
            for loop in self._loops:
                if not loop.is_alive():
                    raise RuntimeError(f"the sweeper's loop “{loop.name}” has ended")
        for loop in self._loops:
            loop.join(timeout=3.0)


class Schedule:
    """The schedule in the database (django-celery-beat). What is due and asks for a run is asked for here and now."""

    def __init__(self) -> None:
        self._scheduler: object | None = None
        self._next = 0.0

    def __call__(self) -> None:
        from mpc.runs.schedule import RunScheduler

        if time.monotonic() < self._next:
            return
        try:
            if self._scheduler is None:
                self._scheduler = RunScheduler.build()
            wait = self._scheduler.tick()  # type: ignore[attr-defined]
        except Exception:
            self._scheduler = None  # whatever it held may be stale: begin anew
            raise
        self._next = time.monotonic() + min(wait or 1.0, 5.0)
