"""What strikes a running site: signals to its processes, a database that locks or breaks off, a broker that dies.

A :class:`Force` strikes at random instants from a seed, which a test prints, so that a sequence can be tried again with
``MPC_TEST_SEED``. It finds its victims among the descendants of what the test itself has started.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.runs.site import CONSOLE, ROOT, Site, wait_until

# What a process of each kind has in its command line.
SIGNS = {
    "child": "mpc.runs.child",
    "worker": "manage.py worker",
    "sweeper": "manage.py sweeper",
    "web": "gunicorn",
}


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Procfile:
    """The site's own Procfile under honcho, as ``make run`` starts it."""

    def __init__(self, site: Site, workers: int = 1) -> None:
        self.port = free_port()
        environment = {
            **site.environment, "MPC_PYTHON": sys.executable, "MPC_BIND": f"127.0.0.1:{self.port}",
            "MPC_WEB_WORKERS": "1", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip
        with (site.folder / "honcho.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "honcho", "-f", "Procfile", "start", "-c", f"web=1,worker={workers},sweeper=1"],
                cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def members(self, kind: str) -> list[psutil.Process]:
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if SIGNS[kind] in line and "mpc.runs.keep" not in line and "/bin/sh" not in line:
                    found.append(process)
        return found

    def stop(self) -> list[psutil.Process]:
        """End it as Ctrl-C does; hands back what should be gone with it."""
        everything = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self.process.kill()
        self.process.wait()
        return everything


class RedisServer:
    """A Redis of the test's own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("redis-server")
        assert binary is not None
        self._command = [binary, "--port", str(free_port()), "--save", "", "--dir", str(folder), "--bind", "127.0.0.1"]
        self.url = f"redis://127.0.0.1:{self._command[2]}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = int(self._command[2])

        def answers() -> bool:
            with contextlib.closing(socket.socket()) as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(answers, "Redis answers")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Force:
    """Strikes until told to stop; ``done`` counts the blows that met something."""

    def __init__(self, site: Site, procfile: Procfile, redis: RedisServer | None = None) -> None:
        self.seed = int(os.environ.get("MPC_TEST_SEED", random.randrange(1 << 30)))  # noqa: S311 - no secret
        self.dice = random.Random(self.seed)  # noqa: S311
        self.done: Counter[str] = Counter()
        self._site, self._procfile, self._redis = site, procfile, redis

    def blows(self, times: int) -> list[str]:
        """Names of that many blows in random order; each kind comes before one comes twice."""
        kinds = ["child", "worker", "sweeper", "web", "database", "sleep of a worker", "sleep of a child"]
        if self._redis is not None:
            kinds.append("redis")
        wanted: list[str] = []
        while len(wanted) < times:
            self.dice.shuffle(kinds)
            wanted += kinds
        return wanted[:times]

    def pause(self) -> float:
        return self.dice.uniform(0.2, 2.0)

    def strike(self, blow: str) -> None:
        strikes: dict[str, Callable[[], bool]] = {
            "database": self._cut_connections if self._site.database_url else self._lock_database,
            "redis": self._kill_redis,
            "sleep of a worker": lambda: self._put_to_sleep("worker", self.dice.choice([1.0, 7.0])),
            "sleep of a child": lambda: self._put_to_sleep("child", 1.0),
        }
        hit = strikes[blow]() if blow in strikes else self._kill(blow)
        self.done[blow] += hit

    def _victim(self, kind: str) -> psutil.Process | None:
        """One of them, when there is one within some seconds: a kept process is away for a moment after a blow."""
        for _ in range(100):
            if members := self._procfile.members(kind):
                return self.dice.choice(members)
            time.sleep(0.1)
        return None

    def _kill(self, kind: str) -> bool:
        victim = self._victim(kind)
        if victim is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
            return True
        return False

    def _put_to_sleep(self, kind: str, seconds: float) -> bool:
        victim = self._victim(kind)
        if victim is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.suspend()
            time.sleep(seconds)
            victim.resume()
            return True
        return False

    def _lock_database(self) -> bool:
        """Hold SQLite's only write lock for longer than a worker may be silent."""
        with contextlib.closing(sqlite3.connect(self._site.folder / "mpc.sqlite3", timeout=30)) as database:
            database.isolation_level = None
            database.execute("begin immediate")
            time.sleep(6.0)
            database.execute("rollback")
        return True

    def _cut_connections(self) -> bool:
        """End a random one of the connections to the site's database, now and then all of them."""
        rows = self._site.rows(
            "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
            f"and application_name <> '{CONSOLE}'"
        )
        chosen = [pid for (pid,) in rows if self.dice.random() < 0.5]
        for pid in chosen:
            self._site.rows(f"select pg_terminate_backend({pid})")
        return bool(chosen)

    def _kill_redis(self) -> bool:
        assert self._redis is not None
        self._redis.kill()
        time.sleep(self.dice.uniform(0.5, 3.0))
        self._redis.start()
        return True
