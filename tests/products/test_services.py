"""The inventory changes in one place, once a product."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from mpc.accounts.actors import local_actor
from mpc.accounts.models import AuditEntry, User
from mpc.msi.describe import Description
from mpc.msi.records import Gipp, Radiometry
from mpc.products import services
from mpc.products.models import GippSet, Intake, Product
from mpc.products.signals import product_arrived

pytestmark = pytest.mark.django_db

NAME = "S2B_MSIL1C_20260901T100559_N{baseline}_R022_T33UUU_20260901T1204{second:02d}"


def described(baseline: str = "05.12", second: int = 10, **changes: object) -> Description:
    plain = baseline.replace(".", "")
    first = Description(
        name=NAME.format(baseline=plain, second=second),
        kind="product",
        level="L1C",
        unit="S2B",
        observation="S2B_L1C_20260901T100559_T33UUU",
        path=f"/archive/{plain}-{second}.SAFE",
        container="folder",
        layout="compact",
        size=1000,
        checksum=f"sha256:{plain}{second}",
        tiles=("33UUU",),
        baseline=baseline,
        sensing_start=datetime(2026, 9, 1, 10, 10, 11, tzinfo=UTC),
        generation_time=datetime(2026, 9, 1, 12, 4, second, tzinfo=UTC),
        radiometry=Radiometry(quantification=10000, offsets={"B01": -1000}, u=0.98),
        gipps=(
            Gipp("S2B_OPER_GIP_R2ABCA_MPC__20260801T000000_V20260802T000000_21000101T000000_B00", "GIP_R2ABCA", "0200"),
        ),
    )
    return dataclasses.replace(first, **changes)


@pytest.fixture
def arrivals():
    seen: list[str] = []

    def note(sender, product, **kwargs):  # type: ignore[no-untyped-def]
        seen.append(product.name)

    product_arrived.connect(note, weak=False)
    yield seen
    product_arrived.disconnect(note)


def test_a_new_product_stands_with_its_facts_and_is_announced_once(arrivals: list[str]) -> None:
    taken = services.store(described(), actor=local_actor(), trigger="ingest")
    assert taken.result == Intake.Result.TAKEN
    product = Product.objects.get()
    assert (product.tile, product.baseline, product.status, product.newest) == ("33UUU", "05.12", "WAITING", True)
    assert product.facts.offsets == {"B01": -1000}
    assert product.gipp_set.count == 1
    assert arrivals == [product.name]
    assert AuditEntry.objects.filter(action="products.taken_in", object_id=str(product.pk)).count() == 1


def test_the_same_product_again_changes_nothing(arrivals: list[str]) -> None:
    first = services.store(described(), actor=local_actor(), trigger="ingest").product
    before = Product.objects.values().get()
    again = services.store(described(cloud_cover=99.0), actor=local_actor(), trigger="inbox")
    assert (again.result, again.product) == (Intake.Result.KNOWN, first)
    assert Product.objects.values().get() == before
    assert len(arrivals) == 1
    assert Intake.objects.count() == 2


def test_other_content_under_a_known_name_is_refused_with_the_reason() -> None:
    services.store(described(), actor=local_actor(), trigger="ingest")
    other = services.store(described(checksum="sha256:other"), actor=local_actor(), trigger="upload")
    assert other.result == Intake.Result.REFUSED
    assert "other content" in other.intake.message
    refused = AuditEntry.objects.get(action="products.refused")
    assert (refused.object_id, refused.after["reason"]) == (str(other.intake.pk), other.intake.message)
    assert Product.objects.get().checksum == "sha256:051210"


def test_a_reprocessed_product_is_a_new_version_beside_the_old(arrivals: list[str]) -> None:
    actor = local_actor()
    new = services.store(described("05.12"), actor=actor, trigger="ingest").product
    old = services.store(described("05.00"), actor=actor, trigger="ingest").product
    again = services.store(described("05.12", second=59), actor=actor, trigger="ingest").product
    stand = {p.name: p.newest for p in Product.objects.all()}
    assert stand == {new.name: False, old.name: False, again.name: True}
    assert services.versions_of(old) == [again, new, old]
    assert len(arrivals) == 3


def test_products_with_the_same_configuration_share_one_set() -> None:
    services.store(described("05.12"), actor=local_actor(), trigger="ingest")
    services.store(described("05.11"), actor=local_actor(), trigger="ingest")
    assert GippSet.objects.count() == 1
    assert GippSet.objects.get().products.count() == 2


def test_what_is_no_product_is_refused_and_leaves_only_the_refusal(tmp_path) -> None:
    sent = tmp_path / "holiday.zip"
    sent.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    taken = services.take_in(str(sent), actor=local_actor())
    assert (taken.result, taken.product) == (Intake.Result.REFUSED, None)
    assert "holiday.zip" in Intake.objects.get().source
    assert Intake.objects.get().message
    assert Product.objects.count() == GippSet.objects.count() == 0


def test_who_has_no_role_takes_nothing_in(tmp_path) -> None:
    nobody = User.objects.create(username="visitor")
    with pytest.raises(PermissionDenied):
        services.take_in(str(tmp_path), actor=nobody)
    assert Intake.objects.count() == 0


def test_a_failing_receiver_takes_the_product_back(arrivals: list[str]) -> None:
    def explode(**kwargs):  # type: ignore[no-untyped-def]
        raise RuntimeError("no queue")

    product_arrived.connect(explode, weak=False)
    try:
        with pytest.raises(RuntimeError):
            services.store(described(), actor=local_actor(), trigger="ingest")
    finally:
        product_arrived.disconnect(explode)
    assert Product.objects.count() == Intake.objects.count() == 0


def test_old_and_new_generation_order_by_time_within_a_baseline() -> None:
    late = datetime(2026, 9, 1, 12, 4, 10, tzinfo=UTC) + timedelta(days=3)
    first = services.store(described(second=10, generation_time=late), actor=local_actor(), trigger="ingest").product
    services.store(described(second=11), actor=local_actor(), trigger="ingest")
    assert Product.objects.get(newest=True) == first
