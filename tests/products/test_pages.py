"""The pages of the inventory: lists, exports, one product, Today and search, at a fixed cost."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mpc.accounts.actors import local_actor
from mpc.accounts.roles import Role
from mpc.products import services
from mpc.products.models import Intake, Product
from mpc.products.summaries import UnitSummary, headline
from mpc.products.views import search_products
from tests.qc.making import make_datastrip, make_product, signed_in

pytestmark = pytest.mark.django_db
LIST = "/products/"


@pytest.fixture
def viewer(db: None) -> Client:
    return signed_in(Role.VIEWER, name="vera")


def page(client: Client, address: str, **query: Any) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def body(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


# --- Lists -----------------------------------------------------------------------------------------------------------
def test_the_list_shows_products_and_leads_to_them(viewer: Client) -> None:
    product, datastrip = make_product(), make_datastrip(status="FAILED")
    shown = page(viewer, LIST)
    for found in (product, datastrip):
        assert f'href="{found.get_absolute_url()}"' in shown
    assert ">T33UUU<" in shown
    assert ">datastrip<" in shown
    assert "2</b> found" in shown


@pytest.mark.parametrize(
    "query",
    [
        {"unit": "S2A"},
        {"tile": "32TPM"},
        {"q": "T33UUU 20260901"},
        {"newest": "false"},
        {"cloud_max": "50", "unit": ["S2A", "S2B"]},
        {"status": "FAILED", "sort": "-cloud_cover"},
        {},
    ],
)
def test_exports_hold_what_the_filter_finds(viewer: Client, query: dict[str, Any]) -> None:
    make_product()
    make_product(1, "S2A", "32TNM", status="FAILED", cloud_cover=80.0)
    make_product(2, "S2C", "", tiles=["32TNM", "32TPM"], newest=False)
    api = viewer.get("/api/v1/products/", {k: v for k, v in query.items() if k != "sort"}).json()
    wanted = {row["name"] for row in api["results"]}
    rows = json.loads(body(viewer.get(LIST, {**query, "format": "json"})))
    table = list(csv.DictReader(io.StringIO(body(viewer.get(LIST, {**query, "format": "csv"})))))
    assert {row["name"] for row in rows} == {row["name"] for row in table} == wanted
    assert all(name in page(viewer, LIST, **query) for name in wanted)
    for row in rows:
        product = Product.objects.get(name=row["name"])
        assert (row["cloud_cover"], row["relative_orbit"]) == (product.cloud_cover, 22)
        assert row["sensing_start"] == product.sensing_start.isoformat().replace("+00:00", "Z")


def test_a_choice_of_versions_is_open_at_first(viewer: Client) -> None:
    shown = page(viewer, LIST)
    choice = shown[shown.index('<select name="newest"') :].split("</select>")[0]
    assert '<option value="" selected>any</option>' in choice


def test_the_button_is_there_for_those_who_may_upload(viewer: Client) -> None:
    upload = f'href="{reverse("products:upload")}"'
    assert upload in page(signed_in(Role.QC_ENGINEER), LIST)
    make_product()
    shown = page(viewer, LIST)
    assert upload not in shown
    assert "To upload products takes the role" in shown


def test_an_empty_list_says_how_products_come(viewer: Client) -> None:
    assert "taken in on the command line" in page(viewer, LIST)
    assert "Nothing has arrived yet" in page(viewer, reverse("products:intakes"))


def test_arrivals_show_refusals_with_their_reason(viewer: Client) -> None:
    services.refuse("/inbox/<b>x</b>.zip", "no Sentinel-2 product", actor=local_actor(), trigger="inbox")
    shown = page(viewer, reverse("products:intakes"), result="refused")
    assert "no Sentinel-2 product" in shown
    assert "&lt;/b&gt;.zip" in shown or "&lt;b&gt;x&lt;" in shown
    assert "<b>x</b>" not in shown


def test_lists_cost_the_same_for_few_and_many(viewer: Client) -> None:
    for address in (LIST, reverse("products:intakes")):
        costs = []
        for start in (0, 20):
            for day in range(start, start + 10):
                product = make_product(day, "S2A" if address == LIST else "S2C")
                Intake.objects.create(trigger="ingest", source=product.path, result="taken", product=product)
            costs.append(queries_of(viewer, address))
        assert costs[0] == costs[1] <= 12, address


# --- One product -----------------------------------------------------------------------------------------------------
def test_a_product_says_all_that_is_known(viewer: Client) -> None:
    product = make_product(sun_zenith=41.5)
    services.refuse("x.zip", "why", actor=local_actor(), trigger="inbox")
    Intake.objects.create(trigger="upload", source="p.zip", result="taken", product=product, actor=local_actor())
    shown = page(viewer, product.get_absolute_url())
    for words in (
        *("GS2B_20260901T101011_038058_N05.11", "relative 22", "absolute 38058", "2026-09-01 10:10:11.025 UTC"),
        *("−1000", "1959.66", "3.125", "zenith 41.50°, azimuth 160.25°", "12.50 %", "1 configuration files (GIPP)"),
        *("taken in", "by upload", "Not checked yet"),
    ):
        assert words in shown, words


def test_a_broken_product_says_what_could_not_be_read(viewer: Client) -> None:
    product = make_product(problem="MTD_DS.xml is empty (0 bytes)", sensing_start=None, cloud_cover=None)
    product.facts.remarks.append("cloud cover 1e300 % is impossible")
    product.facts.save()
    shown = page(viewer, product.get_absolute_url())
    assert "MTD_DS.xml is empty (0 bytes)" in shown
    assert "cloud cover 1e300 % is impossible" in shown
    assert "<dt>Cloud</dt><dd>not said</dd>" in shown


def test_a_datastrip_and_a_product_without_facts_have_their_pages(viewer: Client) -> None:
    datastrip = make_datastrip(gipp_set=None)
    bare = make_product(1)
    bare.facts.delete()
    assert "none: a stand-alone datastrip" in page(viewer, datastrip.get_absolute_url())
    assert "lists no configuration files" in page(viewer, datastrip.get_absolute_url())
    assert bare.name in page(viewer, bare.get_absolute_url())


def test_tiles_of_an_old_product_are_all_named(viewer: Client) -> None:
    product = make_product(tile="", tiles=["32TNM", "32TPM"])
    shown = page(viewer, product.get_absolute_url())
    assert "T32TNM</a>" in shown
    assert "T32TPM</a>" in shown
    assert product.name in page(viewer, LIST, tile="T32TPM")


def test_versions_of_one_observation_lead_to_one_another(viewer: Client) -> None:
    old = make_product(observation="one", baseline="05.00", newest=False)
    new = make_product(1, observation="one")
    assert "a newer version is here" in page(viewer, old.get_absolute_url())
    assert f'href="{new.get_absolute_url()}"' in page(viewer, old.get_absolute_url())
    assert "a newer version is here" not in page(viewer, new.get_absolute_url())


def test_an_unknown_product_is_not_found(viewer: Client) -> None:
    response = viewer.get("/products/S2A_NOTHING/")
    assert response.status_code == 404
    assert "No product “S2A_NOTHING” is in the inventory." in response.content.decode()


def test_a_product_costs_the_same_for_little_and_much(viewer: Client) -> None:
    small, large = make_product(observation="alone"), make_product(1, observation="many")
    for day in range(2, 14):
        make_product(day, observation="many", newest=False)
        Intake.objects.create(trigger="ingest", source="x", result="known", product=large, actor=local_actor())
    costs = [queries_of(viewer, product.get_absolute_url()) for product in (small, large)]
    assert costs[0] == costs[1] <= 22


# --- Today and search ------------------------------------------------------------------------------------------------
def test_today_counts_by_unit_and_shows_what_came(viewer: Client) -> None:
    for day, unit in enumerate(("S2A", "S2A", "S2B")):
        Intake.objects.create(
            trigger="ingest", source="x", result="taken", product=make_product(day, unit, status="FAILED")
        )
    services.refuse("/inbox/holiday.zip", "no Sentinel-2 product", actor=local_actor(), trigger="inbox")
    shown = page(viewer, "/")
    assert "3 products arrived, 3 checked · 3 failed · nothing waits" in shown
    assert shown.count("products in 7 days") == 1
    assert "product in 7 days" in shown
    assert "holiday.zip" in shown
    assert "no Sentinel-2 product" in shown


def test_today_without_a_product_says_how_they_come(viewer: Client) -> None:
    shown = page(viewer, "/")
    assert "no product arrived" in shown
    assert "No product arrived within the last seven days" in shown


def summary(total: int, failed: int = 0, waiting: int = 0, oldest: datetime | None = None) -> UnitSummary:
    return UnitSummary("S2A", total, {"L1C": total}, failed, 0, waiting, None, oldest)


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ([], "no product arrived"),
        ([summary(1)], "1 product arrived, 1 checked · none failed · nothing waits"),
        ([summary(1200, 3), summary(84, 4)], "1284 products arrived, 1284 checked · 7 failed · nothing waits"),
        (
            [summary(5, 1, 2, datetime(2026, 11, 22, 7, 37, tzinfo=UTC)), summary(1, 0, 0)],
            "6 products arrived, 4 checked · 1 failed · 2 wait, the oldest for 4 min 00 s",
        ),
    ],
)
def test_the_headline(units: list[UnitSummary], said: str) -> None:
    now = datetime(2026, 11, 22, 7, 41, tzinfo=UTC)
    assert headline(units, now) == f"Since {now - timedelta(days=7):%Y-%m-%d %H:%M} UTC · {said}"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("T33UUU", {0}),
        ("33uu", {0}),
        ("T32TNM", {1, 2}),
        ("32TPM", {2}),
        ("S2A 20260902", {1}),
        ("GS2B_20260903", {2}),
        ("nothing like it", set()),
        ("%", set()),
    ],
)
def test_search_finds_products_by_name_tile_and_datatake(query: str, found: set[int]) -> None:
    products = [make_product(), make_product(1, "S2A", "32TNM"), make_product(2, tile="", tiles=["32TNM", "32TPM"])]
    hits = search_products(None, query, 20)
    assert {hit.title for hit in hits} == {products[i].name for i in found}


def test_a_full_name_leads_straight_to_its_page(viewer: Client) -> None:
    product = make_product()
    for ending in ("", ".SAFE", ".zip"):
        response = viewer.get(reverse("search"), {"q": product.name + ending})
        if ending:
            assert product.get_absolute_url() in response.content.decode()
        else:
            assert response.headers["Location"] == product.get_absolute_url()
