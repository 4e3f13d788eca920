"""The pages of quality control: what they say, in every state that a product can be in, at a fixed cost."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mpc.products.models import Product
from mpc.runs.models import Run, State
from qc.checks.finding import Status
from qc.models import QualityReport
from tests.qc import making
from tests.qc.making import Check

pytestmark = pytest.mark.django_db

REPORT_QUERIES = 26
PART = {"HX-Request": "true"}


def address(product: Product, name: str = "report") -> str:
    return reverse(f"qc:{name}", kwargs={"name": product.name})


def page_of(client: Client, product: Product, **query: object) -> str:
    response = client.get(address(product), query)
    assert response.status_code == 200
    return response.content.decode()


def part_of(client: Client, product: Product, target: str, **query: object) -> str:
    response = client.get(address(product), query, headers={**PART, "HX-Target": target})
    assert response.status_code == 200
    return response.content.decode()


def row_of(page: str, check_id: str) -> str:
    start = page.index(f'id="check-{check_id}"')
    return page[start:].split('<tr id="check-')[0]


# --- The report ------------------------------------------------------------------------------------------------------
def test_the_verdict_stands_first_and_then_what_is_wrong(viewer: Client, checked: Product) -> None:
    page = page_of(viewer, checked)
    assert page.index("FAILED") < page.index("Quality report")
    assert page.index("check-format.manifest.size") < page.index("check-sensor.degraded.msi")
    assert page.index("check-sensor.degraded.msi") < page.index("check-sensor.packets.lost")
    assert "check-geometry.orbit.relative" not in page
    assert "Not passed 3" in page
    assert "no datastrip metadata" in row_of(page, "sensor.packets.lost")
    assert "informative" in row_of(page, "sensor.degraded.msi")


def test_single_results_stand_in_columns_or_lines(viewer: Client, checked: Product) -> None:
    page = page_of(viewer, checked, checks="all")
    sizes = row_of(page, "format.manifest.size")
    assert [f'<th scope="col">{name}</th>' in sizes for name in ("file", "expected", "measured")] == [True] * 3
    assert "<td>1000</td><td>–</td>" in sizes
    assert "<li>R022</li><li>A038058</li>" in row_of(page, "geometry.orbit.relative")


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ("all", {"format.manifest.size", "sensor.degraded.msi", "sensor.packets.lost", "geometry.orbit.relative"}),
        ("sensor", {"sensor.degraded.msi", "sensor.packets.lost"}),
        ("geometry", {"geometry.orbit.relative"}),
        ("no such group", {"format.manifest.size", "sensor.degraded.msi", "sensor.packets.lost"}),
    ],
)
def test_groups_of_checks(viewer: Client, checked: Product, chosen: str, shown: set[str]) -> None:
    part = part_of(viewer, checked, "checks", checks=chosen)
    assert {check.id for check in making.SOME_WRONG if f'id="check-{check.id}"' in part} == shown
    assert "<html" not in part


def test_the_on_line_control_stands_beside_the_own_verdict(viewer: Client, checked: Product) -> None:
    page = page_of(viewer, checked)
    assert "1 of 2 reports passed" in page
    olqc = page[page.index('id="olqc"') :]
    assert olqc.index("GEOMETRIC_QUALITY") < olqc.index("SENSOR_QUALITY")
    failed, passed = olqc.split("SENSOR_QUALITY")[0], olqc.split("<details")[2]
    assert '<details class="row" open>' in failed
    assert " open" not in passed.split(">")[0]
    assert "S2B_OPER_GIP_OLQCPA_MPC__20260801T000000" in olqc
    assert "Lost_Packets" in olqc


def test_an_unreadable_report_of_the_on_line_control_shows_as_such(viewer: Client) -> None:
    product = making.make_product()
    broken = making.olqc(status="ERROR", readable=False, checks=(), problem="not well formed: line 3")
    odd = making.olqc("GENERAL_QUALITY", schema_valid=False, problem="line 7 breaks its schema")
    making.make_report(product, olqc_reports=(broken, odd))
    page = page_of(viewer, product)
    for words in ("unreadable", "not well formed: line 3", "not valid", "line 7 breaks its schema", "1 of 2 reports"):
        assert words in page


@pytest.mark.parametrize(
    ("query", "mean", "std"),
    [({}, "0.1000", "0.0025"), ({"scale": "DN"}, "2000.0", "25.0"), ({"scale": "furlong"}, "0.1000", "0.0025")],
)
def test_statistics_as_reflectance_and_as_counts(
    viewer: Client, checked: Product, query: dict[str, str], mean: str, std: str
) -> None:
    page = page_of(viewer, checked, **query)
    row = page[page.index('id="image-B02-10"') :].split("</tr>")[0]
    assert f'data-label="Mean">{mean}</td>' in row
    assert f'data-label="Std">{std}</td>' in row
    assert 'data-label="No data %">10.00</td>' in row


def test_another_band_or_statistic_brings_table_plots_and_focal_plane(viewer: Client, checked: Product) -> None:
    part = part_of(viewer, checked, "statistics", image="B8A-20", statistic="p50", scale="DN", checks="all")
    assert "B8A at 20 m" in part
    assert 'id="focal-plane" hx-swap-oob="true"' in part
    assert 'value="p50" selected' in part
    assert "B8A detector 4: 2950 DN" in part
    assert 'id="checks"' not in part
    data = part[part.index('id="histogram-data"') :]
    histogram = json.loads(data[data.index(">") + 1 : data.index("</script>")])
    assert histogram["data"][0]["x"] == [1550, 1650, 1750]
    assert histogram["data"][0]["y"] == [10, 200, 60]


def test_cells_of_the_focal_plane_lead_to_the_image_of_their_band(viewer: Client, checked: Product) -> None:
    page = page_of(viewer, checked)
    assert f'href="{address(checked)}?image=B02-10"' in page
    assert "B02 detector 4: −5 %" in page  # 100 * (950 / 1000 - 1) of the reflectance, not of the counts


def test_steps_between_detectors_carry_their_uncertainty(viewer: Client, checked: Product) -> None:
    assert "0.42 ± 0.10 %" in part_of(viewer, checked, "statistics", image="B02-10")
    assert "steps between detectors" not in part_of(viewer, checked, "statistics", image="B8A-20")


def test_pictures_with_switches_for_their_overlays(viewer: Client, checked: Product) -> None:
    page = page_of(viewer, checked)
    artifact = checked.quality_reports.get().run.artifacts.get(name="overlay_clouds")
    assert f'aria-pressed="false" data-layer="layer-{artifact.pk}"' in page
    assert f'id="layer-{artifact.pk}"' in page


def test_scene_classes_in_words(viewer: Client, checked: Product) -> None:
    page = page_of(viewer, checked)
    assert "<dt>Cloudy</dt><dd>12.500 %</dd>" in page


def test_what_was_measured_leads_to_its_trend(viewer: Client, checked: Product) -> None:
    page = page_of(viewer, checked)
    measured = page[page.index("Trended values") :]
    address = reverse("monitoring:trend", kwargs={"code": "image.mean_reflectance"})
    assert f'href="{address}?level=L1C&amp;band=B02' in measured


def test_an_incomplete_report_says_what_could_not_be_looked_at(viewer: Client) -> None:
    product = making.make_product()
    making.make_report(product, "INCOMPLETE", making.NOT_LOOKED)
    page = page_of(viewer, product)
    assert "1 required check could not look" in page
    assert "No packets were lost (the datastrip is absent)" in page


def test_a_passed_report_shows_all_checks(viewer: Client) -> None:
    product = making.make_product()
    making.make_report(product)
    page = page_of(viewer, product)
    assert "PASSED" in page
    assert 'id="check-format.manifest.present"' in page
    assert "brought no report" in page


# --- Kinds of products -----------------------------------------------------------------------------------------------
def test_a_stand_alone_datastrip(viewer: Client) -> None:
    datastrip = making.make_datastrip()
    making.make_report(datastrip, olqc_reports=(making.olqc(),))
    page = page_of(viewer, datastrip)
    assert "A stand-alone datastrip holds no images" in page
    assert 'id="focal-plane"' not in page
    assert "Quick-look" not in page


def test_a_product_without_statistics(viewer: Client) -> None:
    product = making.make_product()
    checks = (Check("format.image.readable", Status.FAILED, message="14 files are empty"),)
    making.make_report(product, "FAILED", checks)
    page = page_of(viewer, product)
    assert "No image could be read in full" in page
    assert "14 files are empty" in page


def test_a_product_of_several_tiles(viewer: Client) -> None:
    product = making.make_product(tile="", tiles=["32TNM", "32TPM"])
    making.make_report(
        product,
        statistics=(making.band(tile="32TNM", mean=2000.0), making.band(tile="32TPM", mean=4000.0)),
        pictures=("quicklook_32TNM", "overlay_snow_32TNM", "quicklook_32TPM", "overlay_cirrus_32TPM"),
    )
    first, second = page_of(viewer, product), page_of(viewer, product, tile="32TPM")
    assert "T32TPM</a>" in first
    assert 'data-label="Mean">0.1000<' in first
    assert 'data-label="Mean">0.3000<' in second
    assert "overlay_snow_32TNM" in first
    assert "overlay_cirrus_32TPM" not in first
    assert "overlay_cirrus_32TPM" in second


# --- Before, beside and after a report -------------------------------------------------------------------------------
def test_a_waiting_product_shows_how_far_its_run_is(viewer: Client) -> None:
    product = making.make_product()
    run = making.make_run(product, State.RUNNING, progress=0.42, progress_message="Reading B04")
    page = page_of(viewer, product)
    assert "No report yet" in page
    assert "Reading B04" in page
    assert "42 %" in page
    assert f'hx-get="{address(product, "running")}"' in page
    part = viewer.get(address(product, "running"), headers=PART)
    assert "Reading B04" in part.content.decode()
    Run.objects.filter(pk=run.pk).update(state=State.SUCCEEDED)
    assert viewer.get(address(product, "running"), headers=PART).headers["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("state", "error", "said"),
    [
        (State.FAILED, "needed more memory than allowed", "failed: needed more memory than allowed"),
        (State.CANCELLED, "", "was cancelled"),
    ],
)
def test_a_run_that_left_no_report_is_told(viewer: Client, checked: Product, state: str, error: str, said: str) -> None:
    unchecked = making.make_product(day=3)
    for product in (checked, unchecked):
        making.make_run(product, state, error=error)
    for product in (checked, unchecked):
        assert said in page_of(viewer, product)
    assert "What is shown is of run" in page_of(viewer, checked)


def test_an_older_run_that_failed_is_no_news(viewer: Client) -> None:
    product = making.make_product()
    making.make_run(product, State.FAILED, error="the disk was full")
    making.make_report(product)
    assert "the disk was full" not in page_of(viewer, product)


def test_older_reports_stay_within_reach(viewer: Client, checked: Product) -> None:
    old = checked.quality_reports.get()
    making.make_report(checked)
    newest, older = page_of(viewer, checked), page_of(viewer, checked, report=old.pk)
    assert f"?report={old.pk}" in newest
    assert "This is an older report" in older
    assert "check-format.manifest.size" in older
    assert "check-format.manifest.size" not in newest
    assert viewer.get(address(checked, "report-json"), {"report": old.pk}).json()["verdict"] == "FAILED"
    assert viewer.get(address(checked, "report-json")).json()["verdict"] == "PASSED"


@pytest.mark.parametrize("wanted", ["0", "999999", "x", "9" * 40, "-1"])
def test_a_report_that_is_not_there(viewer: Client, checked: Product, wanted: str) -> None:
    assert viewer.get(address(checked), {"report": wanted}).status_code == 404
    assert viewer.get(address(checked, "report-json"), {"report": wanted}).status_code == 404


def test_a_report_of_another_product_is_not_shown(viewer: Client, checked: Product) -> None:
    other = making.make_product(day=1)
    assert viewer.get(address(other), {"report": checked.quality_reports.get().pk}).status_code == 404


@pytest.mark.parametrize("name", ["report", "report-json", "running"])
def test_an_unknown_product_is_not_found(viewer: Client, name: str) -> None:
    response = viewer.get(reverse(f"qc:{name}", kwargs={"name": "S2A_NOTHING"}))
    assert response.status_code == 404
    assert "No product “S2A_NOTHING” is in the inventory." in response.content.decode()


def test_the_json_is_the_report_of_the_command(viewer: Client, checked: Product) -> None:
    whole = viewer.get(address(checked, "report-json")).json()
    assert whole["verdict"] == "FAILED"
    assert [check["id"] for check in whole["checks"]] == [check.id for check in making.SOME_WRONG]
    assert {row["detector"] for row in whole["statistics"]} == {None, "04", "05", "06"}
    assert viewer.get(address(making.make_product(day=1), "report-json")).status_code == 404


# --- Checking again --------------------------------------------------------------------------------------------------
def test_an_engineer_asks_for_a_further_check_once(engineer: Client, checked: Product) -> None:
    for _ in range(2):
        response = engineer.post(address(checked, "check"), follow=True)
        assert response.redirect_chain[-1][0] == address(checked)
    asked = Run.objects.filter(product=checked, state=State.QUEUED)
    assert asked.count() == 1
    assert "already" in response.content.decode()
    assert "waits in the queue" in response.content.decode()


def test_a_viewer_may_not_and_is_told_why(viewer: Client, checked: Product) -> None:
    page = page_of(viewer, checked)
    assert '<button type="button" class="btn" disabled>Run again</button>' in page
    assert "To start runs takes the role" in page
    assert viewer.post(address(checked, "check")).status_code == 403
    assert viewer.get(address(checked, "check")).status_code in (403, 405)
    assert not Run.objects.filter(state=State.QUEUED).exists()


# --- Lists, home, panels ---------------------------------------------------------------------------------------------
def test_the_list_opens_on_what_did_not_pass(viewer: Client, checked: Product) -> None:
    fine = making.make_product(day=1)
    making.make_report(fine)
    opened = viewer.get(reverse("qc:list"), follow=True)
    assert opened.redirect_chain[-1][0].endswith("?verdict=FAILED&verdict=INCOMPLETE")
    assert checked.name in opened.content.decode()
    assert fine.name not in opened.content.decode()
    assert fine.name in viewer.get(reverse("qc:list"), {"all": 1}).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"verdict": "FAILED"}, {0}),
        ({"verdict": "PASSED"}, {1, 2}),
        ({"unit": "S2A"}, {1}),
        ({"tile": "T32TN"}, {2}),
        ({"tile": "33u"}, {0, 1}),
        ({"check": "format.manifest.size"}, {0}),
        ({"check": "geometry.orbit.relative"}, set()),
        ({"since": "2026-09-02"}, {1, 2}),
        ({"until": "2026-09-02"}, {0, 1}),
        ({"q": "20260903 S2B"}, {2}),
        ({"all": "1"}, {0, 1, 2}),
    ],
)
def test_filters_of_list_export_and_api_agree(
    viewer: Client, checked: Product, query: dict[str, str], found: set[int]
) -> None:
    products = [checked, making.make_product(1, "S2A"), making.make_product(2, tile="", tiles=["32TNM", "32TPM"])]
    for product in products[1:]:
        making.make_report(product)
    wanted = {products[i].name for i in found}
    exported = viewer.get(reverse("qc:list"), {**query, "format": "json"})
    rows = json.loads(b"".join(exported.streaming_content))
    assert {row["product"] for row in rows} == wanted
    text = b"".join(viewer.get(reverse("qc:list"), {**query, "format": "csv"}).streaming_content).decode()
    assert {product.name for product in products if product.name in text} == wanted
    api = viewer.get("/api/v1/reports/", {k: v for k, v in query.items() if k != "all"}).json()
    assert {row["product"] for row in api["results"]} == wanted


def test_home_shows_what_failed_and_why(viewer: Client, checked: Product) -> None:
    making.make_report(making.make_product(day=1))
    page = viewer.get(reverse("home")).content.decode()
    assert "1 file has another size than the manifest says" in page
    assert "?check=format.manifest.size" in page
    assert "2 products arrived, 2 checked · 1 failed · nothing waits" in page


def test_a_product_shows_its_verdict_first(viewer: Client, engineer: Client, checked: Product) -> None:
    page = viewer.get(checked.get_absolute_url()).content.decode()
    assert page.index("Quality control</h2>") < page.index("Identity</h2>")
    assert page.index("Quick-look</h2>") < page.index("Conditions</h2>")
    assert "#check-format.manifest.size" in page
    assert "disabled>Check again" in page
    assert "disabled>Check again" not in engineer.get(checked.get_absolute_url()).content.decode()


def test_a_run_leads_to_its_report(viewer: Client, checked: Product) -> None:
    run = checked.quality_reports.get().run
    assert address(checked) in viewer.get(run.get_absolute_url()).content.decode()


# --- Cost ------------------------------------------------------------------------------------------------------------
def queries_of(client: Client, url: str, **kwargs: object) -> int:
    client.get(url, **kwargs)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url, **kwargs).status_code == 200
    return len(queries)


def test_the_report_costs_the_same_for_little_and_much(viewer: Client, checked: Product) -> None:
    large = making.make_product(day=1)
    for _ in range(3):
        making.make_report(
            large,
            "FAILED",
            tuple(Check(f"format.check{n}", Status.FAILED, items=tuple(range(50))) for n in range(40)),
            statistics=tuple(making.band(f"B{n:02d}", r) for n in range(1, 13) for r in (10, 20, 60)),
            olqc_reports=tuple(making.olqc(f"KIND_{n}") for n in range(12)),
            pictures=("quicklook", *(f"overlay_{n}" for n in range(5))),
        )
    costs = [queries_of(viewer, address(product)) for product in (checked, large)]
    assert costs[0] == costs[1] <= REPORT_QUERIES
    part = {"headers": {**PART, "HX-Target": "checks"}}
    assert queries_of(viewer, address(large), **part) < costs[0]


def test_the_list_costs_the_same_for_few_and_many(viewer: Client, checked: Product) -> None:
    url = reverse("qc:list") + "?all=1"
    first = queries_of(viewer, url)
    for day in range(1, 12):
        making.make_report(making.make_product(day))
    assert queries_of(viewer, url) == first <= 14


def test_home_costs_the_same_for_few_and_many(viewer: Client, checked: Product) -> None:
    first = queries_of(viewer, reverse("home"))
    for day in range(1, 10):
        making.make_report(making.make_product(day), "FAILED", making.SOME_WRONG)
    assert queries_of(viewer, reverse("home")) == first <= 20
    assert QualityReport.objects.filter(current=True).count() == 10
