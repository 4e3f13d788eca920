"""Several versions of one observation, and several tiles in one product."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mpc.products import services
from mpc.products.models import Product
from processors.simulator.products import ProductSpec, Tile, write_old_product
from qc.models import BandStatistics
from tests.road.conftest import TINY

pytestmark = pytest.mark.django_db

FIRST = {"unit": "S2A", "start": datetime(2021, 7, 4, 10, 20, 21, 24_000, UTC), "absolute_orbit": 31_494}
REPROCESSED = {**FIRST, "baseline": "05.00", "generation": datetime(2023, 3, 1, 8, 0, 0, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("unit", "level", "baseline", "blind"),
    [
        ("S2A", "L1C", "02.04", set()),
        ("S2A", "L1C", "03.01", set()),
        ("S2B", "L1C", "04.00", set()),
        ("S2C", "L1C", "05.13", set()),
        ("S2B", "L2A", "04.00", set()),
        ("S2C", "L2A", "05.13", set()),
        ("S2D", "L1C", "05.12", {"geometry.relative_orbit"}),  # its slot is not known yet
    ],
)
def test_units_levels_and_baselines(
    manage, made, schemas, unit: str, level: str, baseline: str, blind: set[str]
) -> None:
    written = made(unit=unit, level=level, baseline=baseline)
    called = manage("ingest", written.path, "--wait")
    assert (called.status, called.line["status"]) == (0, "INCOMPLETE" if blind else "PASSED")
    checks = manage("report", written.name, "--json").json["checks"]
    assert {c["id"] for c in checks if c["required"] and c["status"] not in ("passed", "warning")} == blind


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["old first", "new first"])
def test_a_reprocessed_product_stands_beside_the_old_one(manage, made, schemas, order: tuple[int, int]) -> None:
    old, new = made(**FIRST, baseline="02.06"), made(**REPROCESSED)
    called = manage("ingest", *((old, new)[n].path for n in order), "--wait")
    assert called.status == 0
    assert {line["status"] for line in called.lines} == {"PASSED"}
    one, two = (Product.objects.get(name=w.name.removesuffix(".SAFE")) for w in (old, new))
    assert one.observation == two.observation
    assert (one.newest, two.newest) == (False, True)
    assert services.versions_of(one) == [two, one]
    # Masks were polygons then; the detectors and what they saw are the same, but for the offset.
    for band in ("B02", "B8A"):
        before, after = (BandStatistics.objects.get(product=p, band=band) for p in (one, two))
        assert before.detectors == after.detectors
        assert (before.offset, after.offset) == (0.0, -1000.0)


def test_an_old_product_of_several_tiles_has_statistics_of_each(manage, schemas, tmp_path: Path) -> None:
    first = ProductSpec(
        unit="S2A", baseline="02.04", start=datetime(2016, 8, 8, 10, 20, 21, tzinfo=UTC), absolute_orbit=5_896,
        size_10m=TINY, saturated_pixels=2,
    )  # fmt: skip
    specs = [first, replace(first, tile=Tile("32TPM", 32632, 600000, 4700040))]
    written = write_old_product(specs, tmp_path)
    called = manage("ingest", written.path, "--wait")
    report = manage("report", written.name, "--json").json
    # There is no schema set as old as the product, and the report says so.
    assert (called.status, report["verdict"]) == (0, "INCOMPLETE")
    blind = [c for c in report["checks"] if c["required"] and c["status"] not in ("passed", "warning")]
    assert [(c["id"], c["status"]) for c in blind] == [("format.xml.schema", "not_checked")]
    assert "psd-12" in blind[0]["message"]
    product = Product.objects.get()
    assert (product.layout, product.tile, product.tiles) == ("old", "", ["32TNM", "32TPM"])
    assert product.place == "2 tiles"
    rows = report["statistics"]
    assert len({(row["tile"], row["band"]) for row in rows}) == 2 * 13
    for row in rows:
        detector = row["detector"] and int(row["detector"])
        truth = written.truths[row["tile"]].bands[row["band"], row["resolution"], detector]
        assert (row["count"], row["nodata"], row["saturated"]) == (truth.count, truth.nodata, truth.saturated)
        assert (row["min"], row["max"]) == (truth.minimum, truth.maximum)
        assert row["mean"] == pytest.approx(truth.mean, rel=1e-15)
