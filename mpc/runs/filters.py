"""How lists of runs are narrowed."""

from __future__ import annotations

import django_filters
from django.conf import settings

from mpc.jobs import Verdict, all_jobs
from mpc.msi.units import UNITS
from mpc.runs.models import ErrorKind, Run, State, Trigger
from mpc.ui.filters import ChipFilter, DayFromFilter, DayToFilter, SearchFilter

LEVELS = ("L0", "L1A", "L1B", "L1C", "L2A")


def kinds() -> list[tuple[str, str]]:
    """Every kind of job that is declared, with its title."""
    return [(job.kind, job.title) for job in all_jobs()]


class RunFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("title", "error", "summary"), placeholder="Title, error, summary")
    state = ChipFilter(choices=State.choices)
    kind = django_filters.ChoiceFilter(choices=kinds, label="Kind")
    verdict = ChipFilter(choices=[(v.value, v.value) for v in Verdict])
    queue = ChipFilter(choices=[(name, name) for name in settings.MPC_WORKER_QUEUES])
    trigger = ChipFilter(choices=Trigger.choices, label="Asked for by")
    product = django_filters.CharFilter(field_name="product__name", lookup_expr="icontains", label="Product")
    requested_by = django_filters.CharFilter(
        field_name="requested_by__username", lookup_expr="iexact", label="User name"
    )
    error_kind = django_filters.ChoiceFilter(choices=ErrorKind.choices, label="Reason of failure")
    since = DayFromFilter(field_name="requested_at", label="Asked for from")
    until = DayToFilter(field_name="requested_at", label="Asked for to")
    finished_since = DayFromFilter(field_name="finished_at", label="Finished from")
    finished_until = DayToFilter(field_name="finished_at", label="Finished to")
    unit = ChipFilter(field_name="product__unit", choices=[(u, u) for u in UNITS], label="Unit of the product")
    level = ChipFilter(field_name="product__level", choices=[(level, level) for level in LEVELS], label="Level")

    class Meta:
        model = Run
        fields: list[str] = []
