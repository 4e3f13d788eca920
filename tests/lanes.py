"""Runs the whole suite and then the lanes that need more than Python: ``python -m tests.lanes [pytest arguments]``.

The suite proper runs on SQLite and the filesystem transport and needs nothing. Tests marked ``pg``, ``redis`` and
``browser`` run as lanes of their own where PostgreSQL, Redis and Chromium are at hand; the summary names every lane
that did not run and says how to get it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

NO_TESTS = 5  # pytest's exit status when nothing was collected
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Lane:
    """One group of tests that needs something; ``present`` is how it was found, ``advice`` how to get it."""

    name: str
    mark: str
    present: str
    advice: str
    environment: dict[str, str]


def _answers(url: str, default_port: int) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or default_port), timeout=2):
            return True
    except OSError:
        return False


def _postgres() -> Lane:
    url = os.environ.get("MPC_TEST_POSTGRES") or "postgres://postgres@127.0.0.1:5432/postgres"
    present = url if _answers(url, 5432) and _can_sign_in(url) else ""
    advice = (
        "start PostgreSQL on this machine, or set MPC_TEST_POSTGRES=postgres://user:password@host:5432/database "
        "of a server where the user may make databases"
    )
    return Lane("PostgreSQL", "pg", present, advice, {"MPC_TEST_POSTGRES": url})


def _can_sign_in(url: str) -> bool:
    import psycopg2

    try:
        psycopg2.connect(url, connect_timeout=3).close()
    except psycopg2.Error as error:
        print(f"PostgreSQL answers but does not let us in: {error}".strip(), file=sys.stderr)
        return False
    return True


def _redis() -> Lane:
    url = os.environ.get("MPC_TEST_REDIS") or "redis://127.0.0.1:6379/9"
    present = url if _answers(url, 6379) else ""
    advice = "start Redis on this machine, or set MPC_TEST_REDIS=redis://host:6379/9"
    return Lane("Redis", "redis", present, advice, {"MPC_TEST_REDIS": url})


def _browser() -> Lane:
    found = os.environ.get("MPC_TEST_BROWSER") or next((p for b in BROWSERS if (p := shutil.which(b))), "")
    advice = "install Chromium (Debian: apt-get install chromium), or set MPC_TEST_BROWSER=/path/to/chromium"
    return Lane("Browser", "browser", found, advice, {"MPC_TEST_BROWSER": found})


def _pytest(arguments: list[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def main(arguments: list[str]) -> int:
    workers = os.environ.get("MPC_TEST_WORKERS", "2")
    lanes = [_postgres(), _redis(), _browser()]
    outcomes: list[tuple[str, str]] = []
    status = 0

    print("== The suite (SQLite, no services)", flush=True)
    code = _pytest(
        ["-m", "not pg and not redis and not browser", "-n", workers, "--dist", "loadfile", "-q", *arguments], {}
    )
    outcomes.append(("Suite", "passed" if code == 0 else f"FAILED (status {code})"))
    status |= code not in (0,)

    everything = {key: value for lane in lanes if lane.present for key, value in lane.environment.items()}
    ran: list[str] = []
    for lane in lanes:
        if not lane.present:
            outcomes.append((lane.name, f"did not run: {lane.advice}"))
            continue
        print(f"== Lane: {lane.name} ({lane.present})", flush=True)
        # What needs several of them runs once, in the first of their lanes.
        marks = " and not ".join([lane.mark, *ran])
        code = _pytest(["-m", marks, "-q", *arguments], everything)
        ran.append(lane.mark)
        if code == NO_TESTS:
            outcomes.append((lane.name, "has no tests that fit the arguments"))
        else:
            outcomes.append((lane.name, "passed" if code == 0 else f"FAILED (status {code})"))
            status |= code != 0

    print("\n== Summary")
    for name, outcome in outcomes:
        print(f"  {name:<12} {outcome}")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
