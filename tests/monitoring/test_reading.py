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


def summary(**kwargs):
    series = list(Series.objects.all())
    return reading.summary_of(Measurement.objects.filter(current=True), series, **kwargs)


def test_statistics_of_a_series_are_those_of_its_values(make_product, measure):
    for day, number in enumerate((1.0, 2.0, 6.0, 3.0)):
        product = make_product(day=day)
        measure(product, value(number=number, time=product.sensing_start))
    found = summary()
    (one,) = found.statistics
    assert (one.count, one.mean, one.median, one.minimum, one.maximum, one.newest) == (4, 3.0, 2.5, 1.0, 6.0, 3.0)
    assert one.std == pytest.approx((14 / 3) ** 0.5)
    assert (one.first, one.last) == (START, START + timedelta(days=3))
    assert (found.count, found.uncertain, found.bands) == (4, False, ("",))


def test_one_value_has_no_spread_and_none_has_no_statistics(make_product, measure):
    assert summary().statistics == ()
    measure(make_product(), value())
    assert summary().statistics[0].std is None


def test_bands_stand_in_the_order_of_the_instrument(make_product, measure):
    measure(make_product(), *(value(band=band) for band in ("B12", "B09", "B8A", "B08", "B01")))
    assert summary().bands == ("B01", "B08", "B8A", "B09", "B12")


def test_a_mark_is_found_among_the_values(make_product, measure):
    measure(make_product(), value())
    pk = Measurement.objects.get().pk
    assert summary(mark=pk).marked
    assert not summary(mark=pk + 1).marked


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
