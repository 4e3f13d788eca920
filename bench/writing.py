"""The work of ``measurements-write``, in a process of its own: ``python -m bench.writing FILLED PAIRS SECONDS``."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import django

VALUES, LARGE = 50, 1872
RUNS = 40
START = datetime(2026, 11, 2, tzinfo=UTC)
_numbers = itertools.count()


def main(filled: int, pairs: int, seconds: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from bench.floors.measurements import copy_rows
    from bench.harness import compare
    from mpc.accounts.actors import local_actor
    from mpc.monitoring.filling import fill
    from mpc.monitoring.models import Measurement

    call_command("migrate", verbosity=0)
    fill(filled, actor=local_actor(), until=START + timedelta(days=20))
    ours = Ours(VALUES)
    ours.write(2)
    table = Measurement._meta.db_table

    def floor(of: Ours, runs: int) -> Any:
        made = [of.rows() for _ in range(runs)]
        return lambda: copy_rows(connection.connection, table, made)

    figure = _compared(compare, ours, floor, pairs, RUNS)
    large = Ours(LARGE)
    large.write(1)
    beside = _compared(compare, large, floor, 3, 2)
    detail = {
        **figure.detail,
        "rows/s": round(RUNS * VALUES / figure.value),
        "rows/s of COPY": round(RUNS * VALUES / figure.floor),
        "share of COPY": round(1 / figure.ratio, 3),
        f"share of COPY with {LARGE} values a run": round(1 / beside.ratio, 3),
        f"rows/s with {LARGE} values a run": round(2 * LARGE / beside.value),
        **_while_rolling(ours, seconds),
    }
    print(json.dumps({**figure.as_dict(), "detail": detail}))


def _compared(compare: Any, ours: Ours, floor: Any, pairs: int, runs: int) -> Any:
    """Material is made before the clock runs: the runs of ours and the rows of the floor."""
    stock = [ours.stock(runs) for _ in range(pairs + 1)]
    least = [floor(ours, runs) for _ in range(pairs + 1)]
    return compare(
        "measurements-write",
        lambda: ours.store(stock.pop()),
        lambda: least.pop()(),
        goal=1 / 0.3,
        by="wall",
        pairs=pairs,
    )


class Ours:
    """Runs with so many values each, of a product each, in series that are there."""

    def __init__(self, values: int) -> None:
        from mpc.monitoring.models import Series
        from mpc.products.models import Product

        self.values = values
        self.series = list(Series.objects.filter(unit="S2A", count__gt=0).select_related("metric")[:60])
        if len(self.series) < min(values, 60):
            self.series = list(Series.objects.filter(unit="S2A").select_related("metric")[:60])
        self.products = list(Product.objects.order_by("pk").values_list("pk", flat=True))
        self.given = itertools.cycle(self.products)

    def stock(self, runs: int) -> list[tuple[Any, Any]]:
        from mpc.jobs import MeasuredValue, Outcome
        from mpc.runs.models import Run, State

        made = []
        for _ in range(runs):
            number = next(_numbers)
            product = next(self.given) if self.values <= len(self.series) else None
            run = Run.objects.create(
                kind=f"bench.{number}", title="bench", queue="default", trigger="user", state=State.SUCCEEDED,
                product_id=product,
            )  # fmt: skip
            values = tuple(
                MeasuredValue(
                    metric=s.metric_id, time=START + timedelta(seconds=60 * number + n // len(self.series)), value=0.5,
                    samples=9, uncertainty=0.1, unit=s.unit, band=s.band, detector=s.detector, site=s.site,
                    level=s.level, baseline=s.baseline,
                )
                for n, s in zip(range(self.values), itertools.cycle(self.series), strict=False)
            )  # fmt: skip
            made.append((run, Outcome(summary="", measurements=values)))
        return made

    def store(self, stock: list[tuple[Any, Any]]) -> None:
        from mpc.monitoring.services import store_measurements

        for run, outcome in stock:
            store_measurements(run, outcome)

    def write(self, runs: int) -> None:
        self.store(self.stock(runs))

    def rows(self) -> list[tuple[Any, ...]]:
        """What the floor writes: as many rows, of a run and a product of their own."""
        run, outcome = self.stock(1)[0]
        keys = {s.pk: s for s in self.series}
        return [
            (key, value.time.isoformat(), value.value, value.uncertainty, "", value.samples, run.pk,
             run.product_id, run.kind, True, False)
            for key, value in zip(itertools.cycle(keys), outcome.measurements, strict=False)
        ]  # fmt: skip


def _while_rolling(ours: Ours, seconds: int) -> dict[str, Any]:
    """Write as fast as one process can while the roller turns in another; how old did a mark become?"""
    from django.db import connections
    from django.db.models import Min
    from django.utils import timezone

    from mpc.monitoring.models import DirtyBucket
    from mpc.monitoring.rollups.roller import Roller

    Roller().roll_all()
    connections.close_all()
    child = os.fork()
    if child == 0:
        signal.alarm(seconds + 120)
        roller = Roller()
        while True:
            roller.roll_all(for_s=20)
            time.sleep(5)
    try:
        end, oldest, written = time.monotonic() + seconds, 0.0, 0
        while time.monotonic() < end:
            ours.write(10)
            written += 10 * ours.values
            first = DirtyBucket.objects.aggregate(first=Min("marked_at"))["first"]
            if first is not None:
                oldest = max(oldest, (timezone.now() - first).total_seconds())
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return {"oldest mark while writing, s": round(oldest, 1), "rows/s with the roller": round(written / seconds)}


if __name__ == "__main__":
    django.setup()
    main(*map(int, sys.argv[1:]))
