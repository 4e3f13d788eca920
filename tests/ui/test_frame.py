"""The frame of every page, the pages for what went wrong, and the files that they are made of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.template.loader import get_template, render_to_string

from mpc.ui import search
from mpc.ui.models import SavedFilter

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
OWN = [
    *TEMPLATES.glob("*.html"),
    *(
        path
        for folder in ("partials", "ui", "account", "allauth", "api")
        for path in (TEMPLATES / folder).rglob("*.html")
    ),
]


@pytest.fixture
def browser(client, db):
    user = get_user_model().objects.create_user(
        "ann", "ann@example.org", "a long enough pass phrase", first_name="Ann", last_name="<b>Other"
    )
    user.role_grants.create(role="viewer")
    client.force_login(user)
    client.user = user
    client.raise_request_exception = False
    return client


pages = pytest.mark.urls("tests.ui.site")


@pages
def test_the_frame_names_the_person_and_escapes_them(browser, empty_registries):
    html = browser.get("/").content.decode()
    assert "Ann &lt;b&gt;Other" in html
    assert "Viewer" in html
    assert "<title>Today · S2 MPC</title>" in html


@pages
def test_every_script_carries_the_nonce_of_the_policy(browser, empty_registries):
    answer = browser.get("/")
    nonce = re.search(r"'nonce-([^']+)'", answer["Content-Security-Policy"])[1]
    tags = re.findall(r"<(?:script|style)\b[^>]*>", answer.content.decode())
    assert len(tags) >= 5
    assert [tag for tag in tags if f'nonce="{nonce}"' not in tag] == []


@pages
@pytest.mark.django_db
def test_who_is_not_signed_in_is_led_to_sign_in_and_back(client):
    answer = client.get("/kept/?q=1")
    assert answer.url == "/account/login/?next=/kept/%3Fq%3D1"
    answer = client.get("/kept/?q=1", headers={"HX-Request": "true", "HX-Target": "results"})
    assert answer["HX-Redirect"].startswith("/account/login/")


@pages
@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/account/login/", "/account/password/reset/", "/account/password/reset/done/"])
def test_the_pages_before_sign_in_have_no_frame(client, address):
    html = client.get(address).content.decode()
    assert 'class="card plain-card"' in html
    assert "nav class" not in html


@pages
def test_sign_in_says_what_is_wrong_beside_the_field(client, db):
    html = client.post("/account/login/", {"login": "", "password": "x"}).content.decode()
    assert 'id="id_login-error"' in html


@pages
def test_a_detail_page_has_its_sign_and_title(browser):
    kept = SavedFilter.objects.create(user=browser.user, list_name="a", name="mine <b>", query="")
    html = browser.get(f"/kept/{kept.pk}/").content.decode()
    assert '<h1><span class="tag pass">PASSED</span> mine &lt;b&gt;</h1>' in html


@pages
def test_search_finds_by_kind_and_a_full_name_leads_there(browser, empty_registries):
    hits = [
        search.SearchHit("T33UUU", "tile", "/kept/", "product"),
        search.SearchHit("T33UUV", "tile", "/few/", "product"),
    ]
    search.register_search(
        "Products", lambda user, q, limit: [h for h in hits if q.upper() in h.title], 1, "accounts.self"
    )
    html = browser.get("/search/?q=t33").content.decode()
    assert "2 found for “t33”" in html
    assert 'href="/few/">T33UUV</a>' in html
    assert browser.get("/search/?q=T33uuv").url == "/few/"
    assert "Nothing has this in its name" in browser.get("/search/?q=nowhere").content.decode()


# --- What went wrong -------------------------------------------------------------------------------------------------
@pages
def test_not_found_says_what_may_be_and_where_to_look(browser):
    answer = browser.get("/nowhere/<b>/")
    assert answer.status_code == 404
    assert "/nowhere/&lt;b&gt;/" in answer.content.decode()


@pages
def test_forbidden_gives_the_reason(browser):
    answer = browser.get("/forbids/")
    assert answer.status_code == 403
    assert "To cancel runs takes the role Operator." in answer.content.decode()


@pages
def test_a_broken_page_keeps_its_secrets_and_gives_an_id(browser, caplog):
    answer = browser.get("/breaks/")
    html = answer.content.decode()
    assert answer.status_code == 500
    assert "a secret of the inside" not in html
    assert f"<code>{answer['X-Request-ID']}</code>" in html
    assert any(answer["X-Request-ID"] in record.getMessage() for record in caplog.records)


@pages
def test_a_broken_api_answers_json(browser):
    answer = browser.get("/api/v1/breaks/")
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer["X-Request-ID"]


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_the_last_pages_need_no_context(name):
    assert "Sentinel-2 Mission Performance Centre" in render_to_string(name)


# --- Files -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_compiles_and_obeys_the_content_policy(path):
    get_template(str(path.relative_to(TEMPLATES)))
    text = path.read_text()
    assert not re.search(r"\son[a-z]+=[\"']", text), "inline handlers are blocked by the content policy"
    assert not re.search(r"\b(?:href|src)=[\"']https?://", text), "nothing is fetched from outside"
    for tag in re.findall(r"<(?:script|style)\b[^>]*>", text):
        assert 'nonce="{{ request.csp_nonce }}"' in tag


def test_plotly_finds_every_style_element_that_it_would_else_make_itself():
    code = Path(finders.find("plotly/plotly.min.js")).read_text(encoding="utf-8")
    made = set(re.findall(r'getElementById\("([0-9a-f]{64})"\)', code))
    partial = (TEMPLATES / "partials" / "plotly.html").read_text()
    assert {identifier for identifier in made if f'id="{identifier}"' not in partial} == set()
    assert '"plotly.js-style-"' in code
    assert 'id="plotly.js-style-global"' in partial


def test_scripts_use_nothing_that_the_content_policy_blocks():
    for path in (ROOT / "static" / "js").glob("*.js"):
        code = path.read_text()
        assert not re.search(r"\beval\(|new Function|\.innerHTML\s*=|document\.write", code), path.name


# --- Contrast --------------------------------------------------------------------------------------------------------
def tokens() -> dict[str, tuple[str, str]]:
    css = (ROOT / "static" / "css" / "mpc.css").read_text()
    found = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", css)
    return {name: (light, dark) for name, light, dark in found}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, "relative luminance")."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TEXT = [
    *((ink, ground) for ink in ("ink", "quiet", "accent") for ground in ("paper", "card", "sunken", "raised")),
    *((sign, f"{sign}-soft") for sign in ("pass", "fail", "warn", "idle", "accent")),
    *((sign, "card") for sign in ("pass", "fail", "warn", "idle")),
    ("on-accent", "accent"),
    ("ink", "warn-soft"),
    ("ink", "fail-soft"),
    ("quiet", "accent-soft"),
]


@pytest.mark.parametrize(("ink", "ground"), TEXT)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(ink, ground, theme):
    assert contrast(tokens()[ink][theme], tokens()[ground][theme]) >= 4.5


@pytest.mark.parametrize("edge", ["edge", "unit-a", "unit-b", "unit-c", "unit-d", "accent"])
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_what_is_no_text_but_must_be_seen_has_three_to_one(edge, theme):
    assert contrast(tokens()[edge][theme], tokens()["card"][theme]) >= 3.0
