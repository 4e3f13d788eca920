"""Each service's own command, run for real: they find each other, do their part, and end when they are told to.

The tests tell one story in their order: set up, serve, take in, check, sweep, restart, stop.
"""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import pytest

from processors.simulator.products import ProductSpec, write_product
from tests.compose.composed import ROOT
from tests.compose.conftest import HOST, NO_CADDY, Engine

pytestmark = [pytest.mark.pg, pytest.mark.redis]
HTTPS = {"X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def prepared(engine: Engine) -> Engine:
    done = engine.run("prepare")
    assert done.returncode == 0, done.stderr
    return engine


@pytest.fixture(scope="module")
def web(prepared: Engine) -> Engine:
    prepared.start("web")
    prepared.wait_until(lambda: prepared.healthy("web"), "the site is well", "web")
    return prepared


@pytest.fixture(scope="module")
def token(prepared: Engine) -> str:
    """A token of somebody who may upload."""
    made = prepared.run("tools", "create_user", "ann", "--role", "administrator", "--email", "ann@example.org")
    assert made.returncode == 0, made.stderr
    script = (
        "from mpc.accounts import services; from mpc.accounts.models import User; "
        "print(services.make_token(User.objects.get(username='ann'), 'test', 1)[1])"
    )
    done = prepared.run("tools", "shell", "--no-imports", "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_product(ProductSpec(size_10m=120), tmp_path_factory.mktemp("product"), zipped=True).path


def test_prepare_makes_the_tables_and_the_static_files_and_can_be_repeated(prepared: Engine) -> None:
    assert prepared.rows("select count(*) from django_migrations")[0][0] > 20
    assert prepared.rows("select count(*) from products_product") == [(0,)]
    assert (prepared.folder / "data/static/staticfiles.json").is_file()
    assert prepared.run("prepare").returncode == 0


def test_tools_is_the_command_line(prepared: Engine) -> None:
    done = prepared.run("tools")
    assert done.returncode == 0, done.stderr
    for command in ("backup", "restore", "housekeep", "ingest", "worker"):
        assert re.search(rf"^ +{command}$", done.stdout, re.MULTILINE), command


def test_web_serves_health_pages_and_static_files(web: Engine) -> None:
    status, _, body = web.http("/health/")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    status, headers, _ = web.http("/products/")
    assert (status, headers["Location"]) == (301, f"https://{HOST}/products/")
    status, headers, page = web.http("/account/login/", headers=HTTPS)
    assert status == 200
    assert "max-age=31536000" in headers["Strict-Transport-Security"]
    sheet = re.search(rb'href="(/static/css/[^"]+\.css)"', page)[1].decode()
    status, headers, _ = web.http(sheet, headers=HTTPS)
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/css")
    assert web.http("/health/", headers={"Host": "evil.example.org"})[0] == 400


def test_workers_and_sweeper_are_not_well_before_they_are_there(prepared: Engine) -> None:
    assert not prepared.healthy("worker-qc")
    assert not prepared.healthy("sweeper")


def test_an_upload_is_taken_in_and_checked_by_its_workers(web: Engine, token: str, product: Path) -> None:
    for name in ("worker-intake", "worker-qc"):
        web.start(name)
    workers = "select count(*) from runs_worker"
    web.wait_until(lambda: web.rows(workers) == [(2,)], "two workers are there", "worker-qc")
    assert web.healthy("worker-qc")
    status, _, body = send(web, product, token)
    assert status == 202, body
    web.wait_until(
        lambda: web.rows("select state from runs_run where kind = 'qc.product'") == [("succeeded",)],
        "the product is checked", "worker-intake", "worker-qc",
    )  # fmt: skip
    by = dict(
        web.rows(
            "select r.kind, w.queues::text from runs_run r join runs_runattempt a on a.run_id = r.id "
            "join runs_worker w on w.id = a.worker_id"
        )
    )
    assert {kind: json.loads(queues) for kind, queues in by.items()} == {
        "products.ingest": ["intake"],
        "qc.product": ["qc", "default"],
    }
    report = web.json(web.run("tools", "report", product.name.removesuffix(".zip"), "--json"))
    assert report["verdict"] == "INCOMPLETE"  # no schemas here
    assert len(report["checks"]) > 20
    sent = web.rows("select actor_name, host(address) from accounts_auditentry where action = 'products.uploaded'")
    assert sent == [("ann", "198.51.100.7")]  # the address that the proxy before the site saw


def send(web: Engine, product: Path, token: str, port: int = 0) -> tuple[int, dict[str, str], bytes]:
    boundary = "the-end-of-a-part"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{product.name}"\r\n\r\n'
    body = head.encode() + product.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Authorization": f"Token {token}", "Content-Type": f"multipart/form-data; boundary={boundary}",
        "X-Forwarded-For": "198.51.100.7", **HTTPS,
    }  # fmt: skip
    return web.http("/api/v1/products/", port=port, body=body, headers=headers)


def test_sweeper_rings_for_what_nobody_heard_of_and_watches_the_folder(web: Engine, product: Path) -> None:
    """A run that was asked for while the broker was away waits until the sweeper rings."""
    name = product.name.removesuffix(".zip")
    silent = {**web.environment("tools"), "MPC_BROKER_URL": "redis://127.0.0.1:1/0"}
    command = web.command(["python", "manage.py", "run", "qc.product", "--product", name, "--json"])
    asked = subprocess.run(command, cwd=ROOT, env=silent, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
    run = web.json(asked)["run"]
    assert web.rows(f"select state from runs_run where id = {run}") == [("queued",)]
    web.start("sweeper")
    web.wait_until(
        lambda: web.rows(f"select state from runs_run where id = {run}") == [("succeeded",)],
        "the run is done",
        "sweeper",
    )
    web.wait_until(lambda: web.healthy("sweeper"), "the sweeper is well", "sweeper")
    with zipfile.ZipFile(web.folder / "inbox" / ".aside", "w") as archive:
        archive.writestr("note.txt", "no product")
    (web.folder / "inbox" / ".aside").rename(web.folder / "inbox" / "nothing.zip")
    web.wait_until(
        lambda: web.rows("select result from products_intake where trigger = 'inbox'") == [("refused",)],
        "the watched folder was looked at", "sweeper", "worker-intake",
    )  # fmt: skip


def test_a_backup_by_the_tools_while_everything_runs(web: Engine) -> None:
    done = web.run("tools", "backup", "/backups/today.tar.gz", "--json")
    assert done.returncode == 0, done.stderr
    said = web.json(done)
    assert (said["files"] > 3, said["missing"]) == (True, 0)
    assert (web.folder / "backups/today.tar.gz").is_file()
    refused = web.run("tools", "restore", "/backups/today.tar.gz", "--replace", "--no-input")
    assert refused.returncode == 1
    assert "stop it first" in refused.stderr


def test_the_proxy_serves_the_site_and_says_who_asks(web: Engine, caddy: str) -> None:
    """Through the proxy: its address counts, and what a visitor claims about himself does not."""
    if not caddy:
        pytest.skip(NO_CADDY)
    web.start_proxy()
    port = web.tls_port

    def answers() -> bool:
        try:
            return web.http("/health/", port=port)[0] == 200
        except OSError:
            return False

    web.wait_until(answers, "the proxy answers", "proxy")
    status, headers, _ = web.http("/products/", port=web.proxy_port, headers={"Host": HOST})
    assert (status, headers["Location"]) == (308, f"https://{HOST}/products/")
    # Spoken to with TLS the proxy says so, whatever the visitor claims: the site sends nobody round for ever.
    lies = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example.org"}
    status, headers, page = web.http("/account/login/", port=port, headers=lies)
    assert status == 200
    assert "Server" not in headers
    assert "Secure" in headers["Set-Cookie"]
    fields = {
        "csrfmiddlewaretoken": re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1].decode(),
        "login": "ann", "password": "wrong",
    }  # fmt: skip
    own = {"Cookie": headers["Set-Cookie"].split(";")[0], "Origin": f"https://{HOST}:{port}"}
    status, _, _ = web.http("/account/login/", port=port, body=urlencode(fields).encode(), headers=lies | own)
    assert status == 200
    failed = "select host(address) from accounts_auditentry where action = 'accounts.sign_in_failed'"
    assert web.rows(failed)[0][0] in ("127.0.0.1", "::1")
    web.stop("proxy")


def test_each_ends_when_it_is_told_to(web: Engine) -> None:
    for name in ("worker-qc", "worker-intake", "sweeper", "web"):
        assert web.stop(name) == 0, web.log(name)
    assert web.rows("select distinct ending from runs_worker") == [("stopped",)]
    assert not web.healthy("web")
    restored = web.run("tools", "restore", "/backups/today.tar.gz", "--replace", "--no-input")
    assert restored.returncode == 0, restored.stderr
    assert web.rows("select count(*) from products_product") == [(1,)]
