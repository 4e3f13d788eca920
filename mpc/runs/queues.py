"""What holds a queue back: a pause, how many of its runs may run at once, how many of them on one product.

The rules stand in the table ``QueueState`` and are part of the claim's own SQL, so a pause holds for every host from
the moment that it is committed. A claim from a queue with limits takes its row's lock first: two workers that look at
the same moment count one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from mpc.accounts import audit, policy
from mpc.runs import bell
from mpc.runs.models import QueueState, Run, State
from mpc.runs.texts import clean

__all__ = ["QueueView", "all_queues", "limit_queue", "open_runs", "pause_queue", "resume_queue", "why_held"]

HAS_LIMIT = Q(limit__isnull=False) | Q(per_product__isnull=False)
LIMIT_MAX = 1000

# The queues of a new centre and their limit by product: a product is read by one run of quality control at a time.
FIRST_QUEUES = {"default": None, "intake": None, "qc": 1}


def add_first_queues(using: str = "default", **_: Any) -> None:
    """Called after every migration; a queue that is there keeps the rules that people gave it."""
    QueueState.objects.using(using).bulk_create(
        [QueueState(name=name, per_product=per_product) for name, per_product in FIRST_QUEUES.items()],
        ignore_conflicts=True,
    )


# --- In the claim ----------------------------------------------------------------------------------------------------
def open_runs(waiting: QuerySet[Run]) -> QuerySet[Run]:
    """Those of the waiting runs that the pause and the limits of their queue let start now.

    ``limited`` says whether the queue has limits, and so whether its lock is needed to take the run.
    """
    state = QueueState.objects.filter(name=OuterRef("queue"))
    full = state.filter(limit__lte=_running(queue=OuterRef("name")))
    busy = state.filter(per_product__lte=_running(queue=OuterRef("name"), product=OuterRef(OuterRef("product"))))
    return waiting.annotate(limited=Exists(state.filter(HAS_LIMIT))).filter(
        ~Exists(state.filter(paused_at__isnull=False)), ~Exists(full), Q(product=None) | ~Exists(busy)
    )


def _running(**which: Any) -> Coalesce:
    """How many runs of the outer row's queue (and product) run now."""
    counted = Run.objects.filter(state=State.RUNNING, **which).order_by().values("state").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)


def lock(queue: str) -> None:
    """Let nobody else take a run of this queue until the transaction ends."""
    QueueState.objects.select_for_update().filter(name=queue).values_list("name").first()


# --- For people ------------------------------------------------------------------------------------------------------
class NotNow(Exception):
    """The queue is in no state for that; the text says which."""


@dataclass(frozen=True)
class QueueView:
    """One queue as pages and the API show it; ``served`` says whether a worker that takes work serves it."""

    name: str
    waiting: int
    running: int
    limit: int | None
    per_product: int | None
    state: QueueState
    served: bool = True

    @property
    def full(self) -> bool:
        return self.limit is not None and self.running >= self.limit


def all_queues(served: set[str]) -> list[QueueView]:
    """Every queue that is configured, has a rule or holds runs; ``served`` are those that a worker looks at."""
    counts: dict[tuple[str, str], int] = {
        (name, state): n
        for name, state, n in Run.objects.filter(state__in=[State.QUEUED, State.RUNNING])
        .order_by()
        .values_list("queue", "state")
        .annotate(n=Count("pk"))
    }
    states = {s.name: s for s in QueueState.objects.select_related("paused_by")}
    names = {*settings.MPC_WORKER_QUEUES, *states, *(name for name, _ in counts), *served}
    return [
        QueueView(
            name=name,
            waiting=counts.get((name, State.QUEUED), 0),
            running=counts.get((name, State.RUNNING), 0),
            limit=state.limit,
            per_product=state.per_product,
            state=state,
            served=name in served,
        )
        for name in sorted(names)
        for state in [states.get(name) or QueueState(name=name)]
    ]


def is_known(name: str) -> bool:
    """Whether there is such a queue: configured, with a rule, or with a run that waits."""
    return (
        name in settings.MPC_WORKER_QUEUES
        or QueueState.objects.filter(pk=name).exists()
        or Run.objects.filter(queue=name, state=State.QUEUED).exists()
    )


def why_held(run: Run) -> str:
    """Why its queue does not let this waiting run start, in words for people; empty when it does."""
    state = QueueState.objects.select_related("paused_by").filter(name=run.queue).first()
    if state is None:
        return ""
    if state.paused:
        by = f" by {state.paused_by}" if state.paused_by else ""
        why = f": {state.pause_reason}" if state.pause_reason else ""
        return f"The queue “{run.queue}” is paused{by}{why}. The run starts after it is resumed."
    others = Run.objects.filter(state=State.RUNNING, queue=run.queue)
    if state.limit is not None and others.count() >= state.limit:
        return f"The queue “{run.queue}” has all {state.limit} of the runs under way that it may have at once."
    if state.per_product is not None and run.product_id is not None:
        on_it = list(others.filter(product_id=run.product_id).values_list("pk", flat=True))
        if len(on_it) >= state.per_product:
            return f"Run {on_it[0]} of this queue works on the same product; this one starts after it."
    return ""


# --- Changes ---------------------------------------------------------------------------------------------------------
def pause_queue(name: str, actor: Any, reason: str = "") -> QueueState:
    """Let no further run of this queue start; those under way go on.

    Raises PermissionDenied, and NotNow when it is paused already.
    """
    policy.require(actor, "runs.manage_queues")
    reason = clean(reason.strip(), 300)
    with transaction.atomic():
        state = _locked(name)
        if state.paused:
            raise NotNow(f"The queue “{name}” is paused already.")
        QueueState.objects.filter(pk=name).update(paused_at=Now(), paused_by=actor, pause_reason=reason)
        audit.record(actor, "runs.pause_queue", state, before={"paused": False}, after={"paused": True, "why": reason})
        state.refresh_from_db()
    return state


def resume_queue(name: str, actor: Any) -> QueueState:
    """Let runs of this queue start again. Raises PermissionDenied, and NotNow when it is not paused."""
    policy.require(actor, "runs.manage_queues")
    with transaction.atomic():
        state = _locked(name)
        if not state.paused:
            raise NotNow(f"The queue “{name}” is not paused.")
        audit.record(
            actor, "runs.resume_queue", state, before={"paused": True, "why": state.pause_reason},
            after={"paused": False},
        )  # fmt: skip
        QueueState.objects.filter(pk=name).update(paused_at=None, paused_by=None, pause_reason="")
        state.refresh_from_db()
    bell.ring_after_commit(name)
    return state


def limit_queue(name: str, actor: Any, *, limit: int | None, per_product: int | None) -> QueueState:
    """Say how many runs of this queue may run at once, and how many of them on one product; None is without limit.

    Holds for runs that start afterwards. Raises PermissionDenied, and ValueError for a number out of range.
    """
    policy.require(actor, "runs.manage_queues")
    for number in (limit, per_product):
        if number is not None and not 1 <= number <= LIMIT_MAX:
            raise ValueError(f"A limit is a whole number from 1 to {LIMIT_MAX}; to let nothing start, pause the queue.")
    with transaction.atomic():
        state = _locked(name)
        before = {"limit": state.limit, "per_product": state.per_product}
        after = {"limit": limit, "per_product": per_product}
        if before != after:
            QueueState.objects.filter(pk=name).update(**after)
            audit.record(actor, "runs.limit_queue", state, before=before, after=after)
        state.refresh_from_db()
    bell.ring_after_commit(name)
    return state


def _locked(name: str) -> QueueState:
    QueueState.objects.get_or_create(name=name)
    return QueueState.objects.select_for_update().get(name=name)
