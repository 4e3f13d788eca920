"""What keeps long lists quick: days as moments, chips without distinct, keys before rows, indexes that answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import django_tables2 as tables
import pytest
from django.db import connection
from django.db.models import Count, QuerySet

from mpc.accounts.models import Organisation, User
from mpc.products.filters import ProductFilter
from mpc.products.models import Product
from mpc.runs.models import Run
from mpc.ui.paging import KeysFirstPaginator, by_keys
from qc.filters import ReportFilter
from qc.models import QualityReport

DAY = datetime(2026, 9, 14, tzinfo=UTC)


def make_product(number: int, sensed: datetime | None, **values: Any) -> Product:
    return Product.objects.create(
        **{
            "name": f"P{number}",
            "kind": "product",
            "level": "L1C",
            "unit": "S2B",
            "observation": f"o{number}",
            "sensing_start": sensed,
            "path": "/x",
            "container": "folder",
            "size": 1,
            "checksum": "",
            **values,
        }
    )


@pytest.fixture
def around_a_day(db: None) -> None:
    instant = timedelta(microseconds=1)
    moments = [
        DAY - instant,
        DAY,
        DAY + timedelta(hours=12),
        DAY + timedelta(days=1) - instant,
        DAY + timedelta(days=1),
    ]
    for number, moment in enumerate([*moments, None]):
        make_product(number, moment)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"since": "2026-09-14"}, {"P1", "P2", "P3", "P4"}),
        ({"until": "2026-09-14"}, {"P0", "P1", "P2", "P3"}),
        ({"since": "2026-09-14", "until": "2026-09-14"}, {"P1", "P2", "P3"}),
        ({"since": "2026-09-16"}, set()),
        ({"since": "0001-01-01"}, {"P0", "P1", "P2", "P3", "P4"}),
        ({"until": "9999-12-31"}, {"P0", "P1", "P2", "P3", "P4", "P5"}),
        ({}, {"P0", "P1", "P2", "P3", "P4", "P5"}),
    ],
)
def test_a_day_is_whole_and_in_utc(around_a_day: None, query: dict[str, str], names: set[str]) -> None:
    found = ProductFilter(query).qs
    assert {product.name for product in found} == names
    assert "django_datetime_cast_date" not in str(found.query)


def test_chips_ask_for_no_distinct_rows(db: None) -> None:
    assert "DISTINCT" not in str(ProductFilter({"unit": ["S2A", "S2B"], "status": ["FAILED"]}).qs.query)


@pytest.mark.parametrize("tile", ["32TNM", "T32TNM", "t32tnm", "32T"])
def test_a_tile_is_found_as_people_write_it(db: None, tile: str) -> None:
    make_product(1, DAY, tile="32TNM", tiles=["32TNM"])
    make_product(2, DAY, tile="33TNM", tiles=["33TNM"])
    make_product(3, DAY, tile="", tiles=["31TAA", "32TNM"])
    assert {product.name for product in ProductFilter({"tile": tile}).qs} == {"P1", "P3"}


# --- Keys before rows ------------------------------------------------------------------------------------------------
@pytest.fixture
def people(db: None) -> QuerySet[User]:
    organisation = Organisation.objects.create(name="O", short_name="O")
    for number in range(7):
        User.objects.create_user(f"u{number * 5 % 7}", password=None, organisation=organisation if number % 2 else None)
    return User.objects.filter(is_active=True).select_related("organisation").defer("password").order_by("-username")


def test_a_page_has_the_rows_of_the_usual_paginator(people: QuerySet[User], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        page = by_keys(people[2:5])
        assert [user.organisation and user.organisation.name for user in page] == [
            user.organisation_id and "O" for user in page
        ]
    assert [user.username for user in page] == ["u4", "u3", "u2"]
    assert all(user.get_deferred_fields() == {"password"} for user in page)
    assert by_keys(people[100:150]) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda people: people.annotate(n=Count("groups")),
        lambda people: people.distinct(),
        lambda people: people.values("username"),
        lambda people: people.extra(select={"n": "1"}),
    ],
)
def test_rows_that_are_more_than_their_table_are_asked_for_at_once(people: QuerySet[User], change: Any) -> None:
    page = change(people)[2:5]
    assert by_keys(page) is page


def test_other_data_than_querysets_are_paged_as_ever() -> None:
    class Numbers(tables.Table):
        n = tables.Column()

    page = KeysFirstPaginator(Numbers([{"n": n} for n in range(10)]).rows, 4).page(2)
    assert [row.record["n"] for row in page.object_list] == [4, 5, 6, 7]


# --- Indexes ---------------------------------------------------------------------------------------------------------
def plan_of(queryset: QuerySet[Any]) -> str:
    sql, parameters = queryset.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
        return "\n".join(row[3] for row in cursor.fetchall())


def keys(queryset: QuerySet[Any]) -> QuerySet[Any]:
    return queryset.values_list("pk", flat=True)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans are told as SQLite tells them")
@pytest.mark.parametrize(
    ("index", "queryset"),
    [
        ("product_newest_by_time", lambda: keys(Product.objects.in_use().filter(newest=True))),
        ("product_by_tile", lambda: keys(ProductFilter({"tile": "32TNM"}).qs.order_by("pk"))),
        ("report_current_by_time", lambda: keys(QualityReport.objects.filter(current=True))),
        ("report_current_by_verdict", lambda: keys(QualityReport.objects.filter(current=True, verdict="FAILED"))),
        ("check_by_status", lambda: keys(ReportFilter({"check": "a.b"}).qs)),
        (
            "run_by_state_request",
            lambda: keys(Run.objects.filter(state="failed", requested_at__gte=DAY).order_by("pk")),
        ),
        (
            "product_arrivals",
            lambda: (
                Product.objects.in_use()
                .filter(taken_in__gte=DAY)
                .order_by()
                .values("unit", "level", "status")
                .annotate(n=Count("pk"))
            ),
        ),
    ],
)
def test_lists_and_counts_find_their_index(db: None, index: str, queryset: Any) -> None:
    assert f"INDEX {index}" in plan_of(queryset())
