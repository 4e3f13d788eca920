"""Counts for the home page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Max, Min, Q
from django.urls import reverse
from django.utils import timezone

from mpc.msi.units import UNITS
from mpc.products.models import Intake, Product, Status
from mpc.ui.numbers import duration, number, utc
from mpc.ui.units import CALM, WAITING, WATCH, WRONG, UnitFigure, UnitLine, UnitPart, UnitSign, UnitText

DAYS = 7


@dataclass(frozen=True)
class UnitSummary:
    """One satellite's products of the last days."""

    unit: str
    total: int
    by_level: dict[str, int]
    failed: int
    incomplete: int
    waiting: int
    last_sensed: datetime | None
    oldest_waiting: datetime | None


def arrivals_by_unit(days: int = DAYS) -> list[UnitSummary]:
    """Products that arrived within ``days``, by unit; one query. Units of which none arrived are left out."""
    since = timezone.now() - timedelta(days=days)
    rows = (
        Product.objects.in_use()
        .filter(taken_in__gte=since)
        .order_by()
        .values("unit", "level", "status")
        .annotate(n=Count("pk"), last=Max("sensing_start"), oldest=Min("taken_in", filter=Q(status=Status.WAITING)))
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
        oldest_waiting=min((r["oldest"] for r in rows if r["oldest"]), default=None),
    )


def unit_part(summary: UnitSummary) -> UnitPart:
    """A unit's arrivals for its card on the home page."""

    def listed(**query: str) -> str:
        return f"{reverse('products:list')}?{urlencode({'unit': summary.unit, **query})}"

    def counted(count: int, status: Status) -> UnitText:
        return UnitText(number(count), listed(status=status.value) if count else "")

    return UnitPart(
        sign=_sign(summary, listed),
        figure=UnitFigure(summary.total, f"product{'' if summary.total == 1 else 's'} in {DAYS} days", listed()),
        lines=(
            UnitLine(
                "Levels",
                tuple(UnitText(f"{level} {number(n)}", listed(level=level)) for level, n in summary.by_level.items()),
            ),
            UnitLine("Failed", (counted(summary.failed, Status.FAILED),)),
            UnitLine("Incomplete", (counted(summary.incomplete, Status.INCOMPLETE),)),
            UnitLine("Waiting", (counted(summary.waiting, Status.WAITING),)),
            UnitLine("Last sensed", (UnitText(utc(summary.last_sensed, "min")),)),
        ),
    )


def _sign(summary: UnitSummary, listed: Callable[..., str]) -> UnitSign:
    states = (
        (summary.failed, WRONG, Status.FAILED, "FAILED", "failed"),
        (summary.incomplete, WATCH, Status.INCOMPLETE, "INCOMPLETE", "incomplete"),
        (summary.waiting, WAITING, Status.WAITING, "queued", "waiting"),
    )
    for count, grave, status, word, label in states:
        if count:
            return UnitSign(grave, word, f"{count} {label}", listed(status=status.value))
    return UnitSign(CALM, "PASSED", "all passed")


def headline(units: list[UnitSummary], now: datetime, days: int = DAYS) -> str:
    """Since when, how many came and were checked, what failed and what waits, in one line."""
    since = f"Since {utc(now - timedelta(days=days), 'min')}"
    total, waiting = sum(u.total for u in units), sum(u.waiting for u in units)
    if not total:
        return f"{since} · no product arrived"
    failed = sum(u.failed for u in units)
    parts = [
        since,
        f"{number(total)} {'product' if total == 1 else 'products'} arrived, {number(total - waiting)} checked",
    ]
    parts.append(f"{number(failed)} failed" if failed else "none failed")
    oldest = min((u.oldest_waiting for u in units if u.oldest_waiting), default=None)
    if oldest is None:
        parts.append("nothing waits")
    else:
        parts.append(
            f"{number(waiting)} {'waits' if waiting == 1 else 'wait'}, the oldest for {duration(now - oldest)}"
        )
    return " · ".join(parts)


def newest_arrivals(limit: int = 8) -> list[Intake]:
    """What came last, refusals among it; what was known already or withdrawn since is no news. One query."""
    shown = Intake.objects.filter(product__withdrawn_at__isnull=True).exclude(result=Intake.Result.KNOWN)
    return list(shown.select_related("product")[:limit])
