"""``measurements-write``: what it costs to keep what runs measured, against COPY into the same table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

from bench.bench_pages import _database
from bench.harness import Figure, Options
from bench.registry import bench

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = os.environ.get("MPC_TEST_POSTGRES", "")
FILLED, TINY = 500_000, 2_000
WRITING_S, TINY_S = 60, 3
LATEST_S = 60.0

if POSTGRES:

    @bench("measurements-write-postgres")
    def measurements_write(options: Options) -> Figure:
        """Measurements of runs (50 values each) stored as finished runs store them, against one COPY a run.

        Into the same table with its months, indexes and half a million rows. Storing may take 1 / 0.3 of COPY; while
        a writer writes as fast as it can and the roller turns, no roll-up may be older than a minute.
        """
        place = options.cache / "measurements-write"
        place.mkdir(parents=True, exist_ok=True)
        with _database(f"mpc_bench_write_{uuid.uuid4().hex[:8]}") as url:
            environment = {k: v for k, v in os.environ.items() if k not in ("MPC_DEBUG", "MPC_BROKER_URL")}
            environment |= {"DATABASE_URL": url, "MPC_DATA_DIR": str(place), "DJANGO_SETTINGS_MODULE": "mpc.settings"}
            numbers = (TINY, options.pairs or 5, TINY_S) if options.tiny else (FILLED, options.pairs or 7, WRITING_S)
            command = [sys.executable, "-m", "bench.writing", *map(str, numbers)]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"measuring failed:\n{done.stderr[-4000:]}")
        figure = replace(Figure(**json.loads(done.stdout.splitlines()[-1])), name="measurements-write-postgres")
        return figure.bounded("oldest mark, s", figure.detail["oldest mark while writing, s"], LATEST_S)
