"""What those who watch from outside are told, and that it is true."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from mpc.housekeeping import health, steps
from mpc.housekeeping.models import Heartbeat
from mpc.runs.models import Worker

pytestmark = pytest.mark.django_db


def ask(**headers: str) -> tuple[int, dict[str, str]]:
    answer = Client(headers=headers).get("/health/")
    return answer.status_code, answer.json()


def test_the_site_is_well_and_says_only_that() -> None:
    answer = Client().get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]
    assert Client().post("/health/").status_code == 405


def test_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: Any) -> None:
        raise OperationalError('connection to server at "10.0.0.7", user "mpc" failed')

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", away)
    assert ask() == (503, {"status": "database"})
    with pytest.raises(CommandError, match="^database$"):
        call_command("health", "site")


def test_a_database_that_is_not_up_to_date() -> None:
    MigrationRecorder.Migration.objects.filter(app="housekeeping").delete()
    assert ask() == (503, {"status": "migrations"})


def test_it_is_asked_without_tls_from_inside(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^health/$"]
    settings.SESSION_COOKIE_SECURE = True
    assert ask()[0] == 200
    assert Client().get("/products/").status_code == 301


def test_the_settings_of_production_let_it_through() -> None:
    code = "from mpc import settings; print(settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT)"
    environment = os.environ | {"MPC_PRODUCTION": "1", "MPC_SECRET_KEY": "x" * 50}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True ['^health/$']"


# --- Worker and sweeper ----------------------------------------------------------------------------------------------
def say(what: str) -> str:
    out = StringIO()
    call_command("health", what, stdout=out)
    return out.getvalue().strip()


def a_worker(**fields: Any) -> Worker:
    known = {"name": "w", "host": socket.gethostname(), "pid": 1, "process_started": 1.0, "queues": ["qc"]}
    return Worker.objects.create(**known | {"last_seen_at": Now()} | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "another-container"},
        {"last_seen_at": timezone.now() - timedelta(minutes=5)},
        {"stopped_at": timezone.now()},
    ],
)
def test_only_a_worker_of_this_machine_that_beats_is_well(fields: dict[str, Any]) -> None:
    a_worker(**fields)
    with pytest.raises(CommandError, match="no worker of"):
        say("worker")
    a_worker()
    assert say("worker") == "ok"


def test_the_sweeper_beats_and_goes_silent() -> None:
    with pytest.raises(CommandError, match="no sweeper of"):
        say("sweeper")
    steps.beat()
    steps.beat()
    assert Heartbeat.objects.count() == 1
    assert say("sweeper") == "ok"
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=health.SILENT_S + 1))
    with pytest.raises(CommandError, match="no sweeper of"):
        say("sweeper")


# --- The probe -------------------------------------------------------------------------------------------------------
class Answering(http.server.BaseHTTPRequestHandler):
    status, hosts = 200, []

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_probe_names_the_site_and_loads_nothing(server: http.server.HTTPServer, status: int, code: int) -> None:
    Answering.status = status
    environment = os.environ | {"MPC_BIND": f"0.0.0.0:{server.server_port}", "MPC_HOSTS": "mpc.example.org,other"}
    command = [sys.executable, "-X", "importtime", "-m", "mpc.housekeeping.probe"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert Answering.hosts[-1] == "mpc.example.org"
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "urllib.request" in loaded
    assert loaded.isdisjoint({"django", "mpc.settings", "numpy"})


def test_the_probe_of_a_server_that_is_not_there() -> None:
    command = [sys.executable, "-m", "mpc.housekeeping.probe", "http://127.0.0.1:9/health/"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
