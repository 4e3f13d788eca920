"""Measurements are stored once a series and product, and series know what they hold."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from mpc.monitoring.models import Measurement, Metric, RefusedMeasurement, Series
from tests.monitoring.conftest import START, value

pytestmark = pytest.mark.django_db
LATER = START + timedelta(days=3)


def kept(series: Series) -> tuple[object, ...]:
    series.refresh_from_db()
    return series.count, series.first_time, series.last_time


def test_a_value_becomes_a_row_of_its_series(make_product, measure):
    product = make_product()
    run = measure(product, value("image.mean_reflectance", 0.211, band="B04", uncertainty=0.006, samples=7))
    series = Series.objects.get()
    assert (series.metric_id, series.unit, series.band, series.detector) == ("image.mean_reflectance", "S2B", "B04", "")
    assert (series.level, series.baseline, series.site) == ("L1C", "05.11", "")
    stored = series.measurements.get()
    assert (stored.value, stored.uncertainty, stored.samples, stored.no_uncertainty) == (0.211, 0.006, 7, "")
    assert (stored.run, stored.product, stored.job_kind, stored.current) == (run, product, "qc.product", True)
    assert kept(series) == (1, START, START)


def test_the_newest_run_supersedes_and_the_older_value_stays(make_product, measure):
    product = make_product()
    first = measure(product, value(number=1.0))
    second = measure(product, value(number=2.0))
    rows = Measurement.objects.order_by("pk").values_list("run", "value", "current")
    assert list(rows) == [(first.pk, 1.0, False), (second.pk, 2.0, True)]
    assert kept(Series.objects.get()) == (1, START, START)


def test_what_a_later_run_did_not_measure_again_stays(make_product, measure):
    product = make_product()
    measure(product, value(band="B02"), value(band="B03"))
    measure(product, value(band="B02", number=5.0))
    assert set(Measurement.objects.filter(current=True).values_list("series__band", "value")) == {
        ("B02", 5.0),
        ("B03", 1.0),
    }


def test_two_products_and_two_kinds_of_job_stand_side_by_side(make_product, measure):
    one, other = make_product(day=0), make_product(day=1)
    measure(one, value())
    measure(other, value(time=LATER))
    measure(one, value(), kind="validation.pics")
    assert Measurement.objects.filter(current=True).count() == 3
    assert kept(Series.objects.get()) == (3, START, LATER)


def test_without_a_product_the_time_is_the_key(measure):
    kind = "calibration.dark"
    measure(None, value(number=1.0), value(number=2.0, time=LATER), kind=kind)
    measure(None, value(number=3.0), kind=kind)
    current = Measurement.objects.filter(current=True).order_by("time")
    assert list(current.values_list("time", "value")) == [(START, 3.0), (LATER, 2.0)]


def test_times_of_one_series_do_not_hide_those_of_another(measure):
    kind = "calibration.dark"
    measure(None, value(band="B02", number=1.0), value(band="B03", number=2.0, time=LATER), kind=kind)
    measure(None, value(band="B02", number=3.0, time=LATER), value(band="B03", number=4.0), kind=kind)
    assert Measurement.objects.filter(current=True).count() == 4
    assert [s.count for s in Series.objects.all()] == [2, 2]


def test_the_ends_of_a_series_follow_a_value_that_moved(make_product, measure):
    product = make_product()
    measure(make_product(day=9), value(time=START))
    measure(product, value(time=LATER))
    measure(product, value(time=START + timedelta(hours=1)))
    assert kept(Series.objects.get()) == (2, START, START + timedelta(hours=1))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (value(number=float("nan")), "nan is no number; a job leaves out what it could not measure"),
        (value(number=float("-inf")), "-inf is no number; a job leaves out what it could not measure"),
        (value(uncertainty=float("nan")), "the uncertainty nan is no standard uncertainty"),
        (value(uncertainty=-1.0), "the uncertainty -1.0 is no standard uncertainty"),
        (value(in_unit="deg"), "it is in deg, and the metric is in %"),
        (value("image.mean_reflectance", in_unit="%"), "it is in %, and the metric is a pure number"),
        (value("a.stranger"), "no job declares this metric, so nobody knows what it measures"),
        (value(band="B02", number=2.0), "the run has another value of this series for this product, which was kept"),
        (value(site="x" * 41), "its site is longer than 40 characters or cannot be printed"),
        (value(site="\x00"), "its site is longer than 40 characters or cannot be printed"),
        (value(samples=2**63), "the sample size 9223372036854775808 is too large to be true"),
    ],
)
def test_what_cannot_stand_in_a_series_is_refused_and_the_rest_kept(make_product, measure, wrong, reason):
    run = measure(make_product(), value(band="B02"), wrong, value(band="B03", in_unit="%"))
    kept_values = Measurement.objects.order_by("series__band").values_list("series__band", "value")
    assert list(kept_values) == [("B02", 1.0), ("B03", 1.0)]
    assert not Metric.objects.filter(code="a.stranger").exists()
    refused = RefusedMeasurement.objects.get()
    assert (refused.run, refused.metric, refused.value) == (run, wrong.metric, repr(wrong.value))
    assert refused.reason == reason
    line = run.log_lines.get()
    assert (line.level, line.attempt) == ("warning", run.attempt)
    assert line.text.startswith(f"Measurement refused. {wrong.metric} S2B L1C 05.11")
    assert line.text.endswith(reason)


def test_two_values_of_one_series_at_one_time_without_a_product(measure):
    other_zone = START.astimezone(timezone(timedelta(hours=2)))
    measure(None, value(number=1.0), value(number=2.0, time=other_zone), value(number=3.0, time=LATER), kind="a.b")
    assert list(Measurement.objects.order_by("time").values_list("value", flat=True)) == [1.0, 3.0]
    assert RefusedMeasurement.objects.get().reason == (
        "the run has another value of this series at 2026-09-01T10:10:11+00:00, which was kept"
    )


def test_a_run_whose_values_are_all_refused_is_kept(make_product, measure):
    run = measure(make_product(), *(value(number=float("nan"), band=band) for band in ("B02", "B03")))
    assert (run.refused_measurements.count(), run.log_lines.count()) == (2, 2)
    assert not Series.objects.exists()


def test_many_refusals_leave_a_few_lines_and_all_rows(make_product, measure):
    run = measure(make_product(), *(value("a.stranger", detector=f"{n:02d}") for n in range(99)))
    assert run.refused_measurements.count() == 99
    assert run.log_lines.count() == 51
    assert run.log_lines.last().text == "49 more measurements were refused; the page of the run names them."


def test_a_time_of_another_zone_is_kept_in_utc(measure):
    measure(None, value(time=datetime.fromisoformat("2026-09-02T01:30:00+03:00")), kind="a.b")
    assert Measurement.objects.get().time.isoformat() == "2026-09-01T22:30:00+00:00"


def test_a_run_that_measured_nothing_changes_nothing(make_product, measure, django_assert_num_queries):
    product = make_product()
    measure(product, value())
    measure(product)
    assert Measurement.objects.filter(current=True).count() == 1


def test_known_series_cost_a_fixed_number_of_statements(make_product, measure, make_run, django_assert_max_num_queries):
    bands = [f"B{n:02d}" for n in range(1, 13)]
    measure(make_product(day=0), *(value(band=band) for band in bands))
    product = make_product(day=1)
    # run, savepoint, metrics, series, lock, older, hide, store, counts, marks, release
    with django_assert_max_num_queries(11):
        measure(product, *(value(band=band, time=LATER) for band in bands))


def test_the_sink_is_known_to_the_runs():
    from mpc.monitoring.services import store_measurements
    from mpc.runs.sinks import all_sinks

    assert store_measurements in all_sinks()
