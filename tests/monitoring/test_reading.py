"""Statistics, signs and windows of trends."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from mpc.monitoring import reading
from mpc.monitoring.models import Measurement, Series
from mpc.monitoring.reading import TooMany
from tests.monitoring.conftest import START, value

pytestmark = pytest.mark.django_db


def test_symbols_tell_apart_what_colour_and_place_do_not(make_product, measure):
    measure(
        make_product(),
        *(value(unit=unit, band=band) for unit in ("S2A", "S2B") for band in ("B02", "B03")),
        value(unit="S2A", band="B02", baseline="05.12"),
        value(unit="S2A", band="B02", level="L2A"),
    )
    series = list(Series.objects.all())
    signs = reading.signs_of(series)
    by_rest = {(s.level, s.baseline): signs[s.pk].glyph for s in series}
    assert by_rest == {("L1C", "05.11"): "●", ("L1C", "05.12"): "■", ("L2A", "05.11"): "◆"}
    same = {signs[s.pk] for s in series if (s.level, s.baseline) == ("L1C", "05.11")}
    assert len(same) == 1


def test_a_read_ends_one_row_after_the_limit(make_product, measure, django_assert_num_queries):
    measure(make_product(), *(value(band=band) for band in ("B02", "B03", "B04")))
    rows = Measurement.objects.values_list("pk")
    assert len(reading.bounded(rows, 3)) == 3
    with django_assert_num_queries(1) as asked, pytest.raises(TooMany, match="more than 2 values"):
        reading.bounded(rows, 2)
    assert "LIMIT 3" in asked[0]["sql"]


@pytest.mark.parametrize(
    ("counts", "days", "expected"),
    [
        ([20_000], 100, None),
        ([10_000, 10_000], 100, None),
        ([200_000], 100, (date(2026, 12, 6), None)),  # 2000 a day: five days hold 10 000
        ([100_000, 100_000], 100, (date(2026, 12, 6), None)),
        ([5_000_000], 100, (date(2026, 12, 10), None)),  # a day at least
    ],
)
def test_a_trend_opens_with_what_one_plot_holds(counts, days, expected):
    last = START + timedelta(days=days)
    series = [Series(count=count, first_time=START, last_time=last) for count in counts]
    assert reading.opening_window(series) == expected


def test_a_trend_with_a_mark_opens_around_it():
    series = [Series(count=200_000, first_time=START, last_time=START + timedelta(days=100))]
    around = START + timedelta(days=50)
    assert reading.opening_window(series, around) == (date(2026, 10, 18), date(2026, 10, 23))
    assert reading.opening_window([Series(count=5)], around) is None


def test_measurements_of_a_product_are_grouped_by_metric(mission, django_assert_num_queries):
    product = mission[0]
    with django_assert_num_queries(1):
        groups = reading.groups_of(Measurement.objects.filter(product=product, current=True))
    assert [(g.metric.code, [row.part for row in g.rows]) for g in groups] == [
        ("image.saturated_share", [""]),
        ("image.mean_reflectance", ["B02", "B8A"]),
    ]
    assert groups[0].why == "an exact count, no estimate"
    assert groups[1].why == ""  # B02 has an uncertainty, B8A has none
    assert (groups[1].low, groups[1].high) == (pytest.approx(0.1), pytest.approx(0.2))
    row = groups[1].rows[1]
    address = f"/trends/image.mean_reflectance/?level=L1C&band=B8A&mark={row.measurement.pk}"
    assert row.trend == address


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL rightly scans a table of a few rows")
def test_the_index_by_time_serves_a_trend(mission):
    series = list(Series.objects.values_list("pk", flat=True))
    points = Measurement.objects.filter(current=True, series__in=series, time__gte=timezone.now())
    plan = points.order_by().values_list("series_id", "time", "value").explain()
    assert "measurement_by_time" in plan
