"""The command line contract that automation stands on: exit status, one JSON line a product, stable keys."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from mpc.accounts.actors import local_actor
from mpc.products.models import Intake, Product
from mpc.runs.models import Run, State
from processors.simulator.products import Fault
from qc.models import QualityReport

pytestmark = pytest.mark.django_db


@pytest.fixture
def taken(manage, made, schemas):
    """A good product, taken in and judged; its name."""
    called = manage("ingest", made().path, "--wait")
    assert called.status == 0, called
    return called.line["product"]


# --- ingest ----------------------------------------------------------------------------------------------------------
def test_a_good_product_passes_and_a_bad_one_fails_the_command(manage, made, schemas) -> None:
    good, bad = made(zipped=True), made(baseline="05.09", faults=(Fault.TRUNCATED_BAND,))
    called = manage("ingest", good.path, bad.path, "--wait")
    assert called.status == 1
    first, second = called.lines
    assert set(first) == {"path", "product", "result", "message", "status", "runs"}
    assert (first["path"], first["product"]) == (str(good.path), good.name.removesuffix(".SAFE"))
    assert (first["result"], first["status"]) == ("taken", "PASSED")
    assert [(r["kind"], r["state"], r["verdict"]) for r in first["runs"]] == [("qc.product", "succeeded", "PASSED")]
    assert (second["result"], second["status"]) == ("taken", "FAILED")


def test_without_wait_the_work_is_queued_and_nothing_judged(manage, made) -> None:
    called = manage("ingest", made().path)
    assert (called.status, called.line["result"], called.line["status"]) == (0, "taken", "WAITING")
    assert Run.objects.get().state == State.QUEUED
    assert QualityReport.objects.count() == 0
    again = manage("ingest", made().path, "--wait", "--json")
    assert (again.status, again.line["result"], again.line["status"]) == (0, "known", "INCOMPLETE")
    assert Run.objects.get().state == State.SUCCEEDED


def test_taking_the_same_in_twice_changes_nothing(manage, made) -> None:
    manage("ingest", made().path, "--wait")
    before = (Product.objects.values().get(), Run.objects.values().get(), QualityReport.objects.values().get())
    called = manage("ingest", made().path, "--wait")
    assert (called.status, called.line["result"]) == (0, "known")
    assert "known already" in called.line["message"]
    assert before == (Product.objects.values().get(), Run.objects.values().get(), QualityReport.objects.values().get())


def test_the_same_product_as_zip_and_as_folder_is_known(manage, made) -> None:
    manage("ingest", made().path)
    called = manage("ingest", made(zipped=True).path)
    assert (called.status, called.line["result"]) == (0, "known")
    assert "as a folder of the same size" in called.line["message"]
    assert Product.objects.count() == 1


def test_trees_patterns_and_repetitions(manage, made, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    folder, archive = made(), made(baseline="05.10", zipped=True)
    (tmp_path / "deep" / folder.path.name).symlink_to(folder.path)
    (tmp_path / "deep" / "er" / archive.path.name).symlink_to(archive.path)
    (tmp_path / "deep" / "notes.txt").write_text("no product")
    called = manage("ingest", tmp_path, tmp_path / "deep", f"{tmp_path}/**/*.zip")
    assert called.status == 0
    assert sorted(line["product"] for line in called.lines) == sorted(
        w.name.removesuffix(".SAFE") for w in (folder, archive)
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nothing there"),
        (["*.SAFE"], "nothing there"),
        (["."], "no product found"),
        (["x" * 300], "cannot be looked at"),
        ([], "arguments are required"),
        ([".", "--frobnicate"], "unrecognized arguments"),
        (["--user", "nobody", "."], "no account"),
    ],
)
def test_wrong_use_of_ingest(manage, tmp_path: Path, monkeypatch, capsys, arguments: list[str], words: str) -> None:
    monkeypatch.chdir(tmp_path)
    called = manage("ingest", *arguments)
    assert (called.status, called.out) == (2, "")
    assert words in called.err + capsys.readouterr().err


def test_one_wrong_path_takes_nothing_in(manage, made, tmp_path: Path) -> None:
    called = manage("ingest", made().path, tmp_path / "nowhere", "--wait")
    assert (called.status, called.out) == (2, "")
    assert Product.objects.count() == Intake.objects.count() == 0


def test_what_is_no_product_is_refused_and_the_others_are_taken(manage, made, tmp_path: Path) -> None:
    (tmp_path / "holiday.zip").write_bytes(b"no zip at all")
    called = manage("ingest", tmp_path / "holiday.zip", made().path, "--wait")
    assert called.status == 1
    refused, taken = sorted(called.lines, key=lambda line: line["result"])
    assert (refused["result"], refused["product"], refused["status"]) == ("refused", None, None)
    assert "no readable zip" in refused["message"]
    assert taken["result"] == "taken"


def test_without_schema_sets_a_good_product_is_incomplete_and_told_why(manage, made) -> None:
    called = manage("ingest", made().path, "--wait")
    assert (called.status, called.line["status"]) == (0, "INCOMPLETE")
    checks = manage("report", called.line["product"], "--json").json["checks"]
    blind = {c["id"]: c["message"] for c in checks if c["status"] == "not_checked"}
    assert set(blind) == {"format.xml.schema", "general.olqc.schema"}
    assert all("set MPC_SCHEMA_DIR" in message for message in blind.values())
    assert {c["status"] for c in checks if c["id"] not in blind} == {"passed"}


# --- report ----------------------------------------------------------------------------------------------------------
def test_a_report_has_the_promised_keys_and_no_other(manage, taken: str) -> None:
    called = manage("report", taken, "--json")
    assert called.status == 0
    report = called.json
    assert list(report) == ["product", "verdict", "checks", "olqc", "statistics"]
    assert (report["product"], report["verdict"]) == (taken, "PASSED")
    assert report["checks"]
    for check in report["checks"]:
        assert list(check) == ["id", "status", "required", "expected", "measured", "message"]
        assert check["status"] in ("passed", "failed", "warning", "not_checked", "error")
        assert isinstance(check["required"], bool)
    assert len({check["id"] for check in report["checks"]}) == len(report["checks"])
    assert [(r["report"], r["level"], r["status"]) for r in report["olqc"]] == [
        (name, level, "PASSED")
        for level, names in (
            ("datastrip", ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", "RADIOMETRIC_QUALITY",
                           "SENSOR_QUALITY")),
            ("granule", ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", "SENSOR_QUALITY")),
        )
        for name in names
    ]  # fmt: skip
    assert all(list(r) == ["report", "level", "status", "checks"] and r["checks"] for r in report["olqc"])
    assert {row["band"] for row in report["statistics"]} >= {"B01", "B8A", "B12"}
    for row in report["statistics"]:
        assert {"band", "detector", "count", "mean", "std", "min", "max"} <= set(row)
        assert row["detector"] is None or row["detector"] in {f"{number:02}" for number in range(1, 13)}
        assert all(math.isfinite(row[key]) for key in ("count", "mean", "std", "min", "max"))


def test_a_report_for_people_begins_with_the_verdict(manage, taken: str) -> None:
    called = manage("report", f"{taken}.SAFE/")
    assert called.status == 0
    assert called.out.startswith(f"PASSED  {taken}\n")
    assert "format.manifest.checksum" in called.out


def test_reports_that_there_are_not(manage, made) -> None:
    unknown = manage("report", "S2A_NO_SUCH", "--json")
    assert (unknown.status, unknown.out) == (2, "")
    assert "no product “S2A_NO_SUCH”" in unknown.err
    manage("ingest", made().path)
    early = manage("report", made().name, "--json")
    assert (early.status, early.out) == (1, "")
    assert "no quality report yet" in early.err


# --- run -------------------------------------------------------------------------------------------------------------
def test_a_run_with_parameters_is_done_in_place(manage, taken: str) -> None:
    called = manage(
        "run",
        "qc.product",
        "--product",
        taken,
        "--param",
        "statistics=no",
        "--param",
        "quicklook=0",
        "--wait",
        "--json",
    )
    assert called.status == 0
    assert called.line["state"] == "succeeded"
    assert (called.line["params"]["statistics"], called.line["params"]["quicklook"]) == (False, False)
    assert called.line["artifacts"] == []
    assert manage("report", taken, "--json").json["statistics"] == []
    assert QualityReport.objects.filter(current=True).count() == 1


def test_a_run_without_wait_is_only_asked_for(manage, taken: str) -> None:
    first = manage("run", "qc.product", "--product", f"{taken}.SAFE", "--json")
    assert (first.status, first.line["state"]) == (0, "queued")
    second = manage("run", "qc.product", "--product", taken, "--json")
    assert second.line["run"] == first.line["run"]
    assert "the same work is queued already" in second.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["qc.nothing", "--product", "{taken}"], "no job of kind “qc.nothing”"),
        (["qc.product"], "needs a product"),
        (["qc.product", "--product", "S2A_NO_SUCH"], "no product “S2A_NO_SUCH”"),
        (["qc.product", "--product", "{taken}", "--param", "colour=blue"], "unknown parameter"),
        (["qc.product", "--product", "{taken}", "--param", "statistics=perhaps"], "neither true nor false"),
        (["qc.product", "--product", "{taken}", "--param", "statistics"], "NAME=VALUE"),
        (["products.ingest", "--product", "{taken}", "--param", "path=x"], "takes no product"),
        (["products.ingest"], "path: required"),
        (["products.ingest", "--param", "path=x", "--param", "trigger=magic"], "not one of"),
        ([], "arguments are required"),
    ],
)
def test_wrong_use_of_run(manage, taken: str, capsys, arguments: list[str], words: str) -> None:
    before = Run.objects.count()
    called = manage("run", *(a.format(taken=taken) for a in arguments), "--wait", "--json")
    assert (called.status, called.out) == (2, "")
    assert words in called.err + capsys.readouterr().err
    assert Run.objects.count() == before


def test_a_run_that_fails_says_why(manage, made, tmp_path: Path) -> None:
    gone = tmp_path / made(zipped=True).path.name
    gone.write_bytes(made(zipped=True).path.read_bytes())
    manage("ingest", gone, "--wait")
    gone.unlink()
    name = made().name.removesuffix(".SAFE")
    called = manage("run", "qc.product", "--product", name, "--wait", "--json")
    assert (called.status, called.line["state"]) == (1, "failed")
    assert "is not there" in called.line["error"]
    gone.write_bytes(b"PK no more")
    called = manage("run", "qc.product", "--product", name, "--wait")
    assert called.status == 1
    assert "no readable zip" in called.out
    report = manage("report", name, "--json").json
    assert report["verdict"] == "INCOMPLETE", "the last report stands until another one is made"


def test_a_run_of_an_intake_that_refuses_succeeds_with_a_failed_verdict(manage, tmp_path: Path) -> None:
    called = manage("run", "products.ingest", "--param", f"path={tmp_path}", "--wait", "--json")
    assert called.line["verdict"] == "FAILED"
    assert "holds no file" in called.line["summary"]
    assert Intake.objects.get().result == Intake.Result.REFUSED


def test_who_may_not_is_told(manage, made) -> None:
    from mpc.accounts.models import User

    local_actor()
    User.objects.create(username="visitor")
    called = manage("ingest", made().path, "--user", "visitor")
    assert (called.status, called.out) == (2, "")
    assert "this account has no role" in called.err
    assert Product.objects.count() == 0


def test_lines_stay_one_line_whatever_the_name(manage, made, tmp_path: Path) -> None:
    odd = tmp_path / "a \"b\" 'c'\nd é {e} %s.zip"
    odd.write_bytes(made(zipped=True).path.read_bytes())
    called = manage("ingest", odd, "--wait")
    assert len(called.out.splitlines()) == 1
    assert json.loads(called.out)["path"] == str(odd)
    assert called.line["status"] == "INCOMPLETE", manage("report", called.line["product"]).out
