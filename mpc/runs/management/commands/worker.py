"""Work on runs: manage.py worker [--queues a,b] [--concurrency N]"""

from __future__ import annotations

import sys
from typing import Any

from celery import current_app, signals
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.runs import bell, worker


class Command(ActingCommand):
    policy_action = "site.run"
    help = "Takes runs from the queues and does each in a process of its own, until it is told to stop (SIGTERM)."

    def add_arguments(self, parser: CommandParser) -> None:
        known = ",".join(settings.MPC_WORKER_QUEUES)
        parser.add_argument("--queues", default=known, help=f"comma-separated queues to serve (default: {known})")
        parser.add_argument(
            "--concurrency",
            type=int,
            default=worker.default_concurrency(),
            help="how many runs at once (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        queues = [name for name in (part.strip() for part in options["queues"].split(",")) if name]
        if not queues or options["concurrency"] < 1:
            raise CommandError("give at least one queue and one place", returncode=2)
        process = worker.WorkerProcess(queues, options["concurrency"])
        worker.current = process

        def on_ready(**_: Any) -> None:
            if process.row is None:  # Celery says ready again after each loss of its broker
                process.start()
            for queue in queues:  # what was asked for while nobody listened
                bell.ring(queue)

        def on_stop(**_: Any) -> None:
            process.stop()

        signals.worker_ready.connect(on_ready, weak=False)
        signals.worker_shutting_down.connect(on_stop, weak=False)
        celery_worker = current_app.Worker(
            hostname=f"{process.name.replace(':', '-')}@mpc", pool_cls="threads", concurrency=process.concurrency,
            queues=queues, without_gossip=True, without_mingle=True, without_heartbeat=True, loglevel="WARNING",
            quiet=True,
        )  # fmt: skip
        try:
            celery_worker.start()
        finally:
            process.close()
        sys.exit(celery_worker.exitcode or 0)
