"""What the bell's messages call."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from mpc.runs import bell


@shared_task(name=bell.LOOK_TASK, ignore_result=True)
def look(queue: str) -> None:
    """Take runs until the queue is empty. Outside of a worker process there is nobody to work, and nothing is done."""
    from mpc.runs import worker

    if worker.current is not None:
        worker.current.look(queue)


@shared_task(name="runs.request", ignore_result=True)
def request(kind: str, product: str | None = None, params: dict[str, Any] | None = None) -> None:
    """Ask for a run, for an entry of the schedule. Raises what ``services.request_run`` raises."""
    from mpc.accounts.actors import local_actor
    from mpc.products.models import Product
    from mpc.runs import services

    found = Product.objects.get(name=product) if product else None
    services.request_run(kind, actor=local_actor(), product=found, params=params, trigger="schedule")
