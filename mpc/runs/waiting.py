"""Waiting for runs, for commands: by watching them, or by doing them in place when no worker runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from mpc import disk
from mpc.runs import queues, services
from mpc.runs.children import Nursery
from mpc.runs.models import OVER, Run, State

Say = Callable[[str], object]
POLL_S = 0.3


def wait_for(runs: Iterable[Run], say: Say) -> list[Run]:
    """Wait until all ``runs`` are over and hand them back fresh; ``say`` is told how far each is.

    Where no worker serves a run's queue, it is done here.
    """
    nursery = Nursery()
    try:
        return [_wait_for_one(run, nursery, say) for run in runs]
    finally:
        nursery.close()


def _why_it_waits(run: Run) -> str:
    """Why neither a worker nor this process may do the run now; empty when one may."""
    if run.state != State.QUEUED:
        return ""
    return disk.shortage() or queues.why_held(run)


def _wait_for_one(run: Run, nursery: Nursery, say: Say) -> Run:
    said = ""
    while True:
        run.refresh_from_db()
        if run.state in OVER:
            say(f"run {run.pk} {run.kind}: {run.get_state_display()}{f' ({run.verdict})' if run.verdict else ''}")
            return run
        if reason := _why_it_waits(run):
            if reason != said:
                say(reason)
                said = reason
            time.sleep(POLL_S)
            continue
        if services.no_worker_reason(run.queue):
            say(f"run {run.pk} {run.kind}: no worker, done in place")
            services.work_in_place(run, nursery=nursery, until=lambda: not services.no_worker_reason(run.queue))
            continue
        now = f"run {run.pk} {run.kind}: {run.get_state_display()} {run.percent} % {run.progress_message}".rstrip()
        if now != said:
            say(now)
            said = now
        time.sleep(POLL_S)
