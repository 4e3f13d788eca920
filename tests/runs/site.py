"""A whole site of its own for a test: a database, a bell, and real processes that can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil

CONSOLE = "console of the tests"
"""Its connection says so: it is who asks, no part of the site, and blows leave it alone."""
ROOT = Path(__file__).resolve().parents[2]
# Generous: no test measures time by it, it only ends what would hang.
PATIENCE_S = 120.0


def wait_until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait for a true value; fails with ``what`` when it does not come."""
    deadline = time.monotonic() + patience_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.05)
    return found


class Site:
    def __init__(self, folder: Path, database_url: str = "", broker_url: str = "") -> None:
        self.folder = folder
        self.database_url = database_url
        dropped = {"DATABASE_URL", "MPC_BROKER_URL", "MPC_USER", "MPC_INBOX"}
        self.environment = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("PYTEST")}
        self.environment |= {
            "DJANGO_SETTINGS_MODULE": "tests.runs.site_settings",
            "MPC_DATA_DIR": str(folder),
            "MPC_GIT_COMMIT": "test",
            "MPC_TEST_BROKER_PREFIX": f"mpc-test-{uuid.uuid4().hex[:8]}:",
            "PYTHONPATH": str(ROOT),
            "NUMBA_CACHE_DIR": str(folder / "numba"),
        }
        if database_url:
            self.environment["DATABASE_URL"] = database_url
        if broker_url:
            self.environment["MPC_BROKER_URL"] = broker_url
        self._processes: list[subprocess.Popen[bytes]] = []
        self._console: subprocess.Popen[str] | None = None

    # --- Processes ---------------------------------------------------------------------------------------------------
    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start ``manage.py ...`` in the background; its words go to ``<folder>/<command>.log``."""
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self._processes.append(process)
        return process

    def start_worker(self, concurrency: int = 2) -> subprocess.Popen[bytes]:
        process = self.start("worker", "--concurrency", str(concurrency))
        wait_until(lambda: self.rows(f"select id from runs_worker where pid = {process.pid}"), "the worker is there")
        return process

    def close(self) -> None:
        if self._console is not None:
            self._console.communicate()
        for process in self._processes:
            process.kill()  # what they have started dies with them
            process.wait()

    # --- Talking -----------------------------------------------------------------------------------------------------
    def ask(self, **what: Any) -> Any:
        """Ask the site's console; see ``site_console``."""
        if self._console is None:
            self._console = subprocess.Popen(
                [sys.executable, "-m", "tests.runs.site_console"], cwd=ROOT, text=True, bufsize=1,
                env={**self.environment, "PGAPPNAME": CONSOLE}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        self._console.stdin.write(json.dumps(what) + "\n")
        return json.loads(self._console.stdout.readline())

    def request(self, name: str, count: int = 1, **params: Any) -> Any:
        """Queue runs of a test job; the id of one, or the ids of several."""
        ids = self.ask(do="request", kind=f"test.{name}", params=params, count=count)
        return ids[0] if count == 1 else ids

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query, read past the site."""
        if self.database_url:
            import psycopg2

            with contextlib.closing(psycopg2.connect(self.database_url)) as connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        database = sqlite3.connect(self.folder / "mpc.sqlite3", timeout=20)
        with contextlib.closing(database):
            return database.execute(sql).fetchall()

    def run(self, run_id: int) -> dict[str, Any]:
        names = ("state", "attempt", "max_attempts", "error_kind", "error", "summary", "progress_message")
        (row,) = self.rows(f"select {', '.join(names)} from runs_run where id = {run_id}")
        return dict(zip(names, row, strict=True))

    def wait_for(self, run_id: int, state: str) -> dict[str, Any]:
        wait_until(lambda: self.run(run_id)["state"] == state, f"run {run_id} is {state}: {self.run(run_id)}")
        return self.run(run_id)

    def wait_for_message(self, run_id: int, message: str) -> None:
        wait_until(lambda: self.run(run_id)["progress_message"] == message, f"run {run_id} says “{message}”")

    def files(self, run_id: int) -> list[str]:
        folder = self.folder / "runs" / str(run_id)
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def children_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [p for p in psutil.Process(process.pid).children() if "mpc.runs.child" in " ".join(p.cmdline())]


def other_database(url: str, name: str) -> str:
    """The same server's database ``name``."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
