"""The numbers at the end of the road are those of the pixels at its beginning."""

from __future__ import annotations

from typing import Any

import pytest

from mpc.monitoring.models import Measurement
from mpc.products.models import Product
from qc.models import BandStatistics

pytestmark = pytest.mark.django_db


def key(row: dict[str, Any]) -> tuple[str, int, int | None]:
    return row["band"], row["resolution"], None if row["detector"] is None else int(row["detector"])


@pytest.mark.parametrize(
    "values",
    [
        {"size_10m": 120, "nodata_fraction": 0.2, "saturated_pixels": 3},
        {"size_10m": 120, "nodata_fraction": 0.3, "saturated_pixels": 3, "unit": "S2A", "baseline": "02.06"},
        {"size_10m": 120, "nodata_fraction": 0.2, "saturated_pixels": 3, "level": "L2A", "baseline": "05.09"},
    ],
    ids=lambda values: f"{values.get('level', 'L1C')} {values.get('baseline', '05.11')}",
)
def test_statistics_are_the_truth_of_the_simulator(manage, made, values: dict[str, Any]) -> None:
    written = made(**values)
    assert manage("ingest", written.path, "--wait").status == 0
    rows = {key(row): row for row in manage("report", written.name, "--json").json["statistics"]}
    whole = {(band, gsd) for band, gsd, detector in rows if detector is None}
    # L2A: no B10, but aerosol optical thickness and water vapour.
    assert len(whole) == (14 if values.get("level") == "L2A" else 13)
    truth = {place: t for place, t in written.truth.bands.items() if place[:2] in whole}
    assert set(truth) == set(rows)
    for place, row in rows.items():
        t = truth[place]
        counts = (row["count"], row["nodata"], row["saturated"], row["pixels"])
        assert counts == (t.count, t.nodata, t.saturated, t.count + t.nodata + t.saturated), place
        assert (row["min"], row["max"]) == (t.minimum, t.maximum), place
        assert row["mean"] == pytest.approx(t.mean, rel=1e-15), place
        assert row["std"] == pytest.approx(t.std, rel=1e-12), place
    assert sum(detector is not None for _, _, detector in rows) >= 4 * 12


def test_what_is_trended_is_few_and_leads_back(manage, made) -> None:
    written = made()
    line = manage("ingest", written.path, "--wait").line
    product = Product.objects.get(name=line["product"])
    values = list(Measurement.objects.select_related("series"))
    assert 13 <= len(values) <= 50
    assert {(v.run_id, v.product_id) for v in values} == {(line["runs"][0]["id"], product.pk)}
    assert all(v.samples is not None for v in values)
    assert BandStatistics.objects.filter(product=product).count() == 13
