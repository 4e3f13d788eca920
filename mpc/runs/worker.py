"""The worker process: its row, its heart, and the loop that takes runs.

One process has ``concurrency`` threads (Celery's thread pool). A ring wakes one of them; it takes runs of all queues
that the worker serves, best first, until none is left, each in a child process. The heart is a thread of its own.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from mpc import disk
from mpc.runs import bell, deployment, queue
from mpc.runs.children import Nursery
from mpc.runs.models import Worker
from mpc.runs.patience import AWAY, patiently
from mpc.runs.supervisor import supervise
from mpc.runs.texts import clean

logger = logging.getLogger(__name__)

# A thread that always finds work rings again after this long and lets the other messages of the worker come first.
TURN_S = 60.0
SAY_AGAIN_S = 600.0

current: WorkerProcess | None = None


def node() -> str:
    """Machine, boot and process namespace: where a pid means the same process. Empty when that cannot be known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
    return f"{boot} {namespace}"


def default_concurrency() -> int:
    """Half of the processors: each child may use two threads, which is where decoding JPEG 2000 gains most."""
    return max(1, (os.cpu_count() or 1) // 2)


def _condition() -> dict[str, Any]:
    """How the worker is, for its row: why it takes nothing, if so, and the load of its machine."""
    refuses = clean(deployment.refusal() or disk.shortage(), 400)
    return {"refuses": refuses, "load": os.getloadavg()[0], "processors": os.cpu_count()}


class WorkerProcess:
    def __init__(self, queues: Sequence[str], concurrency: int) -> None:
        self.queues = tuple(queues)
        self.concurrency = concurrency
        self.stopping = threading.Event()
        self._gone = threading.Event()
        self.nursery = Nursery(threads=max(1, (os.cpu_count() or 1) // concurrency))
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.row: Worker | None = None
        self._said_why_not_at = float("-inf")
        self._heart = threading.Thread(target=self._beat_on, name="heart", daemon=True)

    def start(self) -> None:
        """Write the worker's row and let its heart beat; waits for a database that is not there yet."""
        self.row = patiently(self._make_row, for_s=600.0)
        self._heart.start()
        logger.info("worker %s serves %s with %s places", self.name, ", ".join(self.queues), self.concurrency)

    def _make_row(self) -> Worker:
        return Worker.objects.create(
            name=self.name, host=socket.gethostname(), node=node(), pid=os.getpid(),
            process_started=psutil.Process().create_time(), queues=list(self.queues), concurrency=self.concurrency,
            software_version=settings.MPC_SOFTWARE_VERSION, git_commit=settings.MPC_GIT_COMMIT, last_seen_at=Now(),
            **_condition(),
        )  # fmt: skip

    def _beat_on(self) -> None:
        assert self.row is not None
        while not self._gone.wait(settings.MPC_HEARTBEAT_S):
            try:
                # A row that was taken for dead while the database was away is alive again.
                Worker.objects.filter(pk=self.row.pk).update(
                    last_seen_at=Now(), stopped_at=None, ending="", **_condition()
                )
            except AWAY as error:
                logger.warning("worker %s: the database is away (%s)", self.name, str(error).strip())
                connection.close()
        connection.close()

    def look(self, rung_for: str) -> None:
        """Take runs until none is left for this worker, or its turn is over."""
        began = time.monotonic()
        while not self.stopping.is_set():
            if reason := disk.shortage():
                self._say_why_not(reason)
                return  # the sweeper rings again when there is room
            try:
                run = patiently(lambda: queue.claim_next(self.queues, self.row, self.name), for_s=10.0)
            except AWAY as error:
                logger.warning(
                    "worker %s: no look at the queue, the database is away (%s)", self.name, str(error).strip()
                )
                return
            if run is None:
                self._say_why_not(deployment.refusal())
                return
            try:
                supervise(run, self.nursery, self.stopping)
            except Exception:
                logger.exception("run %s: its supervisor failed", run.pk)
            if time.monotonic() - began > TURN_S:
                bell.ring(rung_for)
                return

    def _say_why_not(self, reason: str) -> None:
        if reason and time.monotonic() - self._said_why_not_at > SAY_AGAIN_S:
            self._said_why_not_at = time.monotonic()
            logger.warning("worker %s takes no run: %s", self.name, reason)

    def stop(self) -> None:
        """Take nothing new and hand back what is under way."""
        self.stopping.set()

    def close(self, ending: str = "stopped") -> None:
        self.stop()
        self._gone.set()
        if self._heart.is_alive():
            self._heart.join(timeout=5.0)
        self.nursery.close()
        if self.row is not None:
            try:
                Worker.objects.filter(pk=self.row.pk).update(stopped_at=Now(), ending=ending)
            except AWAY as error:
                logger.warning("worker %s: its end could not be written (%s)", self.name, str(error).strip())
