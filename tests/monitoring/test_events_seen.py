"""What first comes in products becomes a mission event: once, at the earliest time, and left alone when edited."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from mpc.accounts.models import AuditEntry
from mpc.accounts.roles import Role
from mpc.monitoring.events import seen
from mpc.monitoring.events.derived import Seen, baseline_events, gipp_events, irradiance_events
from mpc.monitoring.events.services import withdraw_event
from mpc.monitoring.models import FirstSeen, MissionEvent
from mpc.products.models import GippSet, Product, ProductFacts
from mpc.products.signals import product_arrived
from tests import factories

E0 = {"B01": 1884.69, "B02": 1959.66}


def at(day: int) -> datetime:
    return datetime(2026, 9, day, 10, tzinfo=UTC)


# --- What follows from what came -------------------------------------------------------------------------------------
def test_the_oldest_baseline_is_no_change() -> None:
    found = baseline_events("S2A", [Seen("05.11", at(5), "P5"), Seen("05.10", at(1), "P1")])
    assert [(e.key, e.kind, e.title, e.start) for e in found] == [
        ("seen:baseline:S2A:05.10", "other", "Baseline 05.10 first seen", at(1)),
        ("seen:baseline:S2A:05.11", "baseline", "Baseline 05.11", at(5)),
    ]
    assert "it may have been in use before" in found[0].text
    assert found[1].text == "In products from 2026-09-05 10:00 UTC on, the first of them P5."


def entries(*pairs: str) -> list[list[str]]:
    return [[*pair.split(), "file"] for pair in pairs]


def test_gipps_that_no_older_product_had() -> None:
    found = gipp_events(
        "S2A",
        [
            Seen("c", at(9), "P9", entries(*(f"GIP_T{n:02d} 0001" for n in range(9)))),
            Seen("a", at(1), "P1", entries("GIP_R2ABCA 0001", "GIP_R2EQOG 0001", "GIP_PROBAS 0511")),
            Seen("b", at(5), "P5", entries("GIP_R2ABCA 0002", "GIP_R2EQOG 0001", "GIP_PROBAS 0512")),
        ],
    )
    assert [(e.key, e.kind, e.title) for e in found] == [
        ("seen:gipp:S2A:first", "other", "2 types of GIPP first seen"),
        ("seen:gipp:S2A:R2ABCA:0002", "gipp", "GIPP R2ABCA 0002"),
        ("seen:gipp:S2A:set:c", "gipp", "9 GIPPs changed"),
    ]
    assert found[2].text.startswith("T00 0001, T01 0001")


def test_a_changed_irradiance_table_says_which_bands_by_how_much() -> None:
    tables = [
        Seen("x", at(1), "P1", {"B01": 1913.57, "B02": 1941.63}),
        Seen("y", at(5), "P5", {"B01": 1884.69, "B02": 1941.63}),
    ]
    first, second = irradiance_events("S2A", tables)
    assert (first.kind, second.kind, second.bands) == ("other", "irradiance", ("B01",))
    assert second.text.startswith("B01 -1.51 %. ")


# --- What arrivals do ------------------------------------------------------------------------------------------------
pytestmark = pytest.mark.django_db


def arrive(
    day: int, baseline: str = "05.11", gipps: tuple[str, ...] = ("GIP_R2ABCA 0001",), **facts: object
) -> Product:
    sensed = at(day)
    name = f"S2A_MSIL1C_{sensed:%Y%m%dT%H%M%S}_{baseline}_{Product.objects.count()}"
    product = Product.objects.create(
        name=name, observation=name, kind="product", level="L1C", unit="S2A", baseline=baseline, sensing_start=sensed,
        path=name, container="folder", size=1, checksum=name, gipp_set=GippSet.of(entries(*gipps)),
        withdrawn_at=facts.get("withdrawn_at"),
    )  # fmt: skip
    ProductFacts.objects.create(product=product, solar_irradiance=facts.get("e0", E0))
    return product


def announce(product: Product) -> None:
    product_arrived.send(sender=Product, product=product, actor=None, trigger="ingest")


def titles(**narrow: object) -> list[str]:
    found = MissionEvent.objects.filter(origin="system", withdrawn_at=None, **narrow).order_by("start", "key")
    return [f"{e.start:%d} {e.title}" for e in found]


def test_an_arrival_that_brings_nothing_new_costs_one_query(django_assert_num_queries) -> None:
    announce(arrive(1))
    later = Product.objects.select_related("gipp_set", "facts").get(pk=arrive(2).pk)
    with django_assert_num_queries(1):
        seen.look_at_arrival(Product, later)
    assert titles() == [
        "01 Baseline 05.11 first seen", "01 1 type of GIPP first seen", "01 Irradiance table first seen",
    ]  # fmt: skip


def test_what_is_new_is_one_event_each() -> None:
    for product in (arrive(1), arrive(3, "05.12", ("GIP_R2ABCA 0002", "GIP_R2EQOG 0007")), arrive(4, "05.12")):
        announce(product)
    assert titles(start__gte=at(2)) == ["03 Baseline 05.12", "03 GIPP R2ABCA 0002", "03 GIPP R2EQOG 0007"]


def test_an_older_product_that_comes_later_puts_it_right() -> None:
    announce(arrive(5, "05.12", ("GIP_R2ABCA 0002",)))
    assert titles() == [
        "05 Baseline 05.12 first seen",
        "05 1 type of GIPP first seen",
        "05 Irradiance table first seen",
    ]
    announce(arrive(2, "05.11", ("GIP_R2ABCA 0001",)))
    assert titles() == [
        "02 Baseline 05.11 first seen", "02 1 type of GIPP first seen", "02 Irradiance table first seen",
        "05 Baseline 05.12", "05 GIPP R2ABCA 0002",
    ]  # fmt: skip
    announce(arrive(1, "05.12", ("GIP_R2ABCA 0002",)))
    assert titles(kind="baseline") == ["02 Baseline 05.11"]
    gone = MissionEvent.objects.get(key="seen:gipp:S2A:R2ABCA:0002")
    assert gone.withdrawn_why == "an older product has it too"


def test_what_a_person_changed_or_withdrew_stays() -> None:
    announce(arrive(1))
    announce(arrive(3, "05.12"))
    person = factories.person(Role.QC_ENGINEER)
    event = MissionEvent.objects.get(key="seen:baseline:S2A:05.12")
    withdraw_event(event, person, "a test baseline")
    announce(arrive(2, "05.12"))
    event.refresh_from_db()
    assert (event.withdrawn_why, event.start) == ("a test baseline", at(3))


def test_facts_that_are_missing_make_no_event() -> None:
    announce(arrive(1, baseline="", gipps=(), e0={}))
    assert titles() == []
    without_time = arrive(2)
    without_time.sensing_start = None
    announce(without_time)
    assert not FirstSeen.objects.exists()


def test_products_that_are_here_already_are_found_once() -> None:
    arrive(4, "05.12", ("GIP_R2ABCA 0002",))
    arrive(1)
    arrive(2, withdrawn_at=timezone.now())
    told = StringIO()
    call_command("find_events", stdout=told)
    assert titles(start__gte=at(2)) == ["04 Baseline 05.12", "04 GIPP R2ABCA 0002"]
    assert AuditEntry.objects.get(action="monitoring.events_backfill").after == {"found": 5}
    call_command("find_events", stdout=told)
    assert told.getvalue() == "5 first appearances kept\nnothing new\n"
    assert seen.look_at_all() == 0


def test_taking_products_in_makes_the_events(tmp_path) -> None:
    from mpc.accounts.actors import local_actor
    from mpc.products import services
    from processors.simulator.products import ProductSpec, write_product

    path = write_product(ProductSpec(size_10m=120, level="L1C"), tmp_path).path
    services.take_in(str(path), actor=local_actor())
    product = Product.objects.get()
    found = MissionEvent.objects.filter(origin="system", unit=product.unit)
    assert {e.start for e in found} == {product.sensing_start}
    assert f"Baseline {product.baseline} first seen" in {e.title for e in found}
