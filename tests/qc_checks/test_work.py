"""The work of ``qc.product`` from a path to an outcome."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest

from mpc.jobs import HopelessError, Inputs, Outcome, PassingError, RecordingContext, Verdict
from qc.checks.finding import Status
from qc.checks.settings import QcParams
from qc.checks.work import inspect_product
from tests.qc_checks import small


def work(path: Path, tmp_path: Path, **extra: object) -> tuple[Outcome, RecordingContext]:
    context = RecordingContext(tmp_path / "work")
    context.workdir.mkdir(exist_ok=True)
    return inspect_product(QcParams(), Inputs(path.name, str(path), dict(extra)), context), context


def zip_of(product: Path, folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder / product.stem), "zip", product.parent, product.name))


@pytest.mark.parametrize("zipped", [False, True])
def test_a_product_with_unreadable_metadata_is_a_failed_report(pristine: Path, tmp_path: Path, zipped: bool) -> None:
    outcome, context = work(zip_of(pristine, tmp_path) if zipped else pristine, tmp_path)
    report = outcome.results
    assert outcome.verdict is report.verdict is Verdict.FAILED
    findings = {finding.check_id: finding for finding in report.findings}
    assert findings["general.metadata.readable"].status is Status.FAILED
    assert findings["format.images.readable"].status is Status.PASSED
    assert findings["format.manifest.checksum"].status is Status.PASSED
    assert [finding.check_id for finding in report.findings] == [one.id for one in report.inspections]
    assert [s.band for s in report.statistics] == [band.name for band in small.BANDS]
    assert len(report.olqc) == 9
    assert not any(one.readable for one in report.olqc)
    assert [a.name for a in outcome.artifacts][0] == "quicklook"
    assert outcome.summary.endswith("not checked")
    assert not [line for line in context.lines if line[0] == "error"]


def test_the_outcome_travels_and_its_facts_are_json(pristine: Path, tmp_path: Path) -> None:
    outcome, _ = work(pristine, tmp_path)
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert json.loads(json.dumps(outcome.facts))["software"]["gdal"]
    for finding in outcome.results.findings:
        json.dumps(finding.details)
    json.dumps([row for record in outcome.results.statistics for row in record.rows()])


def test_progress_only_grows_and_names_what_is_done(pristine: Path, tmp_path: Path) -> None:
    _, context = work(pristine, tmp_path)
    fractions = [fraction for fraction, _ in context.fractions]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    texts = {message for _, message in context.fractions}
    assert {"Opening the product", "Reading 34UCF B8A 20 m", "Drawing 34UCF", "Done"} <= texts


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda folder: (folder / "notes.zip").write_bytes(b"no zip at all"), "notes.zip cannot be opened"),
        (lambda folder: (folder / "notes.zip").mkdir(), "holds no Sentinel-2 product"),
        (
            lambda folder: zipfile.ZipFile(folder / "notes.zip", "w").writestr("../escape", b"x"),
            "notes.zip cannot be opened",
        ),
    ],
)
def test_what_cannot_be_opened_is_hopeless(tmp_path: Path, make, complaint: str) -> None:
    make(tmp_path)
    (tmp_path / "notes.zip" / "readme.txt").write_text("x") if (tmp_path / "notes.zip").is_dir() else None
    with pytest.raises(HopelessError, match=complaint):
        work(tmp_path / "notes.zip", tmp_path)


def test_a_truncated_zip_is_hopeless_and_says_so(pristine: Path, tmp_path: Path) -> None:
    archive = zip_of(pristine, tmp_path)
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(HopelessError, match="cannot be opened"):
        work(archive, tmp_path)


def test_a_product_that_is_not_there_now_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(PassingError, match="is not there"):
        work(tmp_path / f"{small.NAME}.SAFE", tmp_path)


def test_a_damaged_member_of_a_zip_is_a_finding(pristine: Path, tmp_path: Path) -> None:
    archive = zip_of(pristine, tmp_path)
    with zipfile.ZipFile(archive) as opened:
        entry = next(e for e in opened.infolist() if e.filename.endswith("_B8A.jp2") and "IMG_DATA" in e.filename)
    data = bytearray(archive.read_bytes())
    start = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
    data[start : start + 40] = bytes(40)
    archive.write_bytes(data)
    outcome, _ = work(archive, tmp_path)
    findings = {finding.check_id: finding for finding in outcome.results.findings}
    assert findings["format.images.readable"].status is Status.FAILED
    assert "B8A 20 m" in findings["format.images.readable"].where
    assert findings["format.manifest.checksum"].status is Status.FAILED


def test_tiles_of_an_old_product_are_counted_one_by_one(product: Path, tmp_path: Path) -> None:
    second = product / "GRANULE" / small.GRANULE.replace("34UCF", "34UDF")
    shutil.copytree(product / "GRANULE" / small.GRANULE, second)
    for path in sorted(second.rglob("*34UCF*")):
        path.rename(path.with_name(path.name.replace("34UCF", "34UDF")))
    outcome, _ = work(product, tmp_path)
    tiles = [record.tile for record in outcome.results.statistics]
    assert tiles == ["34UCF"] * 13 + ["34UDF"] * 13
    names = [artifact.name for artifact in outcome.artifacts]
    assert {"quicklook_34UCF", "quicklook_34UDF", "overlay_nodata_34UDF"} <= set(names)
    assert len(set(names)) == len(names)
