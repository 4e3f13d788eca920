"""Asking for runs, stopping them, asking again, doing one here. Takes the acting user and asks the policy."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from mpc import disk
from mpc.accounts import audit, policy
from mpc.jobs import Job, ParamError, all_jobs, get_job, job_of, params_as_dict, parse_params
from mpc.products.models import Product
from mpc.runs import bell, queue
from mpc.runs.children import Nursery
from mpc.runs.models import ACTIVE, OVER, Run, State, Trigger, Worker
from mpc.runs.supervisor import inputs_of, supervise

logger = logging.getLogger(__name__)

# How many runs are queued in one transaction, and how many workers are woken for them: each takes all there is.
PORTION = 500
RINGS_MAX = 16

__all__ = [
    "CannotRequest",
    "NotNow",
    "cancel_run",
    "job_of",
    "jobs_for",
    "live_workers",
    "no_worker_reason",
    "request_run",
    "request_runs",
    "retry_run",
    "startable_jobs",
    "trouble",
    "waiting_reason",
    "work_in_place",
]


class CannotRequest(ValueError):
    """The run that was asked for makes no sense; ``errors`` maps a field (``product`` or a parameter) to the reason."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))


class NotNow(Exception):
    """The run is in no state for that; the text says which."""


def request_run(
    kind: str,
    *,
    actor: Any,
    product: Any = None,
    params: Mapping[str, Any] | None = None,
    trigger: str = Trigger.USER,
    priority: int | None = None,
    queue: str | None = None,
) -> tuple[Run, bool]:
    """Queue a run of ``kind``; hands back the run and whether it is a new one.

    Where the job says what may not be asked for twice at once (its request key), an equal run that is queued or running
    is handed back in place of a second. Arrivals and the schedule need no role. Inside a transaction the run becomes
    true with it.

    Raises UnknownJob, CannotRequest (with the reason by field) and PermissionDenied.
    """
    job = get_job(kind)
    by_person = trigger not in (Trigger.ARRIVAL, Trigger.SCHEDULE)
    if by_person:
        policy.require(actor, "runs.start", kind)
    wanted = _wanted(job, actor, product, params or {}, trigger, priority, queue)
    with transaction.atomic():
        _refuse_withdrawn(product)
        run, created = _save_once(wanted)
        if created:
            if by_person:
                audit.record(actor, "runs.start", run, after={"kind": kind, "params": run.params})
            bell.ring_after_commit(run.queue)
    return run, created


def request_runs(
    kind: str,
    *,
    actor: Any,
    wanted: Sequence[tuple[Any, Mapping[str, Any]]],
    trigger: str = Trigger.USER,
    priority: int | None = None,
    queue: str | None = None,
) -> list[tuple[Run, bool]]:
    """Queue a run of ``kind`` for each (product, parameters), as ``request_run`` does for one, in far fewer steps.

    All are checked before the first is queued; they are queued in portions of a transaction each. Raises what
    ``request_run`` raises.
    """
    job = get_job(kind)
    by_person = trigger not in (Trigger.ARRIVAL, Trigger.SCHEDULE)
    if by_person:
        policy.require(actor, "runs.start", kind)
    runs = [_wanted(job, actor, product, params, trigger, priority, queue) for product, params in wanted]
    asked: list[tuple[Run, bool]] = []
    for start in range(0, len(runs), PORTION):
        with transaction.atomic():
            wishes = runs[start : start + PORTION]
            products = {run.product_id: run.product for run in wishes if run.product_id is not None}
            for key in sorted(products):  # locked in one order
                _refuse_withdrawn(products[key])
            portion = _save_all(wishes)
            new = [run for run, created in portion if created]
            if by_person:
                audit.record_many(actor, "runs.start", [(run, {"kind": kind, "params": run.params}) for run in new])
            for name in {run.queue for run in new}:
                bell.ring_after_commit(name, times=min(len(new), RINGS_MAX))
        asked += portion
    return asked


def _wanted(
    job: Job, actor: Any, product: Any, params: Mapping[str, Any], trigger: str, priority: int | None, queue: str | None
) -> Run:
    """The run as it would be queued. Raises CannotRequest."""
    parsed = _checked_params(job, product, params)
    return Run(
        kind=job.kind,
        title=(f"{job.title}: {product}" if product is not None else job.title)[:200],
        product=product,
        params=params_as_dict(parsed),
        trigger=trigger,
        requested_by=actor,
        queue=queue or job.queue,
        priority=job.priority if priority is None else priority,
        request_key=_request_key(job, parsed, product),
        max_attempts=job.max_attempts,
        input_checksum=product.checksum if product is not None else "",
    )


def _save_all(wanted: list[Run]) -> list[tuple[Run, bool]]:
    """Each as ``_save_once`` does it; those without a request key in one statement."""
    free = [run for run in wanted if not run.request_key]
    Run.objects.bulk_create(free)
    return [(run, True) if not run.request_key else _save_once(run) for run in wanted]


def _checked_params(job: Job, product: Any, params: Mapping[str, Any]) -> Any:
    errors: dict[str, str] = {}
    if job.needs_product and product is None:
        errors["product"] = f"“{job.title}” needs a product"
    elif product is not None and not job.needs_product:
        errors["product"] = f"“{job.title}” takes no product"
    elif product is not None and not job.takes(product.level):
        errors["product"] = (
            f"“{job.title}” takes products of level {', '.join(job.product_levels)}, not {product.level}"
        )
    try:
        parsed = parse_params(job.params, params)
    except ParamError as error:
        raise CannotRequest(errors | error.errors) from error
    if errors:
        raise CannotRequest(errors)
    return parsed


def _request_key(job: Job, params: Any, product: Any) -> str:
    if job.request_key is None:
        return ""
    key = job.request_key(params, inputs_of(_without_extra(job), product))
    return f"{job.kind}:{key}"[:250] if key else ""


def _without_extra(job: Job) -> Job:
    # The key names what is asked for; what the database adds to the inputs is read when the work begins.
    return replace(job, extra_inputs=None)


def _refuse_withdrawn(product: Any) -> None:
    """Until this transaction ends the product stays in use. Raises CannotRequest for one that is withdrawn."""
    if product is None:
        return
    row = Product.objects.select_for_update(no_key=True).filter(pk=product.pk).only("name", "withdrawn_at").first()
    if row is not None and row.withdrawn:
        raise CannotRequest({"product": f"{row.withdrawal}. Reinstate it first; nothing runs on a withdrawn product."})


def _save_once(wanted: Run) -> tuple[Run, bool]:
    while True:
        try:
            with transaction.atomic():
                wanted.save(force_insert=True)
            return wanted, True
        except IntegrityError:
            if not wanted.request_key:
                raise
            equal = Run.objects.filter(request_key=wanted.request_key, state__in=ACTIVE).first()
            if equal is not None:
                return equal, False
            wanted.pk = None  # the equal run ended at this moment: ask again


def cancel_run(run: Run, actor: Any) -> Run:
    """Stop a run: a queued one never starts, a running one is stopped by its supervisor within the grace.

    Raises PermissionDenied, and NotNow when the run is over.
    """
    policy.require(actor, "runs.cancel", run)
    with transaction.atomic():
        # Twice, for a run may be taken or handed back between the two conditions.
        asked = any(step(run.pk, actor) for step in (queue.cancel_queued, queue.ask_to_cancel) * 2)
        if asked:
            audit.record(actor, "runs.cancel", run, before={"state": run.state})
    run.refresh_from_db()
    if not asked:
        raise NotNow(f"Run {run.pk} is over ({run.get_state_display()}); there is nothing to cancel.")
    return run


def retry_run(run: Run, actor: Any) -> Run:
    """Queue a failed or cancelled run again, as a further attempt of the same run.

    Raises PermissionDenied, and NotNow when the run is active or succeeded or an equal run is active.
    """
    policy.require(actor, "runs.retry", run)
    try:
        with transaction.atomic():
            if run.state in OVER:  # an active one is refused below, and whoever finishes it may hold its product
                _refuse_withdrawn(run.product)
            reopened = queue.reopen(run.pk, _attempts_of(run))
            if reopened:
                audit.record(actor, "runs.retry", run, before={"state": run.state, "error": run.error})
    except CannotRequest as reason:
        raise NotNow(str(reason)) from None
    except IntegrityError:
        equal = Run.objects.filter(request_key=run.request_key, state__in=ACTIVE).first()
        raise NotNow(
            f"The same work is {equal.state if equal else 'active'} already as run {equal.pk if equal else ''}."
        ) from None
    run.refresh_from_db()
    if not reopened:
        raise NotNow(f"Run {run.pk} is {run.get_state_display()}; only failed and cancelled runs can be tried again.")
    bell.ring_after_commit(run.queue)
    return run


def _attempts_of(run: Run) -> int:
    job = job_of(run.kind)
    return job.max_attempts if job is not None else 1


def startable_jobs(user: Any) -> list[Job]:
    """The jobs that this person may start from a page, by title."""
    return sorted(
        (j for j in all_jobs() if not j.hidden and policy.allowed(user, "runs.start", j.kind)), key=lambda j: j.title
    )


def jobs_for(product: Any, user: Any) -> list[Job]:
    """Those of them that take this product."""
    return [job for job in startable_jobs(user) if job.takes(product.level) and not product.withdrawn]


# --- Workers ---------------------------------------------------------------------------------------------------------
def live_workers() -> QuerySet[Worker]:
    """Workers that have been seen within the time after which one counts as lost."""
    return Worker.objects.filter(
        stopped_at=None, last_seen_at__gt=Now() - timedelta(seconds=settings.MPC_WORKER_LOST_S)
    )


def no_worker_reason(queue: str | None = None) -> str:
    """Why nothing would be worked on (in this queue) now, in words for people; empty when a worker is there."""
    return _no_worker(list(live_workers()), queue)


def waiting_reason(queue: str | None = None) -> str:
    """Why what is asked for would wait now, in words for people: no room on the disk, or no worker that takes it."""
    return disk.shortage() or _nobody_takes(list(live_workers()), queue)


def trouble() -> str:
    """What every page should say of the workers: why all would wait, or which of them takes no run."""
    if reason := disk.shortage():
        return reason
    alive = list(live_workers().order_by("pk"))
    if reason := _nobody_takes(alive, None):
        return reason
    return next((f"Worker {w.name} takes no run: {w.refuses}" for w in alive if w.refuses), "")


def _nobody_takes(alive: list[Worker], queue: str | None) -> str:
    if reason := _no_worker(alive, queue):
        return reason
    serving = [worker for worker in alive if queue is None or queue in worker.queues]
    if all(worker.refuses for worker in serving):
        return f"No worker takes work. {serving[0].name}: {serving[0].refuses}"
    return ""


def _no_worker(alive: list[Worker], queue: str | None) -> str:
    if not alive:
        return "No worker is running: what is asked for waits. Start one with: manage.py worker"
    if queue is not None and not any(queue in worker.queues for worker in alive):
        return f"No worker serves the queue “{queue}”. Start one with: manage.py worker --queues {queue}"
    return ""


def work_in_place(
    run: Run, *, nursery: Nursery | None = None, until: Callable[[], bool] | None = None, poll_s: float = 0.2
) -> Run:
    """Do one run here and now, in a supervised child of this process, until it is over; hands back the fresh run.

    Attempts that fail for a passing cause are tried again after their pause. When another process has the run, this one
    waits for it, and takes over should the other be lost. While a disk is nearly full it waits, too. Between attempts
    ``until()`` may end the waiting before.
    """
    own = nursery is None
    nursery = nursery or Nursery()
    name = f"{socket.gethostname()}:{os.getpid()} (in place)"
    try:
        while True:
            claimed = queue.claim_run(run.pk, name) if not disk.shortage() else None
            if claimed is not None:
                supervise(claimed, nursery)
            run.refresh_from_db()
            if run.state in OVER or (until is not None and until()):
                return run
            if run.state == State.RUNNING:
                queue.lose(settings.MPC_WORKER_LOST_S)
            wait = (run.not_before - timezone.now()).total_seconds() if run.not_before else poll_s
            time.sleep(min(max(wait, 0.01), 1.0))
    finally:
        if own:
            nursery.close()
