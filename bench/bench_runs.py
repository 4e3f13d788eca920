"""``runs``: what a run costs beside its work, from asking for it to its end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bench.harness import Figure, Options
from bench.registry import bench

ROOT = Path(__file__).resolve().parent.parent
RUNS, TINY = 2000, 40
PARALLEL = 2
PORTION = 100
GOAL_SQLITE_MS, GOAL_POSTGRES_MS = 60.0, 15.0
POSTGRES, REDIS = os.environ.get("MPC_TEST_POSTGRES", ""), os.environ.get("MPC_TEST_REDIS", "")


@bench("runs")
def runs(options: Options) -> Figure:
    """What a run costs beside its work on SQLite with the bell on files: two workers, asked for in portions of 100.

    The wall from the first request to the last end, less the work over the two places, by run; at most 60 ms. The floor
    is a row written and changed three times by bare SQL, each in a transaction of its own, in the same place.
    """
    return _measured("runs", {}, options, GOAL_SQLITE_MS)


if POSTGRES and REDIS:

    @bench("runs-postgres")
    def runs_on_postgres(options: Options) -> Figure:
        """The same on the servers of MPC_TEST_POSTGRES and MPC_TEST_REDIS; at most 15 ms."""
        with _database(f"mpc_bench_runs_{uuid.uuid4().hex[:8]}") as url:
            return _measured("runs-postgres", {"DATABASE_URL": url, "MPC_BROKER_URL": REDIS}, options, GOAL_POSTGRES_MS)


def _measured(name: str, services: dict[str, str], options: Options, goal_ms: float) -> Figure:
    count = TINY if options.tiny else RUNS
    with tempfile.TemporaryDirectory() as folder:
        told = _in_a_site(folder, services, count, PORTION)
    overhead_ms = 1000 * (told["wall_s"] - told["work_s"] / PARALLEL) / count
    floor_ms = 1000 * told["floor_s"] / count
    figure = Figure(
        name=name,
        value=overhead_ms,
        unit="ms a run",
        floor=floor_ms,
        ratio=overhead_ms / floor_ms,
        goal=goal_ms,
        met=overhead_ms <= goal_ms,
        detail=told,
    )
    lost = count - told["succeeded"]
    doubled = (told["attempts"] - count) + (told["log lines"] - count) + (count - told["different"])
    figure = figure.bounded("lost", lost, 0).bounded("done more than once", doubled, 0)
    if options.tiny or (lost == doubled == 0 and not figure.met and told["load before"] > (os.cpu_count() or 1)):
        return replace(figure, met=None)  # on a machine that others keep busy a wall that is too long says nothing
    return figure


def _in_a_site(folder: str, services: dict[str, str], count: int, portion: int) -> dict[str, Any]:
    """A site of its own in processes of its own; what ``bench.running`` measured in it."""
    kept = {k: v for k, v in os.environ.items() if k not in ("MPC_DEBUG", "DATABASE_URL", "MPC_BROKER_URL")}
    environment = kept | services | {
        "DJANGO_SETTINGS_MODULE": "bench.runs_settings",
        "MPC_DATA_DIR": folder,
        "MPC_BENCH_BROKER_PREFIX": f"mpc-bench-{uuid.uuid4().hex[:8]}:",
        "MPC_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    command = [sys.executable, "-m", "bench.running", str(count), str(portion)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"measuring the runs failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def _database(name: str) -> Iterator[str]:
    """The address of a new database on the server of MPC_TEST_POSTGRES, dropped at the end."""
    import psycopg2

    with contextlib.closing(psycopg2.connect(POSTGRES)) as server:
        server.autocommit = True
        server.cursor().execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))
        finally:
            server.cursor().execute(f'DROP DATABASE "{name}" WITH (FORCE)')
