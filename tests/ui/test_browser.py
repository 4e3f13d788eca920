"""What only a browser can tell: the content policy holds, keyboard, confirmation, filters, theme, plots, a phone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from mpc.ui.models import SavedFilter

HERE = Path(__file__).resolve().parent
pytestmark = [
    pytest.mark.browser,
    pytest.mark.urls("tests.ui.site"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("empty_registries"),
]
ARGUMENTS = [
    *(
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ),
]


@pytest.fixture(scope="module")
def chromium():
    place = os.environ.get("MPC_TEST_BROWSER") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not place:
        pytest.skip("no Chromium: install it (Debian: apt-get install chromium) or set MPC_TEST_BROWSER")
    # The synchronous driver runs an event loop in this thread, which Django would take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=place, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(chromium, live_server, request):
    """``open_page("/kept/", width=390)``: a signed-in page; the test fails on any complaint of the browser."""
    user = get_user_model().objects.create_user("ann", "ann@example.org", "a long enough pass phrase")
    SavedFilter.objects.bulk_create(
        SavedFilter(user=user, list_name="ab"[n % 2], name=f"filter {n:02d}", query="") for n in range(60)
    )
    client = Client()
    client.force_login(user)
    complaints: list[str] = []
    contexts = []

    def make(address: str, width: int = 1280, scheme: str = "light"):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live_server.url + address)
        page.wait_for_load_state("networkidle")
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def test_filters_change_the_rows_and_the_address(open_page):
    page = open_page("/kept/")
    page.click("label.chip:has-text('List A')")
    page.wait_for_url("**/kept/?list_name=a")
    page.wait_for_selector(".count:has-text('30 found')")
    page.click("#sort-name")
    page.wait_for_url("**sort=-name**")
    page.fill("#filters input[type=search]", "filter 0")
    page.wait_for_selector(".count:has-text('10 found')")
    assert "sort=-name" in page.url
    assert page.evaluate("document.activeElement.type") == "search"
    page.click(".chip.set:has-text('filter 0')")
    page.wait_for_selector(".count:has-text('30 found')")
    page.go_back()
    page.wait_for_selector(".count:has-text('10 found')")
    assert page.locator("nav.side").count() == 1


def test_the_keyboard_moves_opens_and_asks(open_page):
    page = open_page("/kept/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.inner_text("tr.at a.id") == "filter 00"
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/kept/*/")


def test_what_is_dangerous_asks_first(open_page):
    user = get_user_model()
    page = open_page("/kept/")
    SavedFilter.objects.create(user=user.objects.get(), list_name="tests.ui.site.KeptList", name="mine", query="q=1")
    page.reload()
    page.click("summary:has-text('Saved')")
    page.click("[data-confirm]")
    assert "mine" in page.inner_text("#confirm-text")
    page.click("#confirm button[value='']")
    assert SavedFilter.objects.filter(name="mine").exists()
    page.click("[data-confirm]")
    page.click("[data-confirm-yes]")
    page.wait_for_selector(".messages:has-text('deleted')")
    assert not SavedFilter.objects.filter(name="mine").exists()


def test_the_theme_is_kept_and_follows_the_system_at_first(open_page):
    page = open_page("/kept/", scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(15, 20, 25)"
    page.click("[data-theme-toggle]")
    assert page.evaluate(ground) == "rgb(246, 247, 249)"
    page.reload()
    assert page.evaluate(ground) == "rgb(246, 247, 249)"


@pytest.mark.parametrize("address", ["/kept/", "/", "/search/?q=x"])
def test_a_phone_scrolls_one_way_only_and_opens_its_navigation(open_page, address):
    page = open_page(address, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not page.is_visible("nav.side")
    page.click(".nav-open")
    assert page.is_visible("nav.side")
    page.keyboard.press("Escape")
    assert not page.is_visible("nav.side")


def test_plots_draw_under_the_content_policy(open_page, settings):
    from mpc.ui import cards, figures

    drawn = figures.figure(
        [{"type": "scatter", "mode": "markers", "x": [1, 2, 3], "y": [0.1, 0.2, 0.3], "customdata": ["/kept/"] * 3}],
        y_title="stripe index (%)",
        requirements=[figures.RequirementLine(0.15, "requirement 0.15")],
        changes=[figures.ChangeLine(2, "step")],
    )
    values = {"figure": drawn, "none": figures.figure([])}
    cards.register_card(1, "tests_ui/plot.html", lambda request: values, "accounts.self")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [*settings.TEMPLATES[0]["DIRS"], HERE / "templates"]}]
    page = open_page("/")
    page.wait_for_selector("#p .points path")
    text = page.inner_text("#p")
    assert "requirement 0.15" in text
    assert "stripe index (%)" in text
    assert "No values yet." in page.inner_text("#nothing")
    spot = page.locator("#p .points path").nth(1).bounding_box()
    page.mouse.move(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)
    page.wait_for_selector("#p .hoverlayer .hovertext")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url("**/kept/")
