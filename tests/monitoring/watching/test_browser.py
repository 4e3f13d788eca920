"""What only a browser can tell of the triage queue and of an alert: keys, ticks, plots, the look on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from mpc.accounts.roles import Role
from mpc.monitoring.models import Alert
from tests import factories
from tests.monitoring.watching.making import a_series, fill, look, stepped
from tests.ui.test_browser import chromium  # noqa: F401 - the browser of these tests, too

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def open_page(chromium: Any, live_server: Any, transactional_db: None):  # noqa: F811, ANN201
    """``open_page("/", width=390)``: a page of an engineer; the test fails on any complaint of the browser."""
    complaints: list[str] = []
    contexts = []

    def make(address: str, width: int = 1440, scheme: str = "light") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
        session = factories.client(Role.QC_ENGINEER).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}{address}", wait_until="networkidle")
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def test_rows_are_ticked_and_acknowledged_by_keys(open_page: Any) -> None:
    alerts = [factories.alert(n, state="open", severity=20) for n in range(4)]
    page = open_page("/trends/alerts/?state=open")
    for key in "jxjjx":
        page.keyboard.press(key)
    assert page.inner_text("[data-bulk-count]") == "2 ticked"
    with page.expect_navigation():
        page.keyboard.press("a")
    assert [a.state for a in Alert.objects.order_by("pk")] == ["acknowledged", "open", "acknowledged", "open"]
    assert page.url.endswith("/trends/alerts/?state=open")
    # Without a tick the row that one is at is meant.
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("a")
    assert Alert.objects.get(pk=alerts[1].pk).state == "acknowledged"


def test_a_filter_that_was_changed_on_the_page_is_the_one_that_is_meant(open_page: Any) -> None:
    for n in range(60):
        factories.alert(n, state="open", severity=20)
    page = open_page("/trends/alerts/?state=open")
    with page.expect_response(lambda answer: "unit=S2B" in answer.url):
        page.get_by_text("S2B", exact=True).first.click()
    page.locator("#results .count b", has_text="20").wait_for()
    page.goto(page.url.replace("unit=S2B", "q=number"), wait_until="networkidle")
    page.check("[data-bulk-whole]")
    assert page.inner_text("[data-bulk-count]") == "All that match"
    with page.expect_navigation():
        page.click("button[value=close]")
    assert page.inner_text("h1") == "Close: 60 alerts?"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_an_alert_shows_its_series_and_fits_the_screen(open_page: Any, width: int, scheme: str) -> None:
    for n, band in enumerate(("B02", "B03")):
        fill(a_series(band=band), stepped(seed=n))
    look()
    alert = Alert.objects.get()
    page = open_page(alert.get_absolute_url(), width, scheme)
    for part in page.locator(".part-plot").all():
        part.locator(".main-svg").first.wait_for()
    assert page.locator(".part-plot").count() == 2
    assert not page.evaluate(TOO_WIDE)
    page.keyboard.press("u")
    assert page.is_visible("#judge")
    page.keyboard.press("Escape")
    page.goto(page.url.rpartition("/trends")[0] + "/trends/alerts/?state=open", wait_until="networkidle")
    assert not page.evaluate(TOO_WIDE)
