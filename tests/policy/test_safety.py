"""What every answer carries for the browser's sake, what production sets, and how often one may ask."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle

from mpc.accounts import services
from mpc.accounts.policy import Role
from tests import factories
from tests.policy.conftest import Mission

ROOT = Path(__file__).resolve().parents[2]
POLICY = {
    "default-src": {"'self'"},
    "script-src": {"'self'", "'nonce'"},
    "style-src-elem": {"'self'", "'nonce'"},
    "style-src-attr": {"'unsafe-inline'"},
    "img-src": {"'self'", "data:", "blob:"},
    "font-src": {"'self'"},
    "connect-src": {"'self'"},
    "object-src": {"'none'"},
    "base-uri": {"'self'"},
    "form-action": {"'self'"},
    "frame-ancestors": {"'none'"},
}


def content_policy(header: str) -> tuple[dict[str, set[str]], set[str]]:
    """The directives with their sources, "'nonce'" for the nonce; and the nonces."""
    nonces = {*re.findall(r"'nonce-([^']+)'", header)}
    parts = [part.split() for part in re.sub(r"'nonce-[^']+'", "'nonce'", header).split(";") if part.strip()]
    return {part[0]: set(part[1:]) for part in parts}, nonces


# --- Headers ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("/account/login/", 200), ("/account/password/reset/", 200), ("/", 200), ("/products/", 200), ("/none/", 404),
        ("/people/", 403), ("/api/v1/me/", 200), ("/api/v1/nothing/", 404), ("/api/docs/", 200), ("/api/schema/", 200),
        ("/products/?format=xlsx", 400), ("/products/?format=csv", 200), ("/health/", 200),
    ],
)  # fmt: skip
def test_every_answer_carries_the_headers(place: str, status: int) -> None:
    client = Client() if place.startswith("/account/") else factories.client(Role.VIEWER)
    answer = client.get(place)
    assert answer.status_code == status
    said, nonces = content_policy(answer["Content-Security-Policy"])
    assert {name: sources - {"'nonce'"} for name, sources in said.items()} == {
        name: sources - {"'nonce'"} for name, sources in POLICY.items()
    }
    if not answer.streaming and "html" in answer["Content-Type"] and b"<script" in answer.content:
        assert said == POLICY, "the page has scripts, so its nonce stands in the policy"
        assert len(nonces) == 1
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Server" not in answer
    assert "X-Powered-By" not in answer


@pytest.mark.django_db
def test_each_answer_has_a_nonce_of_its_own() -> None:
    client = factories.client(Role.VIEWER)
    nonces = [content_policy(client.get("/")["Content-Security-Policy"])[1] for _ in range(3)]
    assert len({*map(frozenset, nonces)}) == 3


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["/account/login/", "/", "/products/", "/runs/", "/trends/", "/quality/?all=1"])
def test_no_script_stands_in_a_page_without_the_nonce(place: str) -> None:
    answer = factories.client(Role.ADMINISTRATOR).get(place, follow=True)
    html = answer.content.decode()
    ((nonce,)) = content_policy(answer["Content-Security-Policy"])[1]
    assert re.findall(r"<script(?![^>]* nonce=)[^>]*>", html) == []
    assert {*re.findall(r'<script[^>]* nonce="([^"]*)"', html)} == {nonce}
    assert re.findall(r'(?:src|href)="(?:https?:)?//', html) == [], "something is fetched from outside"
    assert "javascript:" not in html


# --- Production ------------------------------------------------------------------------------------------------------
def in_production(tmp_path: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MPC_", "PYTEST", "DATABASE", "DJANGO"))}
    own = {"MPC_PRODUCTION": "1", "MPC_DATA_DIR": str(tmp_path), "MPC_HOSTS": "mpc.example.org", "MPC_GIT_COMMIT": "x"}
    own["MPC_SECRET_KEY"] = "not-so-secret-but-long-enough-and-with-many-different-characters-0123456789"
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env={**kept, **own, **environment}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def test_production_sets_its_cookies_and_redirects(tmp_path: Path) -> None:
    names = (
        "DEBUG", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_SECURE",
        "CSRF_COOKIE_SAMESITE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "ALLOWED_HOSTS",
    )  # fmt: skip
    code = f"import json, mpc.settings as s; print(json.dumps({{n: getattr(s, n, None) for n in {names}}}))"
    done = in_production(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["SESSION_COOKIE_SAMESITE"] in (None, "Lax", "Strict")  # Django's own is Lax
    assert said["CSRF_COOKIE_SAMESITE"] in (None, "Lax", "Strict")
    assert (said["DEBUG"], said["ALLOWED_HOSTS"]) == (False, ["mpc.example.org"])
    secure = ("SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT")
    assert all(said[name] for name in secure)
    assert said["SECURE_HSTS_SECONDS"] >= 31536000
    assert not list(tmp_path.glob("secret-key")), "production keeps no key of its own"


def test_production_needs_a_secret_key(tmp_path: Path) -> None:
    done = in_production(tmp_path, "-c", "import mpc.settings", MPC_SECRET_KEY="")
    assert done.returncode != 0
    assert "MPC_SECRET_KEY" in done.stderr


def test_djangos_check_of_a_deployment_finds_nothing(tmp_path: Path) -> None:
    done = in_production(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stdout + done.stderr


# --- How often -------------------------------------------------------------------------------------------------------
@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three requests a minute for visitors, five for an account."""
    cache.clear()
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"anon": "3/min", "user": "5/min"})


def statuses(client: Client, count: int, place: str = "/api/v1/jobs/", **headers: Any) -> list[int]:
    return [client.get(place, headers=headers).status_code for _ in range(count)]


@pytest.mark.django_db
def test_an_account_asks_so_often_and_no_more(few: None) -> None:
    client = factories.client(Role.VIEWER)
    assert statuses(client, 7) == [200] * 5 + [429] * 2
    refused = client.get("/api/v1/products/")
    assert refused.status_code == 429, "the limit is one for the whole API"
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "throttled" in refused.json()["detail"].lower()
    assert client.get("/products/").status_code == 200, "pages are another matter"


@pytest.mark.django_db
def test_all_tokens_and_sessions_of_an_account_count_together(few: None) -> None:
    client = factories.client(Role.VIEWER)
    secrets = [factories.token(client.user, name)[1] for name in ("one", "two")]
    assert statuses(client, 2) == [200] * 2
    asked = [statuses(Client(), 2, Authorization=f"Token {secret}") for secret in secrets]
    assert asked == [[200, 200], [200, 429]]
    assert statuses(factories.client(Role.VIEWER), 2) == [200, 200], "another account pays for it"


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["Token mpc_guess", ""])
def test_visitors_that_try_to_get_in_are_slowed_down(few: None, token: str) -> None:
    headers = {"Authorization": token} if token else {}
    client = factories.client(Role.VIEWER)
    assert statuses(Client(), 5, **headers) == [401] * 3 + [429] * 2
    refused = Client().get("/api/v1/jobs/", headers=headers)
    assert 0 < int(refused["Retry-After"]) <= 60
    assert statuses(Client(REMOTE_ADDR="192.0.2.7"), 2, **headers) == [401, 401], "another address pays for it"
    forged = {**headers, "X-Forwarded-For": "203.0.113.5"}
    assert statuses(Client(), 2, **forged) == [429, 429], "a claim about the address opens the door again"
    assert statuses(client, 2) == [200, 200], "who may, from the same address, pays for it"


@pytest.mark.django_db
def test_the_rates_of_the_settings_are_sane(settings: Any) -> None:
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    assert {"anon", "user"} <= rates.keys()
    for rate in rates.values():
        assert UserRateThrottle.parse_rate(UserRateThrottle(), rate)[0] > 0


# --- Sessions --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_changed_role_ends_sessions_everywhere_at_once(mission: Mission) -> None:
    """Pages, parts and API: no address goes on with the old session; a token follows the new roles."""
    administrator = factories.person(Role.ADMINISTRATOR)
    client = factories.client(Role.OPERATOR, password=factories.PASSWORD)
    _, secret = factories.token(client.user)
    assert client.get("/products/").status_code == 200
    services.set_roles(client.user, [Role.VIEWER], actor=administrator)
    assert client.get("/products/").status_code == 302
    assert client.get(reverse("runs:live", args=[mission.queued.pk]), headers={"HX-Request": "true"}).status_code == 401
    assert client.get("/api/v1/runs/").status_code == 401
    by_token = {"Authorization": f"Token {secret}"}
    place = reverse("api:run-cancel", args=[mission.queued.pk])
    assert Client().get("/api/v1/runs/", headers=by_token).status_code == 200
    assert Client().post(place, headers=by_token).status_code == 403


@pytest.mark.django_db
def test_the_session_cookie_is_out_of_reach_of_scripts_and_changes_at_sign_in() -> None:
    factories.person(Role.VIEWER, name="ann", password=factories.PASSWORD)
    client = Client()
    client.get("/account/login/")
    planted = "a" * 32
    client.cookies["sessionid"] = planted
    client.post("/account/login/", {"login": "ann", "password": factories.PASSWORD})
    cookie = client.cookies["sessionid"]
    assert cookie.value != planted
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == "" or cookie["max-age"] <= 12 * 3600
