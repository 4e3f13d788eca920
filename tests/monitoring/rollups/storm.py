"""The storm: ``python -m tests.monitoring.rollups.storm WRITERS ROUNDS`` on a fresh database.

Forks writers and a roller. A writer stores, stores again (superseding), withdraws and reinstates, all on the same few
products and series as its siblings; a product that is withdrawn by one is measured by another. The roller is killed and
another started. Prints how it ended, and how it looks after a full rebuild.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import django

PRODUCTS, BANDS = 12, ("B02", "B03", "B04")
START = datetime(2026, 8, 28, 10, tzinfo=UTC)


def write(seed: int, rounds: int) -> None:
    from django.db import transaction
    from django.utils import timezone

    from mpc.jobs import MeasuredValue, Outcome
    from mpc.monitoring import services
    from mpc.products.models import Product
    from mpc.runs.models import Run, State
    from mpc.runs.patience import patiently

    chance = random.Random(seed)  # noqa: S311 - a test
    products = list(Product.objects.order_by("pk"))
    for number in range(rounds):
        place = chance.randrange(PRODUCTS)
        product = products[place]

        def store(product=product, place=place) -> None:
            run = Run.objects.create(
                kind="qc.product", title="storm", product=product, queue="qc", trigger="user", state=State.SUCCEEDED
            )
            values = tuple(
                MeasuredValue(
                    metric="storm.number", time=START + timedelta(days=place, minutes=chance.randrange(600)),
                    value=chance.gauss(5, 1), samples=chance.randrange(1, 9), uncertainty=0.5, unit="S2A", band=band,
                )
                for band in chance.sample(BANDS, chance.randint(1, 3))
            )  # fmt: skip
            services.store_measurements(run, Outcome(summary="", measurements=values))

        def withdraw(product=product) -> None:
            locked = Product.objects.select_for_update().get(pk=product.pk)
            if locked.withdrawn_at is None:
                Product.objects.filter(pk=locked.pk).update(withdrawn_at=timezone.now())
                services.hide_product(locked.pk)
            else:
                Product.objects.filter(pk=locked.pk).update(withdrawn_at=None)
                services.show_product(locked.pk)

        def once(step=store if number % 4 else withdraw) -> None:
            with transaction.atomic():
                step()

        patiently(once)


def fill() -> None:
    from mpc.monitoring.models import Metric
    from mpc.products.models import Product

    Metric.objects.create(code="storm.number", name="A number")
    for place in range(PRODUCTS):
        name = f"storm-{place}"
        Product.objects.create(
            name=name, observation=name, kind="product", level="L1C", unit="S2A", baseline="05.11", status="PASSED",
            sensing_start=START, path=f"/nowhere/{name}", container="folder", size=1, checksum=name,
        )  # fmt: skip


def roll() -> None:
    """Until it is killed."""
    from mpc.monitoring.rollups.roller import Roller
    from mpc.runs.patience import patiently

    roller = Roller(size=20)
    while True:
        if not patiently(roller.roll):
            time.sleep(0.01)


def show() -> dict[str, Any]:
    """All roll-ups, when they are true and the series count what they hold."""
    from mpc.monitoring.models import DirtyBucket, Measurement, Series
    from tests.monitoring.rollups.truth import assert_true, stored

    for series in Series.objects.all():
        shown = Measurement.objects.shown().filter(series=series)
        times = list(shown.order_by("time").values_list("time", flat=True))
        assert (series.count, series.first_time, series.last_time) == (
            len(times), times[0] if times else None, times[-1] if times else None,
        )  # fmt: skip
    assert_true()
    facts = {"marks": DirtyBucket.objects.count(), "measurements": Measurement.objects.count()}
    return {**facts, "rollups": stored()}


def forked(function: Callable[..., None], *arguments: int) -> int:
    """The process that does this with connections of its own."""
    from django.db import connections

    connections.close_all()
    if pid := os.fork():
        return pid
    status = 1
    try:
        function(*arguments)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        connections.close_all()
        os._exit(status)


def main(writers: int, rounds: int) -> None:
    from mpc.monitoring.models import Rollup
    from mpc.monitoring.rollups.roller import Roller, rebuild

    fill()
    rollers = [forked(roll)]
    alive = {forked(write, seed, rounds) for seed in range(writers)}
    failed = []
    while alive or len(rollers) == 1:  # the roller dies while they write, or after them where it came late
        for pid in list(alive):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                alive.remove(pid)
                failed += [status] if status else []
        if len(rollers) == 1 and Rollup.objects.exists():
            kill(rollers[0])
            rollers.append(forked(roll))
        time.sleep(0.02)
    kill(rollers[-1])
    Roller().roll_all()
    ended = show()
    rebuild()
    print(json.dumps({"failed": failed, "rollers": len(rollers), "ended": ended, "rebuilt": show()}, default=str))


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    django.setup()
    main(*map(int, sys.argv[1:]))
