"""What only a browser can tell of Today, products and quality control: parts, overlays, plots, keys, the upload."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.test import Client

from mpc.accounts.roles import Role
from mpc.products.models import Product
from mpc.runs.models import Run
from tests.products.test_uploads import NAME, zipped
from tests.qc import making
from tests.ui.test_browser import chromium  # noqa: F401 - the browser of these tests, too

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# The browser's own note about a form that came back; the page shows what is wrong.
EXPECTED = "the server responded with a status of 422"
# Elements that stand out of the page sideways would make a phone scroll both ways.
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.MPC_RUNS_DIR = tmp_path / "runs"
    settings.MPC_UPLOADS_DIR = tmp_path / "uploads"


@pytest.fixture
def engineer(transactional_db: None) -> Client:
    return making.signed_in(Role.QC_ENGINEER)


@pytest.fixture
def drawn(transactional_db: None, settings: Any, checked: Product) -> Product:
    """The checked product, with its pictures on the disk."""
    run = checked.quality_reports.get().run
    folder = settings.MPC_RUNS_DIR / str(run.pk) / "1"
    folder.mkdir(parents=True)
    for artifact in run.artifacts.all():
        with rasterio.open(
            folder / artifact.path, "w", driver="PNG", width=8, height=8, count=3, dtype="uint8"
        ) as image:
            image.write(np.full((3, 8, 8), 90, np.uint8))
    return checked


@pytest.fixture
def open_page(chromium: Any, live_server: Any, engineer: Client):  # noqa: F811, ANN201
    """``open_page("/", width=390)``: a page of an engineer; the test fails on any complaint of the browser."""
    complaints: list[str] = []
    contexts = []

    def make(address: str, width: int = 1440, scheme: str = "light") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
        contexts.append(context)
        cookie = {"name": "sessionid", "value": engineer.cookies["sessionid"].value, "url": live_server.url}
        context.add_cookies([cookie])
        page = context.new_page()
        page.set_default_timeout(40_000)  # a busy machine is no fault of the page
        page.on("console", lambda m: m.type == "error" and EXPECTED not in m.text and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live_server.url + address)
        page.wait_for_load_state("networkidle")
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def until(page: Any, expression: str) -> None:
    """Wait until an expression holds. The driver's own way evaluates text in the page, which the policy forbids."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {expression}")


def report_address(product: Product) -> str:
    return f"/quality/{product.name}/"


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_every_page_opens_without_a_complaint_and_fits(open_page: Any, drawn: Product, width: int, scheme: str) -> None:
    waiting = making.make_product(day=1)
    addresses = ["/", "/products/", "/products/arrivals/", "/products/upload/", "/quality/?all=1", "/trends/"]
    page = open_page(addresses[0], width, scheme)
    base = page.url.rstrip("/")
    for address in [
        *addresses[1:],
        *(drawn.get_absolute_url(), waiting.get_absolute_url()),
        *(report_address(drawn), report_address(waiting)),
    ]:
        page.goto(base + address)
        page.wait_for_load_state("networkidle")
        assert not page.evaluate(TOO_WIDE), address


def test_plots_are_drawn_and_follow_the_band(open_page: Any, drawn: Product) -> None:
    page = open_page(report_address(drawn))
    page.wait_for_selector("#histogram .bars path")
    page.wait_for_selector("#by-detector .points path")
    page.click("#image-B8A-20")
    page.wait_for_selector("#band h3:has-text('B8A at 20 m')")
    page.wait_for_selector("#histogram .bars path")
    assert page.locator("tr.chosen").inner_text().startswith("B8A")
    page.wait_for_url("**image=B8A-20**")
    page.click("#checks-sensor")
    page.wait_for_url("**checks=sensor**")
    page.wait_for_selector("#check-format\\.manifest\\.size", state="detached")
    assert "image=B8A-20" in page.url
    page.reload()
    page.wait_for_selector("#band h3:has-text('B8A at 20 m')")
    assert page.locator("#check-format\\.manifest\\.size").count() == 0


def test_statistic_and_scale_change_grid_and_table_together(open_page: Any, drawn: Product) -> None:
    page = open_page(report_address(drawn))
    page.select_option("#statistic", "p50")
    page.wait_for_url("**statistic=p50**")
    page.wait_for_selector("#focal-plane .fp-note:has-text('Median')")
    page.click("#scale-DN")
    page.wait_for_selector("#focal-plane [title='B02 detector 4: 1950 DN']")
    assert page.input_value("#statistic") == "p50"
    assert "2000.0" in page.locator("tr:has(#image-B02-10)").inner_text()
    assert page.locator("#focal-plane").count() == 1


def test_the_focal_plane_is_one_stop_and_leads_to_the_band(open_page: Any, drawn: Product) -> None:
    page = open_page(report_address(drawn))
    assert page.locator(".fp a.cell[tabindex='0']").count() == 1
    page.focus(".fp a.cell[tabindex='0']")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.title").startswith("B8A detector 5")
    page.keyboard.press("Enter")
    page.wait_for_selector("#band h3:has-text('B8A at 20 m')")
    until(page, "document.activeElement.title.startsWith('B8A detector 5')")
    assert page.evaluate("document.getElementById('band').getBoundingClientRect().top < innerHeight")


def test_overlays_lie_on_the_picture_and_switch(open_page: Any, drawn: Product) -> None:
    page = open_page(report_address(drawn))
    button = page.locator("[data-layer]")
    layer = page.locator(".layers img").nth(1)
    assert button.get_attribute("aria-pressed") == "false"
    assert not layer.is_visible()
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    until(page, "document.querySelectorAll('.layers img')[1].naturalWidth === 8")
    assert layer.bounding_box() == page.locator(".layers img").nth(0).bounding_box()
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    assert not layer.is_visible()


def test_the_way_from_report_to_trend_and_back(open_page: Any, drawn: Product) -> None:
    making.make_report(making.make_product(day=1), reflectance=0.11)
    page = open_page(report_address(drawn))
    page.click("a[href^='/trends/image.mean_reflectance/']")
    page.wait_for_selector(".plotbox .points path")
    assert page.locator(".plotbox .points path").count() >= 2
    spot = page.locator(".plotbox .points path").last.bounding_box()
    page.mouse.move(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)
    page.wait_for_selector(".hoverlayer .hovertext")
    page.mouse.down()
    page.mouse.up()
    page.click("#point-card a.main")
    page.wait_for_url("**/quality/*/**")


def test_items_and_references_open(open_page: Any, drawn: Product) -> None:
    page = open_page(report_address(drawn))
    row = page.locator("#check-format\\.manifest\\.size")
    row.locator("summary:has-text('1 item')").click()
    assert row.locator(".items td").first.inner_text() == "B02.jp2"
    row.locator("summary:has-text('format.manifest.size')").click()
    assert "PSD 14.9" in row.inner_text()


def test_a_check_asked_for_shows_its_run(open_page: Any, drawn: Product) -> None:
    page = open_page(report_address(drawn))
    page.keyboard.press("r")
    page.wait_for_selector("#running:has-text('waits in the queue')")
    run = Run.objects.get(state="queued")
    Run.objects.filter(pk=run.pk).update(state="running", progress=0.5, progress_message="Reading B04", attempt=1)
    page.wait_for_selector("#running:has-text('Reading B04')")
    Run.objects.filter(pk=run.pk).update(state="failed", error="the disk was full")
    page.wait_for_selector(".note.error:has-text('the disk was full')")


def test_an_upload_names_the_file_refuses_in_place_and_leads_to_its_run(open_page: Any, tmp_path: Path) -> None:
    page = open_page("/products/upload/")
    broken, whole = tmp_path / f"broken-{NAME}", tmp_path / NAME
    broken.write_bytes(b"no zip at all")
    whole.write_bytes(zipped("x" * 200_000))
    page.set_input_files("input[type=file]", broken)
    assert "broken-" in page.inner_text(".drop-files")
    assert "13 B" in page.inner_text(".drop-files")
    page.click("button:has-text('Upload')")
    page.wait_for_selector("[role=alert]:has-text('is not a readable zip archive')")
    page.set_input_files("input[type=file]", whole)
    page.click("button:has-text('Upload')")
    page.wait_for_url("**/runs/*/")
    assert Run.objects.get().params["source"] == NAME


def test_too_large_a_file_is_told_before_it_is_sent(open_page: Any, settings: Any, tmp_path: Path) -> None:
    settings.MPC_UPLOAD_LIMIT_MB = 0.001
    page = open_page("/products/upload/")
    sent: list[str] = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    large = tmp_path / NAME
    large.write_bytes(os.urandom(3000))
    page.set_input_files("input[type=file]", large)
    page.click("button:has-text('Upload')")
    assert page.evaluate("document.querySelector('input[type=file]').validationMessage").endswith(
        "at most 0.001 MB are taken."
    )
    assert sent == []
