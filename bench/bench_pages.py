"""``pages``: what the pages cost at the size of the mission, against their own statements."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bench.harness import Figure, Options
from bench.registry import bench

ROOT = Path(__file__).resolve().parent.parent
SMALL, LARGE, TINY = 1_000, 100_000, 60
MOST_STATEMENTS = 20
PAIRS = 7
POSTGRES = os.environ.get("MPC_TEST_POSTGRES", "")


@bench("pages")
def pages(options: Options) -> Figure:
    """Pages of products, reports and runs at 100 000 products and 5 million checks, against their statements alone.

    The statements may be 20 a page at the most, and as many for 1 000 products; the server's time may be twice theirs.
    On SQLite; the databases are filled once, which takes some minutes, and kept in the cache (2 GB).
    """

    def measure(products: int, pairs: int) -> Figure:
        place = options.cache / f"pages-{products}"
        return _in_a_process(products, pairs, place, f"sqlite:///{place / 'mpc.sqlite3'}")

    return _judged("pages", options, measure)


if POSTGRES:

    @bench("pages-postgres")
    def pages_on_postgres(options: Options) -> Figure:
        """The same on the server of MPC_TEST_POSTGRES, in databases that are made for it and dropped afterwards."""

        def measure(products: int, pairs: int) -> Figure:
            with _database(f"mpc_bench_pages_{os.getpid()}") as url:
                return _in_a_process(products, pairs, options.cache / "pages-postgres", url)

        return _judged("pages-postgres", options, measure)


def _judged(name: str, options: Options, measure: Callable[[int, int], Figure]) -> Figure:
    small, large = (TINY // 2, TINY) if options.tiny else (SMALL, LARGE)
    few, many = measure(small, 1), measure(large, options.pairs or PAIRS)
    of_few, of_many = ({page: cost["statements"] for page, cost in f.detail["pages"].items()} for f in (few, many))
    growing = sorted(page for page in of_many if of_many[page] != of_few[page])
    many.detail["pages whose statements grow"] = growing
    figure = replace(many, name=name).bounded("pages whose statements grow, number", len(growing), 0)
    return figure.bounded("most statements of a page", max(of_many.values()), MOST_STATEMENTS)


def _in_a_process(products: int, pairs: int, place: Path, database: str) -> Figure:
    """A process of its own has a database of its own: settings are read once a process."""
    place.mkdir(parents=True, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("MPC_DEBUG", "MPC_BROKER_URL")}
    environment |= {"DATABASE_URL": database, "MPC_DATA_DIR": str(place), "DJANGO_SETTINGS_MODULE": "mpc.settings"}
    command = [sys.executable, "-m", "bench.paging", str(products), str(pairs)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"measuring the pages failed:\n{done.stderr[-4000:]}")
    return Figure(**json.loads(done.stdout.splitlines()[-1]))


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
