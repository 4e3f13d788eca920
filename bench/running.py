"""Measures runs inside a site of its own: ``python -m bench.running COUNT BATCH`` prints one JSON object.

The site is what the environment says (database, broker, folder). Its tables are made, two workers with one place each
and a sweeper are started, and warmed with some runs; then the clock goes from the first request to the last end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
WARMING = 20
PATIENCE_S = 900.0


def main() -> None:
    count, batch = (int(text) for text in sys.argv[1:3])
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    with _site():
        _wait(lambda: _workers() == WORKERS, "the workers are there")
        _ask(WARMING, 0, batch)
        _wait(lambda: _over() == WARMING, "the workers are warm")
        measured = _measure(count, batch)
    measured |= _floor(count)
    print(json.dumps(measured))


@contextmanager
def _site() -> Iterator[None]:
    """Two workers and the sweeper, until the end."""
    words = [["worker", "--concurrency", "1", "--queues", "default"]] * WORKERS + [["sweeper"]]
    log = (Path(os.environ["MPC_DATA_DIR"]) / "site.log").open("ab")
    processes = [
        subprocess.Popen([sys.executable, "manage.py", *w], cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        for w in words
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        log.close()


def _measure(count: int, batch: int) -> dict[str, Any]:
    from mpc.runs.models import Run, RunAttempt, RunLogLine

    first = Run.objects.order_by("-pk").values_list("pk", flat=True)[0] + 1
    load_before = os.getloadavg()[0]
    before, began = _processor_s(), time.perf_counter()
    _ask(count, WARMING, batch)
    asked = time.perf_counter()
    _wait(lambda: _over() == count + WARMING, "all runs are over")
    ended = time.perf_counter()

    runs = Run.objects.filter(pk__gte=first)
    done = list(runs.values_list("state", "summary", "facts", "requested_at", "claimed_at", "finished_at"))
    waits = sorted((claimed - requested).total_seconds() for _, _, _, requested, claimed, _ in done)
    spans = sorted((finished - claimed).total_seconds() for _, _, _, _, claimed, finished in done)
    attempts = RunAttempt.objects.filter(run__in=runs).count()
    lines = RunLogLine.objects.filter(run__in=runs).count()
    last = max(finished for *_, finished in done)
    started = min(requested for _, _, _, requested, _, _ in done)
    return {
        "load before": round(load_before, 1),
        "runs": len(done),
        "succeeded": sum(state == "succeeded" for state, *_ in done),
        "different": len({summary for _, summary, *_ in done}),
        "attempts": attempts,
        "log lines": lines,
        "work_s": sum(facts["work_s"] for _, _, facts, *_ in done),
        "wall_s": min(ended - began, (last - started).total_seconds() + (asked - began) / max(count // batch, 1)),
        "asking_s": asked - began,
        "median from claim to end, ms": 1000 * spans[len(spans) // 2],
        "wait p95, s": waits[int(0.95 * len(waits))],
        "processor ms a run": {
            part: round(1000 * (after - before[part]) / count, 2) for part, after in _processor_s().items()
        },
    }


def _ask(count: int, first: int, batch: int) -> None:
    from mpc.accounts.actors import local_actor
    from mpc.runs import services

    actor = local_actor()
    for start in range(first, first + count, batch):
        numbers = range(start, min(start + batch, first + count))
        if batch == 1:
            services.request_run("bench.small", actor=actor, params={"number": start}, trigger="command")
        else:
            services.request_runs(
                "bench.small", actor=actor, wanted=[(None, {"number": n}) for n in numbers], trigger="command"
            )


def _over() -> int:
    from mpc.runs.models import Run

    return Run.objects.filter(state__in=["succeeded", "failed", "cancelled"]).count()


def _workers() -> int:
    from mpc.runs import services

    return services.live_workers().count()


def _processor_s() -> dict[str, float]:
    """Processor seconds so far, by part: a busy machine stretches the wall, and these less."""
    from django.db import connection

    parts = {"asking": time.process_time(), "workers": 0.0, "children": 0.0, "sweeper": 0.0, "database": 0.0}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            part = "children" if "mpc.runs.child" in line else "sweeper" if "sweeper" in line else "workers"
            times = process.cpu_times()
            parts[part] += times.user + times.system
            parts["children"] += times.children_user + times.children_system  # of those that have ended
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            for (pid,) in cursor.fetchall():
                with suppress(psutil.Error):
                    parts["database"] += sum(psutil.Process(pid).cpu_times()[:2])
    return parts


def _wait(condition: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {PATIENCE_S:.0f} s in vain until {what}")
        time.sleep(0.1)


def _floor(count: int) -> dict[str, Any]:
    from django.db import connection

    from bench.floors.runs import rows_by_bare_sql

    if connection.vendor == "postgresql":
        import psycopg2

        bare, mark = psycopg2.connect(os.environ["DATABASE_URL"]), "%s"
    else:
        import sqlite3

        bare, mark = sqlite3.connect(connection.settings_dict["NAME"]), "?"
        bare.execute("PRAGMA synchronous=NORMAL")
    began = time.perf_counter()
    rows_by_bare_sql(bare, count, mark)
    took = time.perf_counter() - began
    bare.close()
    return {"floor_s": took}


if __name__ == "__main__":
    main()
