"""The inventory over REST: the filters of the page, products by name, uploads, arrivals, and who may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from shapely import wkb
from shapely.geometry import box

from mpc.accounts.actors import local_actor
from mpc.accounts.roles import Role
from mpc.products import services
from mpc.products.models import Intake
from mpc.runs.models import Run
from tests.products.test_uploads import NAME, zipped
from tests.qc.making import make_datastrip, make_product, signed_in

pytestmark = pytest.mark.django_db
API = "/api/v1/products/"


@pytest.fixture(autouse=True)
def _no_requests_counted() -> None:
    cache.clear()


@pytest.fixture
def viewer(db: None) -> Client:
    return signed_in(Role.VIEWER, name="vera")


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


def test_one_product_whole_by_its_name(viewer: Client) -> None:
    shape = box(15.0, 48.0, 16.5, 49.0)
    product = make_product(footprint=wkb.dumps(shape), west=15.0, south=48.0, east=16.5, north=49.0)
    whole = viewer.get(f"{API}{product.name}/").json()
    assert (whole["name"], whole["unit"], whole["tiles"]) == (product.name, "S2B", ["33UUU"])
    assert whole["bounds"] == [15.0, 48.0, 16.5, 49.0]
    assert whole["footprint"]["type"] == "Polygon"
    assert whole["facts"]["offsets"] == {"B02": -1000, "B8A": -1000}
    assert whole["gipps"] == [["R2EQOG", "0171", "S2B_OPER_GIP_R2EQOG_MPC__20260801T000000"]]
    assert viewer.get(f"{API}S2A_NOTHING/").status_code == 404


def test_names_with_dots_are_addresses(viewer: Client) -> None:
    datastrip = make_datastrip()
    assert "." in datastrip.name
    assert viewer.get(f"{API}{datastrip.name}/").json()["kind"] == "datastrip"


def test_pages_are_bounded_and_lead_on(viewer: Client) -> None:
    made = {make_product(day).name for day in range(5)}
    first = viewer.get(API, {"page_size": 2}).json()
    assert (first["count"], len(first["results"]), first["previous"]) == (5, 2, None)
    seen = [row["name"] for row in first["results"]]
    address = first["next"]
    while address:
        page = viewer.get(address).json()
        seen += [row["name"] for row in page["results"]]
        address = page["next"]
    assert len(seen) == 5
    assert set(seen) == made
    assert seen == sorted(seen, reverse=True)
    assert viewer.get(API, {"page": 99}).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"unit": "S2A"}, {1}),
        ({"unit": ["S2A", "S2C"]}, {1, 2}),
        ({"level": "L2A"}, {2}),
        ({"status": "FAILED"}, {1}),
        ({"kind": "datastrip"}, {3}),
        ({"baseline": "04"}, {2}),
        ({"tile": "T33U"}, {0}),
        ({"tile": "32tpm"}, {2}),
        ({"relative_orbit": 65}, {1}),
        ({"absolute_orbit": 38058, "unit": "S2A"}, {1}),
        ({"since": "2026-09-02", "until": "2026-09-02"}, {1}),
        ({"cloud_max": "20"}, {0, 2}),
        ({"cloud_min": "20"}, {1}),
        ({"newest": "false"}, {2}),
        ({"newest": "true", "unit": "S2B"}, {0, 3}),
        ({"q": "s2a T32TNM"}, {1}),
        ({"observation": "S2B_L1C_20260901_33UUU"}, {0}),
        ({}, {0, 1, 2, 3}),
    ],
)
def test_filters(viewer: Client, query: dict[str, Any], found: set[int]) -> None:
    products = [
        make_product(),
        make_product(1, "S2A", "32TNM", status="FAILED", relative_orbit=65, cloud_cover=80.0),
        make_product(2, "S2C", "", level="L2A", tiles=["32TNM", "32TPM"], baseline="04.00", newest=False),
        make_datastrip(),
    ]
    assert set(names(viewer.get(API, query))) == {products[i].name for i in found}


@pytest.mark.parametrize(
    "query",
    [{"unit": "S3A"}, {"since": "yesterday"}, {"cloud_max": "much"}, {"relative_orbit": "144"}, {"newest": "x"}],
)
def test_a_filter_that_cannot_be_read_is_an_error_and_not_everything(viewer: Client, query: dict[str, str]) -> None:
    make_product()
    answer = viewer.get(API, query)
    assert answer.status_code == 400
    assert set(answer.json()) == set(query)


# --- Uploads ---------------------------------------------------------------------------------------------------------
def send(client: Client, content: bytes, name: str = NAME) -> Any:
    return client.post(API, {"file": SimpleUploadedFile(name, content, content_type="application/zip")})


def test_an_upload_answers_with_its_run(settings: Any, tmp_path: Path) -> None:
    settings.MPC_UPLOADS_DIR = tmp_path
    answer = send(signed_in(Role.QC_ENGINEER), zipped())
    run = Run.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {"run": run.pk, "url": run.get_absolute_url()}


def test_a_refused_upload_says_why(settings: Any, tmp_path: Path) -> None:
    settings.MPC_UPLOADS_DIR = tmp_path
    engineer = signed_in(Role.QC_ENGINEER)
    answer = send(engineer, b"no zip")
    assert answer.status_code == 422
    assert "is not a readable zip archive" in answer.json()["detail"]
    assert engineer.post(API, {}).status_code == 400
    assert Run.objects.count() == 0


@pytest.mark.parametrize(("roles", "status"), [((), 403), ((Role.VIEWER,), 403)])
def test_uploads_are_for_those_who_may(settings: Any, tmp_path: Path, roles: tuple[Role, ...], status: int) -> None:
    settings.MPC_UPLOADS_DIR = tmp_path
    assert send(signed_in(*roles), zipped()).status_code == status
    assert list(tmp_path.rglob("*.zip")) == []
    assert Run.objects.count() == 0


def test_the_api_is_closed_to_strangers(client: Client) -> None:
    product = make_product()
    for address in (API, f"{API}{product.name}/", "/api/v1/arrivals/"):
        assert client.get(address).status_code == 401
        assert client.post(address).status_code in (401, 405)


def test_products_change_by_no_other_verb() -> None:
    engineer = signed_in(Role.ADMINISTRATOR)
    address = f"{API}{make_product().name}/"
    for verb in (engineer.put, engineer.patch, engineer.delete):
        assert verb(address).status_code == 405


# --- Arrivals --------------------------------------------------------------------------------------------------------
def test_arrivals_tell_what_was_refused_and_why(viewer: Client) -> None:
    services.refuse("/inbox/holiday.zip", "no Sentinel-2 product", actor=local_actor(), trigger="inbox")
    Intake.objects.create(trigger="ingest", source="/archive/a.SAFE", result="taken", product=make_product())
    rows = viewer.get("/api/v1/arrivals/", {"result": "refused"}).json()["results"]
    assert [(row["source"], row["message"], row["product"]) for row in rows] == [
        ("/inbox/holiday.zip", "no Sentinel-2 product", None)
    ]
    assert viewer.get("/api/v1/arrivals/").json()["count"] == 2


# --- Description -----------------------------------------------------------------------------------------------------
def test_the_api_describes_itself(viewer: Client) -> None:
    assert viewer.get("/api/docs/").status_code == 200
    schema = viewer.get("/api/schema/", {"format": "json"}).json()
    assert {"/api/v1/products/", "/api/v1/products/{name}/", "/api/v1/reports/{name}/"} <= set(schema["paths"])
    posted = schema["paths"]["/api/v1/products/"]["post"]
    assert "multipart/form-data" in posted["requestBody"]["content"]
    assert {"202", "422"} <= set(posted["responses"])
