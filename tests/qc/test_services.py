"""Reports are stored whole, the newest counts, and command, API and page read one structure."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from mpc.jobs import get_job
from mpc.products.models import Product
from mpc.runs import queue
from mpc.runs.models import ErrorKind, Run
from mpc.runs.queue import Ending, Fence
from qc import services
from qc.models import BandStatistics, QualityReport
from tests.qc import making

pytestmark = pytest.mark.django_db


def test_the_newest_report_counts_and_gives_the_product_its_status(checked: Product) -> None:
    first = checked.quality_reports.get()
    checked.refresh_from_db()
    assert (first.current, checked.status) == (True, "FAILED")
    second = making.make_report(checked)
    first.refresh_from_db()
    checked.refresh_from_db()
    assert (first.current, second.current, checked.status) == (False, True, "PASSED")
    assert services.current_report(checked) == second
    assert first.checks.count() == len(making.SOME_WRONG)


def test_the_database_itself_keeps_one_current_report_a_product(checked: Product) -> None:
    run = making.make_run(checked)
    with pytest.raises(IntegrityError), transaction.atomic():
        QualityReport.objects.create(product=checked, run=run, verdict="PASSED", summary="", current=True)


def test_a_report_counts_its_checks(checked: Product) -> None:
    report = checked.quality_reports.get()
    assert report.counts == {"failed": 1, "warning": 1, "not_checked": 1, "passed": 1}
    assert report.required_failed == 1


def test_statistics_are_one_record_a_band(checked: Product) -> None:
    stored = BandStatistics.objects.get(band="B8A")
    assert stored.detectors == [None, "04", "05", "06"]
    assert stored.by_detector["mean"] == [3000.0, 2950.0, 3000.0, 3050.0]
    assert stored.by_detector["pixels"] == [300, 100, 100, 100]
    assert stored.by_detector["count"] == [270, 90, 90, 90]
    assert stored.histogram["counts"] == [10, 200, 60]


def test_the_whole_as_plain_values(checked: Product) -> None:
    whole = services.report_as_dict(checked.quality_reports.get())
    assert (whole["product"], whole["verdict"]) == (checked.name, "FAILED")
    size = whole["checks"][0]
    assert {k: size[k] for k in ("id", "status", "required", "expected", "measured", "message")} == {
        "id": "format.manifest.size",
        "status": "failed",
        "required": True,
        "expected": "as said",
        "measured": "as measured",
        "message": "1 file has another size than the manifest says",
    }
    assert [(r["report"], r["level"], r["status"]) for r in whole["olqc"]] == [
        ("GEOMETRIC_QUALITY", "datastrip", "FAILED"),
        ("SENSOR_QUALITY", "datastrip", "PASSED"),
    ]
    assert whole["olqc"][0]["checks"][0]["values"] == {"LOST": "0"}
    band = [row for row in whole["statistics"] if (row["band"], row["resolution"]) == ("B02", 10)]
    assert [row["detector"] for row in band] == [None, "04", "05", "06"]
    assert [(row["mean"], row["min"], row["max"], row["count"]) for row in band[:2]] == [
        (2000.0, 1500, 3000, 270),
        (1950.0, 1500, 3000, 90),
    ]
    json.dumps(whole, allow_nan=False)


# --- Command ---------------------------------------------------------------------------------------------------------
def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("report", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("ending", ["", ".SAFE", "/"])
def test_the_command_prints_what_its_contract_names(checked: Product, ending: str) -> None:
    whole = services.report_as_dict(checked.quality_reports.get())
    text = json.loads(printed(checked.name + ending, "--json"))
    assert (text["product"], text["verdict"]) == (whole["product"], whole["verdict"])
    for part in ("checks", "olqc", "statistics"):
        assert len(text[part]) == len(whole[part])
        for row, of_whole in zip(text[part], whole[part], strict=True):
            assert {k: v for k, v in row.items() if k != "checks"}.items() <= of_whole.items()


def test_the_command_for_people_says_verdict_and_checks(checked: Product) -> None:
    text = printed(checked.name)
    assert text.startswith(f"FAILED  {checked.name}")
    assert "format.manifest.size" in text
    assert "GEOMETRIC_QUALITY" in text


@pytest.mark.parametrize(("known", "status", "said"), [(False, 2, "manage.py ingest"), (True, 1, "manage.py run")])
def test_the_command_tells_what_is_missing(known: bool, status: int, said: str) -> None:
    name = making.make_product().name if known else "S2A_NOTHING"
    with pytest.raises(CommandError, match=said) as refused:
        printed(name, "--json")
    assert refused.value.returncode == status


# --- API -------------------------------------------------------------------------------------------------------------
def test_one_report_by_the_name_of_its_product(viewer: Client, checked: Product) -> None:
    whole = viewer.get(f"/api/v1/reports/{checked.name}/").json()
    assert whole == json.loads(json.dumps(services.report_as_dict(checked.quality_reports.get())))
    assert viewer.get("/api/v1/reports/S2A_NOTHING/").status_code == 404


def test_the_list_of_reports_pages_and_holds_the_newest_only(viewer: Client, checked: Product) -> None:
    making.make_report(checked)
    for day in (1, 2):
        making.make_report(making.make_product(day))
    first = viewer.get("/api/v1/reports/", {"page_size": 2}).json()
    assert (first["count"], len(first["results"])) == (3, 2)
    second = viewer.get(first["next"]).json()
    assert len(second["results"]) == 1
    names = {row["product"] for row in first["results"] + second["results"]}
    assert len(names) == 3
    assert first["results"][0].keys() >= {"product", "verdict", "summary", "counts", "required_failed", "run", "made"}


def test_the_api_is_for_those_who_may_see_reports(client: Client, checked: Product) -> None:
    without_role = making.signed_in(name="nemo")
    for address in ("/api/v1/reports/", f"/api/v1/reports/{checked.name}/"):
        assert client.get(address).status_code == 401
        assert without_role.get(address).status_code == 403


# --- Runs that leave no report ---------------------------------------------------------------------------------------
def given_up(product: Product, how: str) -> Run:
    run = Run.objects.create(kind="qc.product", title="t", trigger="user", queue="qc", product=product)
    if how == "cancelled before it started":
        assert queue.cancel_queued(run.pk, None)
    else:
        taken = queue.claim_run(run.pk, "here")
        queue.end_attempt(
            Fence(run.pk, taken.attempt), Ending(ErrorKind.CRASH, "its process died", again=how == "again")
        )
    run.refresh_from_db()
    return run


@pytest.mark.parametrize(
    ("how", "state", "status"),
    [
        ("for good", "failed", "INCOMPLETE"),
        ("cancelled before it started", "cancelled", "INCOMPLETE"),
        ("again", "queued", "WAITING"),
    ],
)
def test_a_product_whose_control_was_given_up_does_not_wait_for_ever(how: str, state: str, status: str) -> None:
    product = Product.objects.create(name="alone", level="L1C", unit="A", path="alone", size=0)
    assert given_up(product, how).state == state
    product.refresh_from_db()
    assert product.status == status


def test_an_older_report_goes_on_counting_when_a_later_run_is_given_up(checked: Product) -> None:
    given_up(checked, "for good")
    checked.refresh_from_db()
    assert checked.status == "FAILED"


def test_a_run_is_closed_whatever_its_kind_does_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    product = Product.objects.create(name="alone", level="L1C", unit="A", path="alone", size=0)
    broken = replace(get_job("qc.product"), given_up=lambda run: 1 / 0)
    monkeypatch.setattr(queue, "job_of", lambda kind: broken)
    assert given_up(product, "for good").state == "failed"
