"""The services of the composition as processes of this machine, on its PostgreSQL and its Redis."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
import redis

from tests.compose.composed import ROOT, composition, dockerfile

# Generous: no test measures time by it, it only ends what would hang.
PATIENCE_S = 180.0
HOST = "localhost"
NO_CADDY = "no proxy here: install Caddy (Debian: apt-get install caddy), or set MPC_TEST_CADDY=/path/to/caddy"


class Engine:
    """Starts services as the composition says, with this machine's places in the place of the containers'."""

    def __init__(self, folder: Path, database_url: str, broker_url: str, caddy: str) -> None:
        self.folder, self.database_url, self.caddy = folder, database_url, caddy
        self.services = composition(
            {"MPC_SECRET_KEY": uuid.uuid4().hex * 2, "POSTGRES_PASSWORD": "p", "MPC_HOST": HOST}
        )["services"]
        self.web_port, self.proxy_port, self.tls_port = free_port(), free_port(), free_port()
        for name in ("data", "data/tmp", "inbox", "schemas", "backups"):
            (folder / name).mkdir(parents=True)
        self._replaced = {
            "postgres://mpc:p@database:5432/mpc": database_url,
            "redis://broker:6379/0": broker_url,
            "0.0.0.0:8000": f"127.0.0.1:{self.web_port}",
            "/data": str(folder / "data"),
            "/backups": str(folder / "backups"),
            "/inbox": str(folder / "inbox"),
            "/schemas": str(folder / "schemas"),
        }
        self._prefix = f"mpc-test-{uuid.uuid4().hex[:8]}:"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    # --- Places ------------------------------------------------------------------------------------------------------
    def here(self, text: str) -> str:
        """A word of the composition with the places of this machine."""
        for there, here in self._replaced.items():
            if text == there or (there.startswith("/") and text.startswith(f"{there}/")):
                return here + text[len(there) :]
        return text

    def environment(self, name: str) -> dict[str, str]:
        """What the image and the composition set, and of this process only what finds programs."""
        _, stages = dockerfile()
        image = stages[self.services[name]["build"]["target"]].environment()
        image.pop("PATH", None)
        given = {k: self.here(str(v)) for k, v in {**image, **self.services[name]["environment"]}.items()}
        own = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
        return {**own, **given, "MPC_GIT_COMMIT": "test", "MPC_BROKER_PREFIX": self._prefix}

    def command(self, words: list[str]) -> list[str]:
        words = [self.here(word) for word in words]
        if words[0] == "python":
            words[0] = sys.executable
        elif words[0] == "gunicorn":
            words[:1] = [sys.executable, "-m", "gunicorn"]
        return words

    # --- Processes ---------------------------------------------------------------------------------------------------
    def run(self, name: str, *command: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """``docker compose run --rm NAME COMMAND``; without a command the service's own."""
        service = self.services[name]
        words = [*service.get("entrypoint", []), *(command or service["command"])]
        return subprocess.run(
            self.command(words), cwd=ROOT, env=self.environment(name), capture_output=True, text=True, input=said,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self.command(self.services[name]["command"]), cwd=ROOT, env=self.environment(name),
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        return self._running[name]

    def start_proxy(self) -> None:
        """The proxy with its own file; this machine's places come by the variables that the file offers."""
        with (self.folder / "proxy.log").open("ab") as log:
            self._running["proxy"] = subprocess.Popen(
                [self.caddy, "run", "--config", str(ROOT / "deploy/Caddyfile"), "--adapter", "caddyfile"],
                env={
                    "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder),
                    **self.services["proxy"]["environment"], "MPC_UPSTREAM": f"127.0.0.1:{self.web_port}",
                    "MPC_HTTP_LISTEN": str(self.proxy_port), "MPC_HTTPS_LISTEN": str(self.tls_port),
                    "MPC_ALIVE_LISTEN": str(free_port()),
                },
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def healthy(self, name: str) -> bool:
        """What the service's own health check says."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return subprocess.run(
            self.command(words), cwd=ROOT, env=self.environment(name), capture_output=True, timeout=60, check=False
        ).returncode == 0  # fmt: skip

    def stop(self, name: str) -> int:
        """As Docker stops it; the exit status."""
        process = self._running.pop(name)
        process.terminate()
        return process.wait(60)

    def close(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()
        with redis.Redis.from_url(self._replaced["redis://broker:6379/0"]) as broker:
            for key in broker.scan_iter(match=f"{self._prefix}*"):
                broker.delete(key)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    # --- Talking -----------------------------------------------------------------------------------------------------
    def http(
        self, path: str, *, port: int = 0, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one request, redirects not followed; to the proxy's port with TLS."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *args: Any, **kwargs: Any) -> None:
                return None

        place = f"https://{HOST}:{port}" if port == self.tls_port else f"http://127.0.0.1:{port or self.web_port}"
        named = {} if port else {"Host": HOST}
        request = urllib.request.Request(f"{place}{path}", data=body, headers=named | dict(headers or {}))
        # The proxy's certificate for this machine is of its own making.
        trusting = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
        try:
            with urllib.request.build_opener(Stay, trusting).open(request, timeout=60) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, dict(answer.headers), answer.read()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(psycopg2.connect(self.database_url)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def json(self, done: subprocess.CompletedProcess[str]) -> Any:
        assert done.stdout.strip(), done.stderr
        return json.loads(done.stdout)

    def wait_until(self, condition: Callable[[], Any], what: str, *logs: str) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := condition()):
            if time.monotonic() > deadline:
                said = "\n".join(f"--- {name}\n{self.log(name)}" for name in logs)
                raise AssertionError(f"waited in vain until {what}\n{said}")
            time.sleep(0.2)
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def caddy() -> str:
    """The proxy's program, where there is one."""
    return os.environ.get("MPC_TEST_CADDY") or shutil.which("caddy") or ""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, caddy: str) -> Iterator[Engine]:
    url, broker = os.environ.get("MPC_TEST_POSTGRES"), os.environ.get("MPC_TEST_REDIS")
    if not url or not broker:
        pytest.skip("needs PostgreSQL and Redis: set MPC_TEST_POSTGRES and MPC_TEST_REDIS")
    name = f"mpc_test_{uuid.uuid4().hex[:10]}"

    def on_server(sql: str) -> None:
        with contextlib.closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            connection.cursor().execute(sql)

    on_server(f"create database {name}")
    engine = Engine(
        tmp_path_factory.mktemp("composition"), urlunsplit(urlsplit(url)._replace(path=f"/{name}")), broker, caddy
    )
    yield engine
    engine.close()
    on_server(f"drop database if exists {name} with (force)")
