"""What ran on the day, on how many products, with which verdicts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from django.db.models import Count, QuerySet

from mpc.jobs import Verdict, all_jobs
from mpc.monitoring.digests.content import Cell, Day, Grid, Link, Section, cell, fact, grid, grids
from mpc.monitoring.digests.sections.words import count, listed
from mpc.products.models import Intake, Product
from mpc.runs.models import ACTIVE, OVER, ErrorKind, Run, State

_VERDICTS = tuple(verdict.value for verdict in Verdict)


def what_ran(day: Day) -> Section:
    finished = Run.objects.filter(finished_at__gte=day.start, finished_at__lt=day.end).order_by()
    by_kind = _nested(finished.values_list("kind", "state").annotate(n=Count("pk")))
    totals = Counter[str]()
    for states in by_kind.values():
        totals.update(states)
    waiting = Run.objects.filter(state__in=ACTIVE, requested_at__lt=day.end).count()
    arrived = _arrivals(day)
    refused = Intake.objects.filter(at__gte=day.start, at__lt=day.end, result=Intake.Result.REFUSED).count()
    failed = totals[State.FAILED]
    came = sum(arrived.values())
    summary = listed(
        (
            f"{count(totals.total(), 'run')} ended",
            f"{failed} failed" if failed else "",
            f"{count(came, 'product')} arrived",
            f"{count(refused, 'arrival')} refused" if refused else "",
        )
    )
    return Section(
        key="ran",
        title="What ran",
        sign="failed" if failed or refused else "passed" if totals.total() else "idle",
        summary=summary,
        facts=(
            fact("Runs ended", totals.total(), _runs(day)),
            *(fact(f"of them {state.label}", totals[state], _runs(day, state=state)) for state in OVER),
            fact("Products arrived", came, Link("products:list", {}, _arrived(day))),
            fact("Arrivals refused", refused, _refused(day)),
            fact("Runs not ended yet, when this was made", waiting, Link("runs:list", {}, {"state": list(ACTIVE)})),
        ),
        tables=grids(_kinds(day, by_kind), _products(day, finished, arrived), _failures(day, finished)),
        gaps=("What a withdrawn product had is counted as it was; its lists show it under Withdrawn.",)
        if Product.objects.withdrawn().filter(taken_in__gte=day.start, taken_in__lt=day.end).exists()
        else (),
    )


def _runs(day: Day, **more: Any) -> Link:
    return Link("runs:list", {}, day.query("finished_since", "finished_until", **{k: str(v) for k, v in more.items()}))


def _refused(day: Day) -> Link:
    return Link("products:intakes", {}, day.query("since", "until", result="refused"))


def _arrived(day: Day, **more: Any) -> dict[str, Any]:
    return day.query("arrived_since", "arrived_until", withdrawn="any", **more)


def _nested(rows: Any) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for key, inner, n in rows:
        found[key][inner] += n
    return found


def _arrivals(day: Day) -> Counter[tuple[str, str]]:
    rows = Product.objects.filter(taken_in__gte=day.start, taken_in__lt=day.end).order_by()
    return Counter({(unit, level): n for unit, level, n in rows.values_list("unit", "level").annotate(n=Count("pk"))})


def _kinds(day: Day, by_kind: Mapping[str, Counter[str]]) -> Grid:
    titles = {job.kind: job.title for job in all_jobs()}
    rows = [
        [
            cell(titles.get(kind, kind), _runs(day, kind=kind)),
            *(cell(states[state], _runs(day, kind=kind, state=state)) for state in OVER),
        ]
        for kind, states in sorted(by_kind.items())
    ]
    return grid("By kind of run", ("Kind", "Succeeded", "Failed", "Cancelled"), rows)


def _products(day: Day, finished: QuerySet[Run], arrived: Counter[tuple[str, str]]) -> Grid:
    """Products by unit and level: how many came, how many were worked on, and the verdicts on them."""
    on_products = finished.filter(product__isnull=False)
    worked = {
        (unit, level): n
        for unit, level, n in on_products.values_list("product__unit", "product__level").annotate(
            n=Count("product", distinct=True)
        )
    }
    verdicts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    judged = on_products.exclude(verdict="").values_list("product__unit", "product__level", "verdict")
    for unit, level, verdict, n in judged.annotate(n=Count("pk")):
        verdicts[unit, level][verdict] += n
    rows = []
    for unit, level in sorted(arrived.keys() | worked.keys()):
        of = {"unit": unit, "level": level}
        rows.append(
            [
                Cell(unit, is_unit=True),
                level,
                cell(arrived[unit, level], Link("products:list", {}, _arrived(day, **of))),
                cell(worked.get((unit, level), 0), _runs(day, **of)),
                *(cell(verdicts[unit, level][verdict], _runs(day, verdict=verdict, **of)) for verdict in _VERDICTS),
            ]
        )
    return grid("Products", ("Unit", "Level", "Arrived", "Worked on", *_VERDICTS), rows)


def _failures(day: Day, finished: QuerySet[Run]) -> Grid:
    titles = {job.kind: job.title for job in all_jobs()}
    labels = dict(ErrorKind.choices)
    failed = finished.filter(state=State.FAILED).values_list("kind", "error_kind").annotate(n=Count("pk"))
    rows = [
        [
            titles.get(kind, kind),
            labels.get(reason, reason or "no reason kept"),
            cell(n, _runs(day, kind=kind, state=State.FAILED, **({"error_kind": reason} if reason else {}))),
        ]
        for kind, reason, n in sorted(failed)
    ]
    return grid("Why runs failed", ("Kind", "Reason", "Runs"), rows)
