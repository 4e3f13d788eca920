"""``trend``: what the pages of trends cost over ten years and ten million measurements."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bench.harness import Figure, Options
from bench.registry import bench

ROOT = Path(__file__).resolve().parent.parent
MANY, TINY = 10_000_000, 20_000
MOST_STATEMENTS = 20
MOST_GROWTH = 1.2
WORST = 2.0
PAIRS = 7
POSTGRES = os.environ.get("MPC_TEST_POSTGRES", "")


@bench("trend", slow=True)
def trend(options: Options) -> Figure:
    """Pages of trends over ten years at 10 million rows against the best hand-written SQL over the same roll-up rows.

    The server's time may be twice that of the SQL, the statements 20 a page, and the time may grow by a fifth when the
    rows double from 5 million. On SQLite; the database is filled once and kept in the cache (some 10 GB).
    """
    place = options.cache / f"trend-{_count(options)}"
    place.mkdir(parents=True, exist_ok=True)
    return _measured("trend", options, place, f"sqlite:///{place / 'mpc.sqlite3'}")


if POSTGRES:

    @bench("trend-postgres", slow=True)
    def trend_on_postgres(options: Options) -> Figure:
        """The same on the server of MPC_TEST_POSTGRES, in databases that are made for it and dropped afterwards."""
        place = options.cache / "trend-postgres"
        place.mkdir(parents=True, exist_ok=True)
        with _databases(f"mpc_bench_trend_{uuid.uuid4().hex[:8]}") as url:
            return _measured("trend-postgres", options, place, url)


def _count(options: Options) -> int:
    return TINY if options.tiny else MANY


def _measured(name: str, options: Options, place: Path, database: str) -> Figure:
    """In a process of its own, since settings and with them the database are read once a process."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MPC_DEBUG", "MPC_BROKER_URL")}
    environment |= {"DATABASE_URL": database, "MPC_DATA_DIR": str(place), "DJANGO_SETTINGS_MODULE": "mpc.settings"}
    command = [sys.executable, "-m", "bench.trending", str(_count(options)), str(options.pairs or PAIRS)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"measuring the trends failed:\n{done.stderr[-4000:]}")
    figure = replace(Figure(**json.loads(done.stdout.splitlines()[-1])), name=name)
    pages = figure.detail["pages"]
    # A page that is so close that it draws values reads no roll-ups: it is told, and not judged.
    judged = [page["ratio"] for page in pages.values() if page["resolution"] != "value"]
    figure = figure.bounded("most statements of a page", max(p["statements"] for p in pages.values()), MOST_STATEMENTS)
    figure = figure.bounded("growth when the rows double", figure.detail["growth"], MOST_GROWTH)
    return figure.bounded("ratio of the worst page", max(judged, default=0.0), WORST)


@contextmanager
def _databases(name: str) -> Iterator[str]:
    """The address of a new database; it and its copy with half the rows (``_half``) are dropped at the end."""
    import psycopg2

    server = psycopg2.connect(POSTGRES)
    server.autocommit = True
    try:
        with server.cursor() as cursor:
            for one in (name, f"{name}_half"):
                cursor.execute(f'CREATE DATABASE "{one}"')
        try:
            yield urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))
        finally:
            with server.cursor() as cursor:
                for one in (name, f"{name}_half"):
                    cursor.execute(f'DROP DATABASE IF EXISTS "{one}" WITH (FORCE)')
    finally:
        server.close()
