"""Every real product and datastrip, from its path to its report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.db import transaction
from django.test import override_settings

from mpc.products.models import Product
from mpc.runs.models import Run
from tests.road.conftest import Manage, call, nothing_half_made

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Expected:
    """What is known of a real product: the inventory's facts, and what must (and must not) fail."""

    pattern: str
    facts: dict[str, object]
    failed: tuple[str, ...]
    good: tuple[str, ...]
    words: tuple[tuple[str, str], ...] = ()
    problem: str = ""


CASES = {
    "56JMM": Expected(
        "products/*_T56JMM_*.SAFE",
        {
            "unit": "S2A", "level": "L1C", "tile": "56JMM", "baseline": "02.06", "absolute_orbit": 15757,
            "relative_orbit": 30, "container": "folder", "layout": "compact", "kind": "product",
        },
        ("format.manifest.size", "format.manifest.checksum", "format.raster.size", "geometry.raster.position"),
        ("format.manifest.present", "format.xml.wellformed", "format.xml.schema", "format.identity",
         "format.images.readable", "general.gipp.complete"),
        (("format.raster.size", "1830"),),
    ),
    "55JEJ": Expected(
        "products/*_T55JEJ_*.zip",
        {"unit": "S2A", "tile": "55JEJ", "baseline": "02.06", "relative_orbit": 116, "container": "zip"},
        ("format.manifest.size", "format.manifest.checksum", "format.raster.size", "geometry.raster.position"),
        ("format.manifest.present", "format.xml.schema", "format.images.readable"),
    ),
    "29UNU": Expected(
        "products/*_T29UNU_*.SAFE",
        {"unit": "S2A", "level": "L2A", "tile": "29UNU", "baseline": "04.00", "relative_orbit": 23},
        ("format.manifest.present", "format.images.present", "format.masks.present", "general.metadata.readable"),
        ("format.manifest.size", "format.manifest.checksum", "format.images.readable", "format.raster.size",
         "sensor.footprint.values"),
        (("format.manifest.present", "24 files"),),
    ),
    "30TXR": Expected(
        "products/*_T30TXR_*.SAFE",
        {"unit": "S2A", "level": "L1C", "tile": "30TXR", "baseline": "05.00", "relative_orbit": 94},
        ("format.images.present", "format.raster.size", "format.masks.present"),
        ("format.images.readable",),
    ),
    "34UCF": Expected(
        "products/*_T34UCF_*.SAFE",
        {"unit": "S2B", "level": "L1C", "tile": "34UCF", "baseline": "05.09", "relative_orbit": 122},
        ("format.manifest.present", "format.manifest.checksum", "format.xml.schema", "format.images.encoding"),
        ("format.images.readable", "format.raster.size"),
    ),
    "32TNM": Expected(
        "products/*_T32TNM_*.SAFE",
        {"unit": "S2A", "level": "L1C", "tile": "32TNM", "baseline": "02.04", "relative_orbit": 65},
        ("format.images.readable", "format.xml.wellformed", "format.xml.schema", "general.metadata.readable"),
        ("format.manifest.present", "format.images.present", "format.identity"),
        (("format.images.readable", "0 bytes"), ("format.xml.wellformed", "empty")),
        problem="MTD_DS.xml",
    ),
    "datastrip 04.00": Expected(
        "datastrips/S2B_OPER_MSI_L1C_DS_*_N04.00",
        {"unit": "S2B", "level": "L1C", "kind": "datastrip", "baseline": "04.00", "tile": "", "container": "folder"},
        ("format.manifest.size", "format.manifest.checksum"),
        ("format.xml.schema", "general.olqc.status", "general.gipp.complete"),
    ),
    "datastrip L1B": Expected(
        "datastrips/l1b_tds1",
        {"unit": "S2A", "level": "L1B", "kind": "datastrip", "baseline": "05.00"},
        ("general.olqc.present",),
        ("format.xml.wellformed", "format.xml.schema"),
    ),
}  # fmt: skip


def content_of(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(p), p.lstat().st_mtime_ns) for p in folder.rglob("*"))


@dataclass(frozen=True)
class Judged:
    """All of them after one ``ingest --wait``: its exit status, and the line of each by its name in ``CASES``."""

    status: int
    lines: dict[str, dict[str, Any]]
    runs_dir: Path
    untouched: bool

    def report(self, name: str) -> dict[str, Any]:
        return call("report", self.lines[name]["product"], "--json").json


@pytest.fixture(scope="module")
def judged(
    realdata: Path, tmp_path_factory: pytest.TempPathFactory, _warm_work: None, django_db_setup: None,
    django_db_blocker: Any,
) -> Iterator[Judged]:  # fmt: skip
    """Looking at all of them takes a while, so it is done once, and undone after the tests of this module."""
    state = tmp_path_factory.mktemp("state")
    places = {"MPC_DATA_DIR": state, "MPC_RUNS_DIR": state / "runs", "MPC_SCHEMA_DIR": realdata / "xsd"}
    before = content_of(realdata)
    paths = paths_of(realdata)
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(**places):
            called = call("ingest", *paths.values(), "--wait")
        by_path = {line["path"]: line for line in called.lines}
        lines = {name: by_path[str(path)] for name, path in paths.items()}
        yield Judged(called.status, lines, state / "runs", content_of(realdata) == before)
        transaction.set_rollback(True)


def paths_of(realdata: Path) -> dict[str, Path]:
    return {name: next(realdata.glob(case.pattern)) for name, case in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_each_gives_a_clear_failed_report(judged: Judged, name: str) -> None:
    case, line = CASES[name], judged.lines[name]
    assert (line["result"], line["status"]) == ("taken", "FAILED")
    assert [(r["kind"], r["state"], r["verdict"]) for r in line["runs"]] == [("qc.product", "succeeded", "FAILED")]
    assert (case.problem in line["message"]) if case.problem else (line["message"] == "")
    product = Product.objects.get(name=line["product"])
    assert {field: getattr(product, field) for field in case.facts} == case.facts
    report = judged.report(name)
    checks = {check["id"]: check for check in report["checks"]}
    assert report["verdict"] == "FAILED"
    assert {i: checks[i]["status"] for i in case.failed} == dict.fromkeys(case.failed, "failed")
    assert {i: checks[i]["status"] for i in case.good} == dict.fromkeys(case.good, "passed")
    assert "error" not in {check["status"] for check in checks.values()}
    assert all(check["message"] for check in checks.values() if check["status"] != "passed")
    for check_id, words in case.words:
        assert words in " ".join(str(checks[check_id][k]) for k in ("expected", "measured", "message"))


def test_the_command_fails_and_nothing_is_half_made(judged: Judged) -> None:
    assert judged.status == 1
    assert Product.objects.count() == Run.objects.count() == len(CASES)
    nothing_half_made(judged.runs_dir)
    assert max(run.peak_rss_mb for run in Run.objects.all()) < 1500
    assert judged.untouched, "something was unpacked or written beside the products"


def test_all_of_them_again_change_nothing(judged: Judged, manage: Manage, realdata: Path) -> None:
    before = list(Product.objects.order_by("pk").values())
    called = manage("ingest", *paths_of(realdata).values(), "--wait")
    assert [line["result"] for line in called.lines] == ["known"] * len(CASES)
    assert Run.objects.count() == len(CASES)
    assert list(Product.objects.order_by("pk").values()) == before


def test_a_whole_tree_is_found_by_itself(judged: Judged, manage: Manage, realdata: Path) -> None:
    called = manage("ingest", realdata / "products", realdata / "datastrips")
    assert called.status == 0
    assert {line["product"] for line in called.lines} == {line["product"] for line in judged.lines.values()}
    assert {line["result"] for line in called.lines} == {"known"}


@pytest.mark.parametrize("band", ["B01", "B8A", "B12"])
def test_full_size_statistics_are_numpys_own(judged: Judged, realdata: Path, band: str) -> None:
    rows = {(r["detector"], r["resolution"]): r for r in judged.report("29UNU")["statistics"] if r["band"] == band}
    folder = paths_of(realdata)["29UNU"]
    (image,) = folder.glob(f"GRANULE/*/IMG_DATA/R60m/*_{band}_60m.jp2")
    (mask,) = folder.glob(f"GRANULE/*/QI_DATA/MSK_DETFOO_{band}.jp2")
    with rasterio.open(image) as dataset:
        pixels = dataset.read(1).astype(np.float64)
    with rasterio.open(mask) as dataset:
        step = dataset.height // pixels.shape[0]
        # The mask's pixel at the centre of each pixel of the band.
        detectors = dataset.read(1)[step // 2 :: step, step // 2 :: step]
    valid = (pixels > 0) & (pixels < 65535)
    seen = [int(d) for d in np.unique(detectors) if d]
    assert {detector for detector, _ in rows} == {None, *(f"{d:02}" for d in seen)}
    for detector in (None, *seen):
        found = pixels[valid if detector is None else valid & (detectors == detector)]
        row = rows[detector and f"{detector:02}", 60]
        assert (row["count"], row["min"], row["max"]) == (found.size, found.min(), found.max())
        assert row["mean"] == pytest.approx(found.mean(), rel=1e-12)
        assert row["std"] == pytest.approx(found.std(), rel=1e-9)
        assert [row[f"p{p}"] for p in (1, 50, 99)] == pytest.approx(np.percentile(found, (1, 50, 99)), rel=1e-12)
