"""Eight writers at once, a roller that is killed: at the end the roll-ups are those of a full rebuild, to the bit."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

ROOT = Path(__file__).resolve().parents[3]
WRITERS, ROUNDS = 8, 14


def run(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.pg])])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of processes with a database of their own."""
    dropped = {"DATABASE_URL", "MPC_BROKER_URL", "MPC_USER", "MPC_INBOX"}
    own = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("PYTEST")}
    own |= {"MPC_DATA_DIR": str(tmp_path), "MPC_GIT_COMMIT": "test", "DJANGO_SETTINGS_MODULE": "mpc.settings"}
    if request.param == "sqlite":
        yield own
        return
    server = os.environ.get("MPC_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL server: set MPC_TEST_POSTGRES=postgres://user@host/database")
    name = f"mpc_test_{uuid.uuid4().hex[:10]}"
    on_server(server, f"create database {name}")
    yield own | {"DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{name}"))}
    on_server(server, f"drop database if exists {name} with (force)")


def on_server(url: str, sql: str) -> None:
    import psycopg2

    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(sql)


def test_eight_writers_and_a_killed_roller_end_equal_to_a_rebuild(environment):
    run(environment, "manage.py", "migrate", "--verbosity", "0")
    told = json.loads(run(environment, "-m", "tests.monitoring.rollups.storm", str(WRITERS), str(ROUNDS)))
    assert (told["failed"], told["rollers"]) == ([], 2)
    assert told["ended"]["marks"] == 0
    assert told["ended"]["measurements"] > 100
    assert len(told["ended"]["rollups"]) > 20
    assert told["rebuilt"] == told["ended"]
