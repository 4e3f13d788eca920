"""``read_series``: which resolution, which points, how many queries, and that it is current without the roller."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mpc.monitoring.models import DirtyBucket, Measurement, Metric, Requirement, RequirementLimit, Rollup, Series
from mpc.monitoring.rollups import merging
from mpc.monitoring.rollups.marks import mark_times
from mpc.monitoring.rollups.reading import read_series
from mpc.monitoring.rollups.roller import Roller
from mpc.monitoring.services import hide_product
from tests.monitoring.conftest import START, value

pytestmark = pytest.mark.django_db
SHARE = "image.saturated_share"


@pytest.fixture
def quarter(make_product, make_run) -> list[Series]:
    """90 days of two bands, two values a day an hour apart: the day's number and a half more; rolled up."""
    run, metric = make_run(), Metric.objects.get(code=SHARE)
    bands = {"B02": (1, 0.5, 3), "B03": (-1, None, 100)}
    common = {"first_time": START, "last_time": START + timedelta(days=89, hours=1), "count": 180}
    series = {band: Series.objects.create(metric=metric, unit="S2B", band=band, **common) for band in bands}
    rows = []
    for day in range(90):
        for part in (0, 1):
            product = make_product(day=day, tile=f"33UU{'AB'[part]}")
            when = START + timedelta(days=day, hours=part)
            for band, (sign, uncertainty, samples) in bands.items():
                rows.append(
                    Measurement(
                        series=series[band], time=when, value=sign * (day + 0.5 * part), uncertainty=uncertainty,
                        samples=samples, run=run, product=product, job_kind="qc.product",
                    )
                )  # fmt: skip
    Measurement.objects.bulk_create(rows)
    mark_times((row.series_id, row.time) for row in rows)
    Roller().roll_all()
    return list(Series.objects.order_by("band"))


@pytest.mark.parametrize(
    ("points", "asked", "resolution", "count", "words"),
    [
        (360, "auto", "value", 360, "Each value is drawn: 360 fit"),
        (359, "auto", "day", 180, "Each point is a day: 360 values are too many"),
        (180, "auto", "day", 180, "Each point is a day"),
        (179, "auto", "month", 6, "Each point is a month: 360 values and 180 days are too many"),
        (1, "auto", "month", 6, "Each point is a month"),
        (360, "day", "day", 180, "Each point is a day: as asked."),
        (360, "month", "month", 6, "Each point is a month, as asked."),
        (359, "value", "day", 180, "360 values are too many"),
        (100, "value", "month", 6, "too many"),
    ],
)
def test_the_finest_resolution_that_fits_is_taken_and_said(quarter, points, asked, resolution, count, words):
    found = read_series(quarter, None, None, max_points=points, resolution=asked)
    assert (found.resolution, found.points) == (resolution, count)
    assert words in found.why


def test_a_shorter_time_is_finer(quarter):
    since = START.replace(hour=0, minute=0, second=0)
    found = read_series(quarter, since, since + timedelta(days=10), max_points=40)
    assert (found.resolution, found.points) == ("value", 40)


def test_values_with_what_lies_behind_them(quarter):
    b02, b03 = quarter
    arrays = read_series([b02, b03], START, START + timedelta(days=1)).by_series[b02.pk]
    assert arrays.times.tolist() == [
        START.replace(tzinfo=None),
        START.replace(tzinfo=None) + timedelta(hours=1),
    ]
    assert arrays.value.tolist() == [0.0, 0.5]
    assert arrays.uncertainty.tolist() == [0.5, 0.5]
    assert arrays.samples.tolist() == [3, 3]
    rows = list(Measurement.objects.filter(series=b02).order_by("time")[:2].select_related("product"))
    assert arrays.pk.tolist() == [row.pk for row in rows]
    assert arrays.run.tolist() == [row.run_id for row in rows]
    assert arrays.product.tolist() == [row.product_id for row in rows]
    assert arrays.product_name.tolist() == [row.product.name for row in rows]
    assert arrays.job_kind.tolist() == ["qc.product"] * 2


def test_days_stand_at_noon_and_months_in_their_middle(quarter):
    b02 = quarter[0]
    days = read_series([b02], START, START + timedelta(days=1, hours=3), resolution="day").by_series[b02.pk]
    assert days.times.tolist() == [datetime(2026, 9, 1, 12), datetime(2026, 9, 2, 12)]  # noqa: DTZ001
    assert days.value.tolist() == [0.25, 1.25]
    assert (days.low.tolist(), days.high.tolist()) == ([0.025, 1.025], pytest.approx([0.475, 1.475]))
    assert (days.minimum.tolist(), days.maximum.tolist()) == ([0.0, 1.0], [0.5, 1.5])
    assert days.uncertainty.tolist() == pytest.approx([0.5 / 2**0.5] * 2)
    assert (days.count.tolist(), days.samples.tolist(), days.pk) == ([2, 2], [6, 6], None)
    months = read_series([b02], None, None, resolution="month").by_series[b02.pk]
    assert months.times.tolist() == [
        datetime(2026, 9, 16), datetime(2026, 10, 16, 12), datetime(2026, 11, 16),  # noqa: DTZ001
    ]  # fmt: skip
    assert months.times.astype("datetime64[M]").astype(str).tolist() == ["2026-09", "2026-10", "2026-11"]
    assert months.count.tolist() == [60, 62, 58]


@pytest.mark.parametrize("resolution", ["value", "day", "month"])
def test_a_plot_is_current_before_the_roller_came(quarter, make_product, measure, resolution):
    measure(
        make_product(day=200), value(SHARE, 7.0, band="B02", level="", baseline="", time=START + timedelta(days=200))
    )
    measure(
        make_product(day=5, tile="33UUX"),
        value(SHARE, 100.0, band="B02", level="", baseline="", time=START + timedelta(days=5)),
    )
    hide_product(make_product(day=60, tile="33UUY").pk)
    hide_product(Measurement.objects.filter(time__date=date(2026, 9, 2)).first().product_id)
    fresh = list(Series.objects.filter(level="").order_by("band"))
    before = read_series(fresh, None, None, resolution=resolution)
    assert DirtyBucket.objects.exists()
    Roller().roll_all()
    after = read_series(fresh, None, None, resolution=resolution)
    for key, arrays in after.by_series.items():
        for name in ("times", "value", "mean", "low", "high", "uncertainty", "count", "samples"):
            np.testing.assert_array_equal(getattr(before.by_series[key], name), getattr(arrays, name))
    assert 100.0 in after.by_series[fresh[0].pk].maximum


def test_too_much_that_waits_is_said(quarter, monkeypatch):
    b02 = quarter[0]
    DirtyBucket.objects.create(series=b02, day=START.date())
    monkeypatch.setattr(merging, "MERGED_VALUES", 3)
    assert "still being reckoned" in read_series(quarter, None, None, resolution="month").why
    assert "still being reckoned" not in read_series(quarter, None, None, resolution="day").why


def test_many_marks_are_few_stretches_of_time():
    odd = np.arange(0, 20, 2)
    assert len(merging._stretches(odd, "day")) == 10
    assert merging._stretches(np.arange(0, 20), "day") == [(date(1970, 1, 1), date(1970, 1, 21))]
    many = np.arange(0, 400, 2)
    assert merging._stretches(many, "day") == [(date(1970, 1, 1), date(1971, 3, 1))]
    assert merging._stretches(np.array([0, 59]), "month") == [
        (date(1970, 1, 1), date(1970, 2, 1)), (date(1970, 3, 1), date(1970, 4, 1)),
    ]  # fmt: skip


def test_values_outside_of_limits_are_told_at_every_resolution(quarter):
    requirement = Requirement.objects.create(
        code="r", title="r", metric=Metric.objects.get(code=SHARE), statistic="max", document="d"
    )
    RequirementLimit.objects.create(requirement=requirement, band="B02", high=87.9)
    Roller().roll_all()
    for resolution in ("value", "day", "month"):
        found = read_series(quarter, None, None, resolution=resolution)
        assert [found.by_series[s.pk].out_of_limits.sum() for s in quarter] == [4, 0]  # 88, 88.5, 89, 89.5


def test_nothing_there_and_nothing_in_the_time(quarter):
    nobody = Series.objects.create(metric=Metric.objects.get(code=SHARE), unit="S2C")
    found = read_series([nobody, quarter[0]], datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC))
    assert (found.resolution, found.points) == ("value", 0)
    assert found.why == "There is no value in this time."
    assert read_series([nobody], None, None).why == "There is no value yet."
    assert read_series([], None, None, resolution="day").by_series == {}
    assert len(read_series([nobody], None, None, resolution="month").by_series[nobody.pk]) == 0


def test_an_unknown_resolution_is_refused(quarter):
    with pytest.raises(ValueError, match="unknown resolution “week”; known are auto, value, day, month"):
        read_series(quarter, None, None, resolution="week")


@pytest.mark.parametrize("points", [1000, 200, 10])
@pytest.mark.parametrize("marked", [False, True])
def test_queries_do_not_grow_and_no_series_is_read_by_itself(quarter, points, marked):
    if marked:
        DirtyBucket.objects.bulk_create(DirtyBucket(series=s, day=START.date()) for s in quarter)
    counted = []
    for chosen in (quarter[:1], quarter):
        with CaptureQueriesContext(
            connection,
        ) as sql:
            read_series(chosen, None, None, max_points=points)
        counted.append(len(sql))
    assert max(counted) <= 6


def test_a_short_plot_is_right_where_the_rollups_know_nothing_yet(make_product, measure):
    for day in range(30):
        measure(make_product(day=day), value(SHARE, day, time=START + timedelta(days=day)))
    assert not Rollup.objects.exists()
    series = list(Series.objects.all())
    assert (read_series(series, None, None, max_points=20).resolution) == "month"
    days = read_series(series, None, None, resolution="day")
    assert days.by_series[series[0].pk].value.tolist() == list(range(30))
