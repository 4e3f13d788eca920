"""What other pages show of runs: a card, a panel, a number in the navigation, hits of the search."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone

from mpc.products.models import Product
from mpc.runs import services
from mpc.runs.models import ACTIVE, Run, State
from mpc.ui.search import SearchHit


def active_runs(request: HttpRequest) -> int:
    return Run.objects.filter(state__in=ACTIVE).count()


def runs_card(request: HttpRequest) -> dict[str, Any]:
    """What runs now and what failed within a day."""
    day = timezone.now() - timedelta(days=1)
    counts = dict(Run.objects.filter(state__in=ACTIVE).order_by().values_list("state").annotate(n=Count("pk")))
    failed = Run.objects.filter(state=State.FAILED, requested_at__gte=day)
    return {
        "running": Run.objects.filter(state=State.RUNNING).order_by("-priority", "pk")[:5],
        "running_count": counts.get(State.RUNNING, 0),
        "queued_count": counts.get(State.QUEUED, 0),
        "failed": failed.order_by("-pk")[:5],
        "failed_count": failed.count(),
    }


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
