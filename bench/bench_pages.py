"""``pages``: what the pages cost at the size of the mission, against their own statements."""

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
FEW, MANY, TINY = 1_000, 100_000, (40, 60)
MOST_STATEMENTS = 20
PAIRS = 7
POSTGRES = os.environ.get("MPC_TEST_POSTGRES", "")


@bench("pages")
def pages(options: Options) -> Figure:
    """Pages of products, reports and runs at 100 000 products and 5 million checks, against their statements alone.

    The statements may be 20 a page at the most, and as many for 1 000 products; the server's time may be twice theirs.
    On SQLite; the database is filled once, which takes some minutes, and kept in the cache (2 GB).
    """
    place = options.cache / f"pages-{_sizes(options)[1]}"
    return _measured("pages", options, place, f"sqlite:///{place / 'mpc.sqlite3'}")


if POSTGRES:

    @bench("pages-postgres")
    def pages_on_postgres(options: Options) -> Figure:
        """The same on the server of MPC_TEST_POSTGRES, in a database that is made for it and dropped afterwards."""
        with _database(f"mpc_bench_pages_{uuid.uuid4().hex[:8]}") as url:
            return _measured("pages-postgres", options, options.cache / "pages-postgres", url)


def _sizes(options: Options) -> tuple[int, int]:
    """Few and many products."""
    return TINY if options.tiny else (FEW, MANY)


def _measured(name: str, options: Options, place: Path, database: str) -> Figure:
    """In a process of its own, since settings and with them the database are read once a process."""
    place.mkdir(parents=True, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("MPC_DEBUG", "MPC_BROKER_URL")}
    environment |= {"DATABASE_URL": database, "MPC_DATA_DIR": str(place), "DJANGO_SETTINGS_MODULE": "mpc.settings"}
    numbers = (*_sizes(options), options.pairs or PAIRS)
    command = [sys.executable, "-m", "bench.paging", "measure", *map(str, numbers)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"measuring the pages failed:\n{done.stderr[-4000:]}")
    figure = replace(Figure(**json.loads(done.stdout.splitlines()[-1])), name=name)
    return _bounded(figure)


def _bounded(figure: Figure) -> Figure:
    few = figure.detail["statements for few"]
    many = {page: cost["statements"] for page, cost in figure.detail["pages"].items()}
    figure.detail["pages whose statements grow"] = growing = sorted(
        page for page in many if many[page] != few.get(page)
    )
    figure = figure.bounded("number of pages whose statements grow", len(growing), 0)
    return figure.bounded("most statements of a page", max(many.values()), MOST_STATEMENTS)


@contextmanager
def _database(name: str) -> Iterator[str]:
    """The address of a new database on the server of MPC_TEST_POSTGRES, dropped at the end."""
    import psycopg2

    server = psycopg2.connect(POSTGRES)
    server.autocommit = True
    try:
        with server.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))
        finally:
            with server.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        server.close()
