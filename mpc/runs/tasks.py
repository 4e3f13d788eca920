"""What the bell's messages call."""

from __future__ import annotations

from celery import shared_task

from mpc.runs import bell


@shared_task(name=bell.LOOK_TASK, ignore_result=True)
def look(queue: str) -> None:
    """Take runs until the queue is empty. Outside of a worker process there is nobody to work, and nothing is done."""
    from mpc.runs import worker

    if worker.current is not None:
        worker.current.look(queue)
