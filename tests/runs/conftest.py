"""What the tests of the engine share."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mpc.accounts.actors import local_actor
from mpc.runs import services
from mpc.runs.children import Nursery
from mpc.runs.models import Run
from tests.runs import declared
from tests.runs.site import Site, other_database


@pytest.fixture(scope="session", autouse=True)
def _declared() -> None:
    declared.declare()


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.MPC_RUNS_DIR = tmp_path / "runs"
    settings.MPC_RETRY_BACKOFF_S = 0.05
    settings.MPC_CANCEL_GRACE_S = 0.5


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fresh database, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    done = Site(folder).manage("migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return folder


def on_server(sql: str) -> None:
    import psycopg2

    with contextlib.closing(psycopg2.connect(os.environ["MPC_TEST_POSTGRES"])) as connection:
        connection.autocommit = True
        connection.cursor().execute(sql)


@pytest.fixture(scope="session")
def postgres_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a fresh database on the server, to be copied."""
    if not os.environ.get("MPC_TEST_POSTGRES"):
        pytest.skip("no PostgreSQL server: set MPC_TEST_POSTGRES=postgres://user@host/database")
    name = f"mpc_test_{uuid.uuid4().hex[:10]}"
    on_server(f"create database {name}")
    url = other_database(os.environ["MPC_TEST_POSTGRES"], name)
    done = Site(tmp_path_factory.mktemp("template"), url).manage("migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    yield name
    on_server(f"drop database if exists {name} with (force)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.pg])])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """SQLite with the bell on files; in the lane, PostgreSQL with the bell on Redis where there is one."""
    folder = tmp_path / "site"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("migrated"), folder)
        site = Site(folder)
        yield site
        site.close()
        return
    template = request.getfixturevalue("postgres_template")
    name = f"{template}_copy"
    on_server(f"create database {name} template {template}")
    folder.mkdir()
    site = Site(folder, other_database(os.environ["MPC_TEST_POSTGRES"], name), os.environ.get("MPC_TEST_REDIS", ""))
    yield site
    site.close()
    on_server(f"drop database if exists {name} with (force)")


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Warm children for all tests, so that each need not load numba again."""
    nursery = Nursery(threads=1)
    yield nursery
    nursery.close()


@pytest.fixture
def ask(db: None) -> Any:
    """``ask("echo", text="hi")`` queues a run of a test job as the local account."""

    def request(name: str, **params: Any) -> Run:
        run, _ = services.request_run(f"test.{name}", actor=local_actor(), params=params, trigger="command")
        return run

    return request


@pytest.fixture
def do(ask: Any, nursery: Nursery) -> Any:
    """``do("echo", text="hi")`` asks for a run and does it here; hands back the run when it is over."""

    def request_and_work(name: str, **params: Any) -> Run:
        return services.work_in_place(ask(name, **params), nursery=nursery)

    return request_and_work
