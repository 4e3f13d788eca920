"""Simulated products: a whole one passes, and each planted fault is found by the check that is there for it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mpc.jobs import Inputs, Outcome, RecordingContext, Verdict
from processors.simulator.products import Fault, ProductSpec, Tile, write_datastrip, write_product
from qc.checks.finding import Status
from qc.checks.settings import QcParams
from qc.checks.work import inspect_product

TILE = Tile("34UCF", 32634, 300000, 6100020)
BLIND = {"format.xml.schema", "general.olqc.schema"}
"""These need schema sets, which the project does not bring."""

FOUND_BY: dict[Fault, set[str]] = {
    Fault.TRUNCATED_BAND: {"format.manifest.size", "format.manifest.checksum", "format.images.readable"},
    Fault.ZERO_BYTE_BAND: {"format.manifest.size", "format.manifest.checksum", "format.images.readable"},
    Fault.MISSING_FILE: {"format.manifest.present", "format.images.present"},
    Fault.CORRUPT_CHECKSUM: {"format.manifest.checksum"},
    Fault.MALFORMED_XML: {
        "format.manifest.size",
        "format.manifest.checksum",
        "format.xml.wellformed",
        "general.metadata.readable",
    },
    Fault.WRONG_NAME: {"format.identity"},
    Fault.WRONG_OFFSET: {"radiometry.offsets"},
    Fault.WRONG_U: {"radiometry.sun_distance"},
    Fault.SUN_TOO_LOW: {"geometry.sun_zenith", "general.olqc.status", "general.quality_flags"},
    Fault.WRONG_RELATIVE_ORBIT: {"geometry.relative_orbit"},
    Fault.LOST_PACKETS: {
        "sensor.packets.lost",
        "sensor.packets.degraded",
        "general.olqc.status",
        "general.quality_flags",
    },
    Fault.DEGRADED_MSI: {"sensor.degraded.msi"},
    Fault.WRONG_EPSG: {"geometry.raster.position"},
    Fault.WRONG_SIZE: {"format.raster.size"},
    Fault.INCOMPLETE_GIPP: {"general.gipp.complete"},
    Fault.FAILED_OLQC: {"general.olqc.status", "general.quality_flags"},
    Fault.MISSING_OLQC: {"general.olqc.present"},
    Fault.BAD_OLQC_SCHEMA: {"general.olqc.status", "general.quality_flags"},
    Fault.DETFOO_OUT_OF_RANGE: {"sensor.footprint.values"},
}


def spec(**changes: object) -> ProductSpec:
    facts: dict[str, object] = {
        "unit": "S2B",
        "baseline": "05.11",
        "tile": TILE,
        "start": datetime(2026, 8, 27, 9, 55, 59, 24_000, UTC),
        "absolute_orbit": 49_483,
        "size_10m": 120,
    }
    return ProductSpec(**(facts | changes))  # type: ignore[arg-type]


def inspected(path: Path, tmp_path: Path, schemas: Path | None = None) -> Outcome:
    context = RecordingContext(tmp_path / "work")
    context.workdir.mkdir(exist_ok=True)
    extra = {"schema_dir": str(schemas) if schemas else None}
    return inspect_product(QcParams(quicklook=False), Inputs(path.name, str(path), extra), context)


def failed(outcome: Outcome) -> set[str]:
    return {f.check_id for f in outcome.results.findings if f.status in (Status.FAILED, Status.ERROR)}


@pytest.mark.parametrize("fault", FOUND_BY, ids=lambda fault: fault.value)
def test_a_planted_fault_is_found(tmp_path: Path, fault: Fault) -> None:
    outcome = inspected(write_product(spec(faults=(fault,)), tmp_path).path, tmp_path)
    assert failed(outcome) == FOUND_BY[fault]
    assert outcome.verdict is Verdict.FAILED


WHOLE = [
    {"level": "L1C", "baseline": "02.04"},
    {"level": "L1C", "baseline": "02.06"},
    {"level": "L1C", "baseline": "05.11"},
    {"level": "L2A", "baseline": "05.11"},
]


@pytest.mark.parametrize("changes", WHOLE, ids=lambda c: f"{c['level']} {c['baseline']}")
def test_a_whole_product_is_incomplete_without_schemas(tmp_path: Path, changes: dict[str, str]) -> None:
    outcome = inspected(write_product(spec(**changes), tmp_path, zipped=True).path, tmp_path)
    assert failed(outcome) == set()
    blind = {f.check_id for f in outcome.results.findings if f.status is Status.NOT_CHECKED}
    assert blind == BLIND
    assert outcome.verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize("changes", WHOLE, ids=lambda c: f"{c['level']} {c['baseline']}")
def test_a_whole_product_passes_with_schemas(tmp_path: Path, realdata: Path, changes: dict[str, str]) -> None:
    outcome = inspected(write_product(spec(**changes), tmp_path).path, tmp_path, realdata / "xsd")
    assert outcome.verdict is Verdict.PASSED, failed(outcome)
    # GML masks have no codestream to walk through, and no report is asked for before 02.06.
    looked = {"02.04": 30, "02.06": 31}.get(changes["baseline"], 32)
    assert outcome.summary.startswith(f"{looked} of {looked} required checks passed")


def test_an_element_that_the_schema_does_not_know(tmp_path: Path, realdata: Path) -> None:
    outcome = inspected(
        write_product(spec(faults=(Fault.SCHEMA_VIOLATION,)), tmp_path).path, tmp_path, realdata / "xsd"
    )
    assert failed(outcome) == {"format.xml.schema"}
    (finding,) = (f for f in outcome.results.findings if f.check_id == "format.xml.schema")
    assert "PRODUCT_COLOUR" in finding.message
    assert finding.where == "MTD_MSIL1C.xml"


def test_a_datastrip_alone(tmp_path: Path, realdata: Path) -> None:
    outcome = inspected(write_datastrip(spec(), tmp_path).path, tmp_path, realdata / "xsd")
    assert outcome.verdict is Verdict.PASSED, failed(outcome)
    assert outcome.results.statistics == ()
    assert {value.metric for value in outcome.measurements} == {"product.degraded_anc", "datastrip.lost_packets"}


def test_statistics_meet_the_simulators_truth(tmp_path: Path) -> None:
    written = write_product(spec(saturated_pixels=4), tmp_path)
    outcome = inspected(written.path, tmp_path)
    records = {record.band: record for record in outcome.results.statistics}
    compared = 0
    for (band, resolution, detector), known in written.truth.bands.items():
        record = records[band]
        if record.resolution != resolution or known.count + known.nodata + known.saturated == 0:
            continue
        index = record.detectors.index(None if detector is None else f"{detector:02d}")
        found = (record.valid[index], record.nodata[index], record.saturated[index])
        assert found == (known.count, known.nodata, known.saturated)
        if known.count:
            assert (record.minimum[index], record.maximum[index]) == (known.minimum, known.maximum)
            assert record.mean[index] == known.mean
            assert record.std[index] == pytest.approx(known.std, rel=1e-15)
        compared += 1
    assert compared >= 13 * 3, "13 bands as a whole and by some detectors"


def test_a_detector_that_became_brighter_shows_in_the_step_of_its_band(tmp_path: Path) -> None:
    def steps(name: str, gains: dict[tuple[str, int], float]) -> dict[str, float]:
        facts = spec(size_10m=360, cloud_cover=0.0, gain_steps=gains)
        outcome = inspected(write_product(facts, tmp_path / name).path, tmp_path)
        assert all(
            v.uncertainty and v.uncertainty > 0 for v in outcome.measurements if v.metric == "image.detector_step"
        )
        return {v.band: v.value for v in outcome.measurements if v.metric == "image.detector_step"}

    before, after = steps("before", {}), steps("after", {("B11", 6): 1.05})
    assert after["B11"] > before["B11"] + 1.0, "per cent"
    assert after["B12"] == pytest.approx(before["B12"], abs=0.2)
