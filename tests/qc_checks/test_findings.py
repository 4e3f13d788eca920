"""The registry, the runner and the verdict."""

from __future__ import annotations

import dataclasses
import importlib
import pickle
import subprocess
import sys

import pytest

from mpc.jobs import Verdict
from qc.checks.finding import MAX_ITEMS, Finding, Status, failed, passed, summary_of, verdict_of
from qc.checks.registry import GROUPS, Inspection, all_inspections, inspection, inspections_for, run_inspections


def finding(status: str, *, required: bool = True) -> Finding:
    return Finding(Status(status), required=required)


@pytest.mark.parametrize(
    ("statuses", "informative", "verdict"),
    [
        (["passed", "passed"], [], Verdict.PASSED),
        (["passed", "warning"], [], Verdict.PASSED),
        (["passed"], ["failed", "error", "not_checked"], Verdict.PASSED),
        (["passed", "not_checked"], [], Verdict.INCOMPLETE),
        (["not_checked", "not_checked"], ["not_checked"], Verdict.INCOMPLETE),
        ([], ["passed"], Verdict.INCOMPLETE),
        ([], [], Verdict.INCOMPLETE),
        (["passed", "failed"], [], Verdict.FAILED),
        (["passed", "error"], [], Verdict.FAILED),
        (["not_checked", "failed"], [], Verdict.FAILED),
    ],
)
def test_verdict(statuses: list[str], informative: list[str], verdict: Verdict) -> None:
    findings = [finding(s) for s in statuses] + [finding(s, required=False) for s in informative]
    assert verdict_of(findings) is verdict


@pytest.mark.parametrize(
    ("findings", "summary"),
    [
        ([("passed", True), ("passed", True)], "2 of 2 required checks passed"),
        ([("failed", True), ("passed", True), ("warning", False)], "1 of 2 required checks failed · 1 warning"),
        ([("error", True), ("failed", False)], "1 of 1 required checks failed · 1 broke · 1 warning"),
        ([("not_checked", True), ("warning", True)], "1 of 2 required checks passed · 1 warning · 1 not checked"),
    ],
)
def test_summary(findings: list[tuple[str, bool]], summary: str) -> None:
    assert summary_of([finding(status, required=required) for status, required in findings]) == summary


def test_single_results_are_limited_and_counted() -> None:
    found = failed(items=range(1000))
    assert len(found.details["items"]) == MAX_ITEMS
    assert found.details["count"] == 1000
    assert passed().details == {}


def test_an_inspection_that_breaks_is_a_finding_and_the_others_go_on() -> None:
    lines: list[tuple[str, str]] = []

    def breaks(subject: object) -> Finding:
        raise KeyError("orbit")

    def looks(subject: object) -> Finding:
        return passed("a", "b")

    both = [
        Inspection("x.breaks", "", "format", "required", ("L1C",), ("product",), "", breaks),
        Inspection("x.looks", "", "format", "informative", ("L1C",), ("product",), "", looks),
    ]
    first, second = run_inspections(None, both, log=lambda message, level: lines.append((level, message)))  # type: ignore[arg-type]
    assert (first.check_id, first.status, first.required) == ("x.breaks", Status.ERROR, True)
    assert first.message == "the inspection broke: KeyError: 'orbit'"
    assert (second.check_id, second.status, second.required) == ("x.looks", Status.PASSED, False)
    assert lines[0][0] == "error"
    assert "Traceback" in lines[0][1]
    assert pickle.loads(pickle.dumps(first)) == first


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"id": "Orbit"}, "lower case words"),
        ({"group": "orbits"}, "no group"),
        ({"severity": "fatal"}, "required or informative"),
        ({"id": "geometry.sun_zenith"}, "already"),
    ],
)
def test_a_wrong_declaration_is_refused(changes: dict[str, str], complaint: str) -> None:
    all_inspections()
    declaration = {"id": "x.y", "title": "", "group": "format", "severity": "required", "reference": ""} | changes
    with pytest.raises(ValueError, match=complaint):
        inspection(**declaration)(lambda subject: passed())  # type: ignore[arg-type]


def test_every_inspection_says_what_it_stands_on() -> None:
    found = all_inspections()
    assert len({one.id for one in found}) == len(found) >= 35
    assert all(one.title and one.reference and len(one.title) <= 160 and len(one.reference) <= 200 for one in found)
    assert all(len(one.id) <= 60 for one in found)
    assert [one.group for one in found] == sorted((one.group for one in found), key=GROUPS.index)


def test_a_datastrip_is_asked_what_applies_to_it() -> None:
    ids = {one.id for one in inspections_for("L1C", "datastrip")}
    assert "sensor.packets.lost" in ids
    assert "general.gipp.complete" in ids
    assert not {"format.images.readable", "geometry.sun_zenith", "general.quality_flags"} & ids
    assert "general.scene_classes" not in {one.id for one in inspections_for("L1C", "product")}
    assert {one.id for one in inspections_for(None, "product")} >= {one.id for one in inspections_for("L2A", "product")}


@pytest.mark.parametrize("module", ["qc.checks.work", "qc.statistics", "qc.checks.metrics", "qc.checks.settings"])
def test_the_pure_packages_load_neither_django_nor_celery(module: str) -> None:
    code = f"import sys, {module}; sys.exit(any(name.split('.')[0] in ('django', 'celery') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_metrics_are_plain_and_unique() -> None:
    metrics = importlib.import_module("qc.checks.metrics").METRICS
    assert len({metric.code for metric in metrics}) == len(metrics)
    assert all(
        all(dataclasses.asdict(metric)[key] for key in ("code", "name", "description", "method")) for metric in metrics
    )
