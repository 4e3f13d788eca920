"""A product of several tiles in the naming before December 2016: everything is looked at, tile by tile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mpc.jobs import Inputs, Outcome, RecordingContext, Verdict
from processors.simulator.products import ProductSpec, Tile, WrittenOldProduct, write_old_product
from qc.checks.finding import Status
from qc.checks.settings import QcParams
from qc.checks.work import inspect_product

FIRST = ProductSpec(
    unit="S2A", baseline="02.04", start=datetime(2016, 8, 8, 10, 20, 32, 26000, UTC), absolute_orbit=5925, size_10m=60
)
SECOND = replace(FIRST, tile=Tile("32TPM", 32632, 600000, 4700040))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> WrittenOldProduct:
    return write_old_product([FIRST, SECOND], tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def outcome(written: WrittenOldProduct, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    context = RecordingContext(tmp_path_factory.mktemp("work"))
    return inspect_product(QcParams(), Inputs(written.name, str(written.path), {"schema_dir": None}), context)


def test_nothing_fails_and_only_schemas_were_not_looked_at(outcome: Outcome) -> None:
    by_status: dict[Status, set[str]] = {}
    for finding in outcome.results.findings:
        by_status.setdefault(finding.status, set()).add(finding.check_id)
    assert set(by_status) == {Status.PASSED, Status.NOT_CHECKED}
    assert by_status[Status.NOT_CHECKED] == {"format.xml.schema", "general.olqc.schema"}
    assert outcome.verdict is Verdict.INCOMPLETE


def test_each_tile_has_the_statistics_of_its_own_pixels(outcome: Outcome, written: WrittenOldProduct) -> None:
    records = {(s.tile, s.band): s for s in outcome.results.statistics}
    assert {tile for tile, _ in records} == {"32TNM", "32TPM"}
    assert len(records) == 26
    for tile, truth in written.truths.items():
        for (band, _, detector), expected in truth.bands.items():
            if detector is None and (tile, band) in records:
                record = records[(tile, band)]
                whole = record.detectors.index(None)
                assert record.valid[whole] == expected.count, (tile, band)
                assert record.mean[whole] == pytest.approx(expected.mean, rel=1e-12), (tile, band)
