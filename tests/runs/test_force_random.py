"""Blows at random instants while runs are asked for and done: each ends once, with one set of results and files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from processors.simulator.products import ProductSpec, write_product
from tests.runs.conftest import on_server
from tests.runs.forces import Force, Procfile, RedisServer
from tests.runs.site import Site, other_database, wait_until

WORKS, POSTED, PRODUCTS, BLOWS = 36, 6, 3, 14


@pytest.fixture(scope="session")
def tiny_products(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("products")
    spec = ProductSpec(size_10m=120)
    for day in range(PRODUCTS):
        write_product(ProductSpec(size_10m=120, start=spec.start + timedelta(days=5 * day)), folder)
    return sorted(folder.glob("*.SAFE"))


@pytest.fixture
def sqlite_site(migrated: Path, tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    shutil.copytree(migrated, folder)
    site = Site(folder)
    yield site
    site.close()


def test_make_run_under_random_blows(sqlite_site: Site, tiny_products: list[Path]) -> None:
    _bear(sqlite_site, tiny_products, workers=1, redis=None)


@pytest.mark.pg
def test_postgresql_and_redis_with_two_workers_under_random_blows(
    request: pytest.FixtureRequest, tmp_path: Path, tiny_products: list[Path]
) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server binary: a Redis that may be killed has to be the test's own")
    template = request.getfixturevalue("postgres_template")
    name = f"{template}_force"
    on_server(f"create database {name} template {template}")
    folder = tmp_path / "site"
    folder.mkdir()
    redis = RedisServer(tmp_path)
    redis.start()
    site = Site(folder, other_database(os.environ["MPC_TEST_POSTGRES"], name), redis.url)
    try:
        _bear(site, tiny_products, workers=2, redis=redis)
    finally:
        site.close()
        redis.kill()
        on_server(f"drop database if exists {name} with (force)")


def _bear(site: Site, products: list[Path], workers: int, redis: RedisServer | None) -> None:
    procfile = Procfile(site, workers)
    force = Force(site, procfile, redis)
    print(f"\nseed {force.seed}")
    try:
        token = site.ask(do="token")
        wait_until(lambda: site.rows("select id from runs_worker"), "a worker is there")
        blows = force.blows(BLOWS)
        asking = threading.Thread(target=_ask_for_all, args=(site, procfile, token, products, force.seed))
        asking.start()
        for blow in blows:
            time.sleep(force.pause())
            force.strike(blow)
        asking.join()
        wait_until(
            lambda: site.rows("select count(*) from runs_run where state in ('queued', 'running')") == [(0,)],
            f"all runs are over; seed {force.seed}: {site.rows('select state, count(*) from runs_run group by state')}",
        )
        print(f"blows: {dict(force.done)}")
        _judge(site, len(products))
    finally:
        gone = procfile.stop()
    wait_until(lambda: not [p for p in gone if p.is_running() and p.status() != "zombie"], "no process is left")


# --- Asking ----------------------------------------------------------------------------------------------------------
def _ask_for_all(site: Site, procfile: Procfile, token: str, products: list[Path], seed: int) -> None:
    for n in range(WORKS):
        site.ask(do="work", texts=[f"work {n}"], seconds=[0.4 + 0.2 * ((seed + n) % 12)])
        if n % 6 == 0:
            _post(site, procfile, token, f"posted {n // 6}")
        if n % 12 == 6:
            site.ask(do="ingest", path=str(products[n // 12]))
        time.sleep(0.1)


def _post(site: Site, procfile: Procfile, token: str, text: str) -> None:
    """Ask over the web. A client whose answer is lost looks whether it was done before it asks again."""
    body = json.dumps({"kind": "test.whole_work", "params": {"text": text, "seconds": 0.1}}).encode()
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}

    def done() -> bool:
        request = urllib.request.Request(f"http://127.0.0.1:{procfile.port}/api/v1/runs/", body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status == 201
        except OSError:  # refused, broken off, or a status that says no
            time.sleep(0.5)
        return (text,) in [(json.loads(p)["text"] if isinstance(p, str) else p["text"],) for (p,) in _params(site)]

    wait_until(done, f"“{text}” is asked for")


def _params(site: Site) -> list[tuple[Any, ...]]:
    return site.rows("select params from runs_run where kind = 'test.whole_work'")


# --- Judging ---------------------------------------------------------------------------------------------------------
def _judge(site: Site, products: int) -> None:
    runs = site.rows("select id, kind, state, attempt, error_kind, summary from runs_run order by id")
    states = Counter((kind, state) for _, kind, state, *_ in runs)
    attempts = site.rows("select run_id, attempt, state from runs_runattempt")
    again = len(attempts) - len(runs)
    print(f"runs: { {f'{kind} {state}': n for (kind, state), n in states.items()} }; {again} further attempts")

    works = [row for row in runs if row[1] == "test.whole_work"]
    texts = sorted([f"work {n}" for n in range(WORKS)] + [f"posted {n}" for n in range(POSTED)])
    assert sorted(row[5] for row in works) == texts, "each was asked for once and is done"
    assert {row[2] for row in works} == {"succeeded"}
    controls = [row for row in runs if row[1] == "qc.product"]
    assert len(controls) == products
    # Three attempts may all be struck; then the run says so and has left nothing.
    assert all(row[2] == "succeeded" or row[4] in ("lost", "crash") for row in controls)

    ended = {(run, attempt) for run, attempt, state in attempts if state == "succeeded"}
    assert ended == {(row[0], row[3]) for row in runs if row[2] == "succeeded"}, "one attempt of each has succeeded"
    assert not [row for row in attempts if row[2] in ("running", "queued")]
    assert len({(run, attempt) for run, attempt, _ in attempts}) == len(attempts)

    lines = site.rows("select run_id, attempt from runs_runlogline where text like 'done with %'")
    assert Counter(line for line in lines if line in ended) == Counter({(row[0], row[3]): 1 for row in works})
    values = site.rows(
        "select run_id, count(*) from monitoring_measurement where job_kind = 'test.whole_work' group by 1"
    )
    assert dict(values) == {row[0]: 2 for row in works}
    reports = site.rows("select run_id from qc_qualityreport")
    assert sorted(reports) == sorted((row[0],) for row in controls if row[2] == "succeeded")

    _judge_files(site, ended)


def _judge_files(site: Site, ended: set[tuple[int, int]]) -> None:
    rows = site.rows("select run_id, attempt, path, sha256, size from runs_runartifact")
    assert {(run, attempt) for run, attempt, *_ in rows} <= ended
    wanted = {f"{run}/{attempt}/{path}": (sha256, size) for run, attempt, path, sha256, size in rows}
    assert len(wanted) == len(rows)
    folder = site.folder / "runs"

    def there() -> set[str]:
        return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}

    with contextlib.suppress(AssertionError):  # what woke late still removes its own
        wait_until(lambda: there() == set(wanted), "", patience_s=20.0)
    assert there() == set(wanted), "only files that count are left"
    for name, (sha256, size) in wanted.items():
        content = (folder / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)
    print(f"files: {len(wanted)}")
