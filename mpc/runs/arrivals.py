"""What becomes of runs when a product arrives or is withdrawn.

It arrived: the jobs that want such products are queued, in the transaction that takes the product in. It was withdrawn:
what is queued or runs on it is cancelled once that is true.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from mpc.jobs import all_jobs
from mpc.jobs.requests import set_requester
from mpc.products.signals import product_arrived, product_withdrawn
from mpc.runs import services
from mpc.runs.models import ACTIVE, Run, Trigger


@receiver(product_arrived, dispatch_uid="runs.arrivals")
def queue_what_wants_it(sender: Any, product: Any, actor: Any = None, **_: Any) -> None:
    for job in all_jobs():
        if job.on_arrival and job.takes(product.level):
            services.request_run(job.kind, actor=actor, product=product, trigger=Trigger.ARRIVAL)


@receiver(product_withdrawn, dispatch_uid="runs.withdrawn")
def cancel_what_works_on_it(sender: Any, product: Any, actor: Any = None, **_: Any) -> None:
    # After the commit: a run that finishes at this moment holds its own row and waits for the product's. From the
    # commit on no new run is asked for.
    transaction.on_commit(partial(_cancel_all, product.pk, actor))


def _cancel_all(product_id: int, actor: Any) -> None:
    for run in Run.objects.filter(product_id=product_id, state__in=ACTIVE):
        with suppress(services.NotNow):  # it ended meanwhile
            services.cancel_run(run, actor)


def _request(kind: str, *, actor: Any, product: Any, params: dict[str, Any], trigger: str) -> Run:
    known = trigger if trigger in Trigger.values else Trigger.COMMAND
    run, _ = services.request_run(kind, actor=actor, product=product, params=params, trigger=known)
    return run


set_requester(_request)
