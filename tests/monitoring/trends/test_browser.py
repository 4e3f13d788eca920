"""What only a browser can tell of trends: zoom that asks for finer points, one time in all plots, cards, keys, kept
views; and that what is copied really runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from mpc.accounts.models import RoleGrant, User
from mpc.accounts.roles import Role
from mpc.monitoring import reading
from mpc.monitoring.models import Metric
from mpc.ui.models import SavedFilter
from tests import factories
from tests.monitoring.conftest import value
from tests.monitoring.trends.conftest import ADDRESS, BEGIN, CODE
from tests.ui.test_browser import chromium  # noqa: F401 - the browser of these tests, too

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PLOT = "#trend-0 .nsewdrag"


@pytest.fixture
def vera(transactional_db: None) -> tuple[User, Client]:
    user = User.objects.create_user("vera", "vera@example.org", "a long enough pass phrase")
    RoleGrant.objects.create(user=user, role=Role.VIEWER)
    client = Client()
    client.force_login(user)
    return user, client


@pytest.fixture
def open_page(chromium: Any, live_server: Any, vera: tuple[User, Client], monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: F811
    """A page of somebody who may look; 300 points are a plot. The test fails on any complaint of the browser."""
    monkeypatch.setattr(reading, "POINT_LIMIT", 300)
    complaints: list[str] = []
    contexts = []

    def make(address: str, width: int = 1280) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 1000})
        contexts.append(context)
        session = vera[1].cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(40_000)
        page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live_server.url + address)
        page.wait_for_selector(f"{PLOT}")
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def drag(page: Any, begin: float, end: float, plot: str = PLOT) -> None:
    """A rectangle over a part of the width, whose height is the whole."""
    page.locator(plot).first.scroll_into_view_if_needed()
    box = page.locator(plot).first.bounding_box()
    page.mouse.move(box["x"] + begin * box["width"], box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 8, steps=6)
    page.mouse.up()


def span_of(page: Any, plot: str) -> list[str]:
    return [text[:10] for text in page.evaluate(f"document.getElementById('{plot}').layout.xaxis.range")]


def test_a_rectangle_asks_for_finer_points_and_there_is_a_way_back(open_page: Any, offset: Metric) -> None:
    page = open_page(ADDRESS)
    assert "Each point is a day" in page.inner_text("#resolution")
    whole = span_of(page, "trend-0")
    drag(page, 0.2, 0.4)
    page.wait_for_selector("#resolution:has-text('Each value is drawn')")
    assert "zoom=" in page.url
    assert page.locator("#trend-0").count() == 1
    near = span_of(page, "trend-0")
    assert whole[0] < near[0] < near[1] < whole[1]
    page.reload()
    page.wait_for_selector(PLOT)
    assert span_of(page, "trend-0") == near
    page.keyboard.press("z")
    page.wait_for_selector("#resolution:has-text('Each point is a day')")
    assert "zoom=" not in page.url
    assert span_of(page, "trend-0") == whole


def test_all_plots_of_a_page_have_one_time(open_page: Any, offset: Metric, measure: Any) -> None:
    Metric.objects.create(code="test.second", name="Second")
    measure(None, *(value("test.second", 1.0, unit="S2A", band="B02", time=BEGIN.replace(day=d)) for d in range(1, 30)))
    page = open_page(f"/trends/explore/?metric={CODE}&metric=test.second&band=B02")
    page.wait_for_selector("#trend-1 .nsewdrag")
    drag(page, 0.2, 0.4, "#trend-1 .nsewdrag")
    page.wait_for_selector(".chip.set:has-text('Zoomed to')")
    assert span_of(page, "trend-0") == span_of(page, "trend-1")
    assert "2024-09" in page.inner_text(".chip.set:has-text('Zoomed to')")


def test_a_click_on_a_point_shows_what_stands_behind_it(open_page: Any, offset: Metric) -> None:
    page = open_page(f"{ADDRESS}?unit=S2A&band=B02&resolution=day")
    spot = page.locator("#trend-0 .points path").nth(30).bounding_box()
    page.mouse.move(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)
    page.wait_for_selector(".hoverlayer .hovertext")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_selector("#point-card:popover-open")
    assert "median of 4 values" in page.inner_text("#point-card")
    assert page.locator("#point-card a[href^='/runs/']").count() >= 4
    page.keyboard.press("Escape")
    assert not page.is_visible("#point-card")


def test_keys_change_the_look_and_the_address(open_page: Any, marked: Metric) -> None:
    page = open_page(ADDRESS)
    for key, part in (("l", "scale=log"), ("m", "median=7"), ("e", "hide=events")):
        page.keyboard.press(key)
        page.wait_for_url(f"**{part}**")
        page.wait_for_selector(".results:not(.htmx-request)")
    page.keyboard.press("?")
    help_ = page.inner_text("[data-page-keys]")
    assert all(word in help_ for word in ("m moving median", "l Log scale", "e Hide events"))


def test_a_view_is_kept_and_opened_again(open_page: Any, vera: tuple[User, Client], offset: Metric) -> None:
    page = open_page(f"{ADDRESS}?band=B02&median=7")
    drag(page, 0.2, 0.4)
    page.wait_for_selector(".chip.set:has-text('Zoomed to')")
    page.click("summary:has-text('Saved')")
    page.fill("#filter-name", "near")
    page.click("#save-filter button[type=submit]")
    page.wait_for_selector(".messages:has-text('saved')")
    kept = SavedFilter.objects.get(name="near")
    assert all(part in kept.query for part in ("band=B02", "median=7", "zoom="))
    near = span_of(page, "trend-0")
    page.goto(page.url.partition("?")[0])
    page.wait_for_selector(PLOT)
    page.click("summary:has-text('Saved')")
    page.click(".menu-row a:has-text('near')")
    page.wait_for_selector(".chip.set:has-text('Zoomed to')")
    page.wait_for_selector(PLOT)
    assert span_of(page, "trend-0") == near


def test_a_phone_shows_the_plots_and_scrolls_one_way(open_page: Any, marked: Metric) -> None:
    page = open_page(ADDRESS, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(page.url.replace(ADDRESS, f"/trends/compare/?metric={CODE}"))
    page.wait_for_selector("#differences .points path")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_copied_runs(live_server: Any, vera: tuple[User, Client], offset: Metric) -> None:
    """Python and curl, as they stand, with a token: the eight values of two days."""
    user, client = vera
    zoom = quote("2024-09-05T00:00:00Z~2024-09-07T00:00:00Z")
    # Asked of the server itself, so that the address that is copied is its own.
    host = live_server.url.partition("//")[2]
    page = unescape(client.get(f"{ADDRESS}?unit=S2A&band=B02&zoom={zoom}", headers={"host": host}).content.decode())
    recipe = {key: re.search(rf'id="copy-{key}">(.*?)</pre>', page, re.S)[1] for key in ("python", "curl")}
    secret = factories.token(user)[1]
    environment = {**os.environ, "MPC_TOKEN": secret}
    told = subprocess.run(
        [sys.executable, "-c", recipe["python"]],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert f"{CODE} in LSB by value" in told.stdout
    assert "S2A L1C 05.11 B02 8 points, newest 13.0" in told.stdout
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    told = subprocess.run(
        ["/bin/sh", "-c", recipe["curl"]], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    (trend,) = json.loads(told.stdout)["trends"]
    assert [len(series["value"]) for series in trend["series"]] == [8]
