"""Counts for the home page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max
from django.utils import timezone

from mpc.msi.units import UNITS
from mpc.products.models import Intake, Product, Status


@dataclass(frozen=True)
class UnitSummary:
    """One satellite's products of the last week."""

    unit: str
    total: int
    by_level: dict[str, int]
    failed: int
    incomplete: int
    waiting: int
    last_sensed: object


def arrivals_by_unit(days: int = 7) -> list[UnitSummary]:
    """Products that arrived within ``days``, by unit; one query. Units without any product ever are left out."""
    since = timezone.now() - timedelta(days=days)
    rows = (
        Product.objects.filter(taken_in__gte=since)
        .values("unit", "level", "status")
        .annotate(n=Count("pk"), last=Max("sensing_start"))
    )
    grouped: dict[str, list[dict]] = {}
    for row in rows:
        grouped.setdefault(row["unit"], []).append(row)
    return [_summary(unit, grouped[unit]) for unit in UNITS if unit in grouped]


def _summary(unit: str, rows: list[dict]) -> UnitSummary:
    def count(**wanted: str) -> int:
        return sum(r["n"] for r in rows if all(r[k] == v for k, v in wanted.items()))

    return UnitSummary(
        unit=unit,
        total=count(),
        by_level={level: count(level=level) for level in sorted({r["level"] for r in rows})},
        failed=count(status=Status.FAILED),
        incomplete=count(status=Status.INCOMPLETE),
        waiting=count(status=Status.WAITING),
        last_sensed=max((r["last"] for r in rows if r["last"]), default=None),
    )


def newest_arrivals(limit: int = 8) -> list[Intake]:
    return list(Intake.objects.select_related("product").exclude(result=Intake.Result.KNOWN)[:limit])
