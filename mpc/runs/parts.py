"""What other pages show of runs: a card, a panel, a number in the navigation, hits of the search."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, Subquery
from django.http import HttpRequest
from django.utils import timezone

from mpc.products.models import Product
from mpc.runs import services
from mpc.runs.models import ACTIVE, Run, State
from mpc.ui.search import SearchHit

SHOWN = 5


@dataclass(frozen=True)
class RecentRuns:
    """What runs now, what failed within a day, and which of those one person had asked for; counted and the newest."""

    running_count: int
    queued_count: int
    failed_count: int
    running: list[Run]
    failed: list[Run]
    mine_failed: list[Run]


def recent_runs(request: HttpRequest) -> RecentRuns:
    """Two queries, once a request: several cards of the home page and the number in the navigation share them."""
    if not hasattr(request, "_recent_runs"):
        request._recent_runs = _recent_runs(request.user)  # type: ignore[attr-defined]
    return request._recent_runs  # type: ignore[attr-defined]


def _recent_runs(user: Any) -> RecentRuns:
    day = timezone.now() - timedelta(days=1)
    failed = Q(state=State.FAILED, requested_at__gte=day)
    counts = dict(
        Run.objects.filter(Q(state__in=ACTIVE) | failed).order_by().values_list("state").annotate(n=Count("pk"))
    )
    wanted = {
        "running": Run.objects.filter(state=State.RUNNING).order_by("-priority", "pk"),
        "failed": Run.objects.filter(failed).order_by("-pk"),
        "mine": Run.objects.filter(failed, requested_by=user.pk).order_by("-pk"),
    }
    # Of each group the keys of a few, so that one query brings them all.
    keys = [Q(pk__in=Subquery(rows.values("pk")[:SHOWN])) for rows in wanted.values()]
    rows = list(Run.objects.filter(keys[0] | keys[1] | keys[2]).order_by("-pk"))
    lost = [run for run in rows if run.state == State.FAILED]
    return RecentRuns(
        running_count=counts.get(State.RUNNING, 0),
        queued_count=counts.get(State.QUEUED, 0),
        failed_count=counts.get(State.FAILED, 0),
        running=sorted((r for r in rows if r.state == State.RUNNING), key=lambda r: (-r.priority, r.pk))[:SHOWN],
        failed=lost[:SHOWN],
        mine_failed=[run for run in lost if run.requested_by_id == user.pk][:SHOWN],
    )


def active_runs(request: HttpRequest) -> int:
    if hasattr(request, "_recent_runs"):
        recent = recent_runs(request)
        return recent.running_count + recent.queued_count
    return Run.objects.filter(state__in=ACTIVE).count()


def runs_card(request: HttpRequest) -> dict[str, Any]:
    """What runs now and what failed within a day."""
    return vars(recent_runs(request))


def product_panel(request: HttpRequest, product: Product) -> dict[str, Any]:
    return {
        "runs": product.runs.order_by("-pk")[:6],
        "jobs": services.jobs_for(product, request.user),
        "product": product,
    }


def search_runs(user: Any, query: str, limit: int) -> list[SearchHit]:
    """A run by its number, such as “48” or “run 48”."""
    number = query.lower().removeprefix("run").strip()
    if not number.isdecimal() or len(number) > 15:
        return []
    return [
        SearchHit(f"run {run.pk}", f"{run.title} · {run.get_state_display()}", run.get_absolute_url(), "run")
        for run in Run.objects.filter(pk=int(number))[:limit]
    ]
