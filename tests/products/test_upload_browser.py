"""The upload page in a browser: pieces, a lost connection, a reload, cancelling."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from mpc.accounts.roles import Role
from mpc.products.models import Upload
from mpc.runs.models import Run
from tests.qc.making import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MEGABYTE = 1 << 20


@pytest.fixture
def page(live_server: Any, settings: Any, tmp_path: Path) -> Iterator[Any]:
    settings.MPC_DATA_DIR = tmp_path
    settings.MPC_RUNS_DIR = tmp_path / "runs"
    settings.MPC_UPLOADS_DIR = tmp_path / "uploads"
    place = os.environ.get("MPC_TEST_BROWSER") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not place:
        pytest.skip("no Chromium: install it (Debian: apt-get install chromium) or set MPC_TEST_BROWSER")
    cache.clear()
    client = signed_in(Role.QC_ENGINEER)
    # The synchronous driver runs an event loop in this thread, which Django would take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=place, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(base_url=live_server.url)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None)
        yield page
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    assert complaints == []


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A zip of three pieces."""
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("note.bin", os.urandom(18 * MEGABYTE))
    return path


def choose(page: Any, path: Path) -> None:
    page.goto("/products/upload/")
    page.set_input_files("input[type=file]", path)
    page.get_by_role("button", name="Upload", exact=True).click()


def test_a_lost_connection_is_tried_again(page: Any, large: Path) -> None:
    failed: list[str] = []

    def second_fails(route: Any) -> None:
        if route.request.headers["upload-offset"] == str(8 * MEGABYTE) and not failed:
            failed.append("once")
            route.abort()
        else:
            route.continue_()

    page.route(
        "**/api/v1/uploads/*/",
        lambda route: second_fails(route) if route.request.method == "PATCH" else route.continue_(),
    )  # noqa: E501
    choose(page, large)
    page.wait_for_url("**/runs/*/")
    upload = Upload.objects.get()
    assert (upload.state, failed) == ("complete", ["once"])
    assert Path(Run.objects.get().params["path"]).read_bytes() == large.read_bytes()


def test_after_a_reload_the_same_file_goes_on(page: Any, large: Path) -> None:
    offsets: list[int] = []

    def only_first(route: Any) -> None:
        if route.request.method != "PATCH":
            route.continue_()
            return
        offsets.append(int(route.request.headers["upload-offset"]))
        route.continue_() if len(offsets) == 1 else route.abort()

    page.route("**/api/v1/uploads/*/", only_first)
    choose(page, large)
    page.get_by_text("trying again").wait_for()
    page.unroute("**/api/v1/uploads/*/")
    sent: list[int] = []
    page.on("request", lambda r: sent.append(int(r.headers["upload-offset"])) if r.method == "PATCH" else None)
    choose(page, large)
    page.wait_for_url("**/runs/*/")
    assert sent == [8 * MEGABYTE, 16 * MEGABYTE]
    assert Upload.objects.get().state == "complete"


def test_cancelling_leaves_nothing(page: Any, large: Path, settings: Any) -> None:
    page.route("**/api/v1/uploads/*/", lambda r: r.abort() if r.request.method == "PATCH" else r.continue_())
    choose(page, large)
    page.get_by_text("trying again").wait_for()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_text("Cancelled; nothing was kept.").wait_for()
    assert Upload.objects.get().state == "cancelled"
    assert [path for path in Path(settings.MPC_UPLOADS_DIR).rglob("*") if path.is_file()] == []


def test_a_refusal_is_told_in_its_place(page: Any, tmp_path: Path) -> None:
    (tmp_path / "holiday.zip").write_bytes(b"no zip at all")
    choose(page, tmp_path / "holiday.zip")
    page.get_by_text("is not a readable zip archive").wait_for()
    assert page.get_by_role("button", name="Upload", exact=True).is_enabled()
