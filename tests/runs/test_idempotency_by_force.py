"""Real web processes: many clients send the same keys at the same moment, and each key does its work once."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.runs.site import ROOT, Site, wait_until

KEYS, CLIENTS = 6, 8
MAKE_TOKEN = """
import django
django.setup()
from mpc.accounts.actors import local_actor
from mpc.accounts.services import make_token
print(make_token(local_actor(), "test", 1)[1])
"""


@pytest.fixture
def served(site: Site) -> Iterator[tuple[str, str]]:
    """Address and token of a site with two web processes of four threads each."""
    done = subprocess.run(
        [sys.executable, "-c", MAKE_TOKEN], cwd=ROOT, env=site.environment, capture_output=True, text=True, check=True
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    web = [sys.executable, "-m", "gunicorn", "mpc.wsgi", "--bind", place, "--worker-class", "gthread"]
    with (site.folder / "web.log").open("ab") as log:
        process = subprocess.Popen(
            [*web, "--workers", "2", "--threads", "4", "--log-level", "warning"],
            cwd=ROOT, env=site.environment, stdout=log, stderr=log,
        )  # fmt: skip

    def answers() -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://{place}/api/v1/me/", timeout=10))
        except urllib.error.HTTPError as refusal:
            return refusal.code == 401
        except OSError:
            return False

    try:
        wait_until(answers, f"the site answers; see {site.folder / 'web.log'}")
        yield f"http://{place}/api/v1/runs/", done.stdout.strip()
    finally:
        process.terminate()
        process.wait(30)


def send(address: str, token: str, key: str, number: int) -> tuple[int, bool, dict]:
    body = json.dumps({"kind": "test.echo", "params": {"text": key, "count": number}}).encode()
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json", "Idempotency-Key": key}
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=60) as answer:
            return answer.status, answer.headers.get("Idempotency-Replayed") == "true", json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, False, json.load(refusal)


def test_many_clients_with_the_same_keys_at_once(served: tuple[str, str], site: Site) -> None:
    address, token = served
    start = Barrier(CLIENTS)

    def client(_: int) -> list[tuple[str, int, bool, dict]]:
        start.wait(60)
        return [(f"key-{n}", *send(address, token, f"key-{n}", 1)) for n in range(KEYS)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [answer for found in pool.map(client, range(CLIENTS)) for answer in found]
    print(Counter((status, replayed) for _, status, replayed, _ in answers))
    assert {status for _, status, _, _ in answers} <= {201, 409}
    made = site.rows("select id, params from runs_run where kind = 'test.echo'")
    assert len(made) == KEYS, f"{len(made)} runs for {KEYS} keys"
    by_key: dict[str, set[int]] = {}
    for key, status, _, body in answers:
        if status == 201:
            by_key.setdefault(key, set()).add(body["id"])
    assert {len(ids) for ids in by_key.values()} == {1}
    assert sum(status == 201 and not replayed for _, status, replayed, _ in answers) == KEYS
    # Afterwards each key has its answer, and no other request may use it.
    for key, (number,) in by_key.items():
        status, replayed, body = send(address, token, key, 1)
        assert (status, replayed, body["id"]) == (201, True, number)
        assert send(address, token, key, 2)[0] == 422
