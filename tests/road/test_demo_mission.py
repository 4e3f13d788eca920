"""The demonstration mission: it fills an empty inventory once, and its planted faults are found by what is meant to."""

from __future__ import annotations

import pytest

from mpc.products.models import Product
from mpc.runs.models import Run
from processors.management.commands import demo
from processors.simulator.products import Fault, demo_items
from tests.road.conftest import nothing_half_made

pytestmark = pytest.mark.django_db

FOUND_BY: dict[Fault, set[str]] = {
    Fault.TRUNCATED_BAND: {"format.images.readable", "format.manifest.size", "format.manifest.checksum"},
    Fault.DETFOO_OUT_OF_RANGE: {"sensor.footprint.values"},
    Fault.WRONG_U: {"radiometry.sun_distance"},
    Fault.CORRUPT_CHECKSUM: {"format.manifest.checksum"},
    Fault.MISSING_FILE: {"format.manifest.present", "format.images.present"},
    Fault.LOST_PACKETS: {
        "sensor.packets.lost", "sensor.packets.degraded", "general.olqc.status", "general.quality_flags",
    },
    Fault.FAILED_OLQC: {"general.olqc.status", "general.quality_flags"},
    Fault.SUN_TOO_LOW: {"geometry.sun_zenith", "general.olqc.status", "general.quality_flags"},
}  # fmt: skip


def test_the_mission_is_taken_in_once_and_judged_as_planted(manage, tiny_mission, schemas, settings) -> None:
    called = manage("demo", "--wait")
    assert called.status == 0
    items = demo_items()
    assert Product.objects.count() == Run.objects.filter(kind="qc.product").count() == len(items)
    assert set(Run.objects.values_list("state", flat=True)) == {"succeeded"}
    for item in items:
        name = item.spec.datastrip_id if item.kind == "datastrip" else item.spec.name
        report = manage("report", name, "--json").json
        failed = {c["id"] for c in report["checks"] if c["required"] and c["status"] in ("failed", "error")}
        meant = set().union(*(FOUND_BY[fault] for fault in item.spec.faults))
        assert failed == meant, name
        assert report["verdict"] == ("FAILED" if item.spec.faults else "PASSED"), name
    nothing_half_made(settings.MPC_RUNS_DIR)

    before = list(Product.objects.order_by("pk").values())
    again = manage("demo", "--wait")
    assert again.status == 0
    assert "left out" in again.out
    assert list(Product.objects.order_by("pk").values()) == before
    assert Run.objects.count() == len(items)

    versions = Product.objects.filter(observation__startswith="S2A_L1C_20170308T102021")
    assert {p.baseline: p.newest for p in versions} == {"02.04": False, "05.00": True}


def test_an_inventory_with_products_is_left_alone(manage, made, tiny_mission) -> None:
    manage("ingest", made().path)
    called = manage("demo")
    assert (called.status, Product.objects.count()) == (0, 1)
    assert "left out" in called.out


def test_a_mission_that_was_broken_off_is_gone_on_with(manage, tiny_mission, monkeypatch) -> None:
    taken_in = demo.services.take_in
    left = iter(range(2))

    def broken_off(*args, **kwargs):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return taken_in(*args, **kwargs)

    monkeypatch.setattr(demo.services, "take_in", broken_off)
    with pytest.raises(KeyboardInterrupt):
        manage("demo")
    monkeypatch.setattr(demo.services, "take_in", taken_in)
    first = list(Product.objects.values_list("pk", "name").order_by("pk"))
    assert len(first) == 2
    assert manage("demo").status == 0
    names = dict(Product.objects.values_list("pk", "name"))
    assert len(names) == len(demo_items())
    assert [(pk, names[pk]) for pk, _ in first] == first
    assert "left out" in manage("demo").out
