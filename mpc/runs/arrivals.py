"""A product arrived: the jobs that want such products are queued, in the transaction that takes the product in."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from mpc.jobs import all_jobs
from mpc.jobs.requests import set_requester
from mpc.products.signals import product_arrived
from mpc.runs import services
from mpc.runs.models import Run, Trigger


@receiver(product_arrived, dispatch_uid="runs.arrivals")
def queue_what_wants_it(sender: Any, product: Any, actor: Any = None, **_: Any) -> None:
    for job in all_jobs():
        if job.on_arrival and job.takes(product.level):
            services.request_run(job.kind, actor=actor, product=product, trigger=Trigger.ARRIVAL)


def _request(kind: str, *, actor: Any, product: Any, params: dict[str, Any], trigger: str) -> Run:
    known = trigger if trigger in Trigger.values else Trigger.COMMAND
    run, _ = services.request_run(kind, actor=actor, product=product, params=params, trigger=known)
    return run


set_requester(_request)
