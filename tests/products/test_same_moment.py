"""The same product arriving at the same moment by several ways: one product, one quality control, no error."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from processors.simulator.products import ProductSpec, write_product
from tests.products.at_once import PATIENCE_S, ROUNDS, THREADS, wait_for

ROOT = Path(__file__).resolve().parents[2]


class Place:
    """A database and folders of their own, and the processes that work on them."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder, self.database_url = folder, database_url
        dropped = {"DATABASE_URL", "MPC_BROKER_URL", "MPC_USER", "MPC_INBOX"}
        self.environment = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("PYTEST")}
        self.environment |= {
            "DJANGO_SETTINGS_MODULE": "mpc.settings",
            "MPC_DATA_DIR": str(folder / "data"),
            "MPC_GIT_COMMIT": "test",
            "NUMBA_CACHE_DIR": str(folder / "numba"),
        }
        if database_url:
            self.environment["DATABASE_URL"] = database_url
        self.python("manage.py", "migrate", "-v", "0")

    def python(self, *arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=self.environment, check=True, timeout=PATIENCE_S * 2)

    def at_once(self, **ways: object) -> dict[str, Any]:
        """Do all of these at one moment; hands back what each printed. Fails when one fails."""
        gate = self.folder / f"gate-{uuid.uuid4().hex[:8]}"
        started = {
            way: subprocess.Popen(
                [sys.executable, "-m", "tests.products.at_once", way, str(argument), str(gate)],
                cwd=ROOT,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )  # fmt: skip
            for way, argument in ways.items()
        }
        try:
            for way in ways:
                wait_for(Path(f"{gate}.{way}"))
            gate.touch()
            told = {way: process.communicate(timeout=PATIENCE_S) for way, process in started.items()}
        finally:
            for process in started.values():
                process.kill()
        for way, process in started.items():
            assert process.returncode == 0, f"{way}: {told[way][1]}"
        return {way: json.loads(out) for way, (out, _) in told.items()}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self.database_url:
            import psycopg2

            with contextlib.closing(psycopg2.connect(self.database_url)) as connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        with contextlib.closing(sqlite3.connect(self.folder / "data" / "mpc.sqlite3", timeout=20)) as database:
            return database.execute(sql).fetchall()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.pg)])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    tmp_path = tmp_path_factory.mktemp("place")
    if request.param == "sqlite":
        yield Place(tmp_path)
        return
    server = os.environ.get("MPC_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL server: set MPC_TEST_POSTGRES=postgres://user@host/database")
    import psycopg2

    name = f"mpc_same_moment_{uuid.uuid4().hex[:8]}"
    with contextlib.closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            try:
                yield Place(tmp_path, urlunsplit(urlsplit(server)._replace(path=f"/{name}")))
            finally:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_threads_that_store_the_same_at_the_same_instants(place: Place) -> None:
    told = place.at_once(threads="")["threads"]
    assert told["errors"] == []
    expected = [[turn, "known"] for turn in range(ROUNDS) for _ in range(THREADS - 1)]
    assert sorted(told["results"]) == sorted([*expected, *([turn, "taken"] for turn in range(ROUNDS))])
    stored = "products_product where path like '/archive/%'"
    assert place.rows(f"select count(*) from {stored}") == [(ROUNDS + ROUNDS * THREADS,)]
    once = "select product_id, count(*) from {} group by product_id having count(*) > 1"
    assert place.rows(once.format("products_productfacts")) == []
    assert place.rows(once.format("runs_run where kind = 'qc.product'")) == []
    asked = f"select count(*) from runs_run where kind = 'qc.product' and product_id in (select id from {stored})"
    assert place.rows(asked) == place.rows(f"select count(*) from {stored}")
    # Of versions that arrive together, exactly the one with the highest baseline is the newest.
    newest = place.rows(
        "select observation, baseline from products_product where newest and observation like 'versions%'"
    )
    assert sorted(newest) == [(f"versions {turn}", f"05.0{THREADS - 1}") for turn in range(ROUNDS)]


def test_upload_inbox_and_command_bring_the_same_product(place: Place, tmp_path: Path) -> None:
    made = write_product(ProductSpec(size_10m=60), tmp_path / "made", zipped=True)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    shutil.copyfile(made.path, inbox / made.path.name)
    told = place.at_once(cli=made.path, upload=made.path, inbox=inbox)
    assert sorted(result for (result,) in told.values()) == ["known", "known", "taken"], told
    name = made.name.removesuffix(".SAFE")
    ((product, path),) = place.rows(f"select id, path from products_product where name = '{name}'")
    assert Path(path).read_bytes() == made.path.read_bytes()
    assert place.rows("select count(*), max(state) from runs_run where kind = 'products.ingest'") == [(2, "succeeded")]
    assert place.rows(f"select kind from runs_run where product_id = {product}") == [("qc.product",)]
    # An upload that came second leaves no file; the one that came first is where the product lies.
    kept = [str(p) for p in (place.folder / "data" / "uploads").rglob("*") if p.is_file()]
    assert kept == ([path] if told["upload"] == ["taken"] else [])
