"""Measurements are stored once a series and product, and series know what they hold."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from mpc.monitoring import catalogue
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.services import UnfitMeasurement
from tests.monitoring.conftest import START, value

pytestmark = pytest.mark.django_db
LATER = START + timedelta(days=3)


@dataclasses.dataclass(frozen=True)
class Declared:
    code: str
    name: str
    unit: str = "%"
    description: str = "what it is"
    method: str = "how it is counted"


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
    ("values", "words"),
    [
        ([value(number=float("nan"))], "nan is no number"),
        ([value(number=float("inf"))], "inf is no number"),
        ([value(uncertainty=float("nan"))], "no standard uncertainty"),
        ([value(uncertainty=-1.0)], "no standard uncertainty"),
        ([value(band="B02"), value(band="B02", number=2.0)], "B02 L1C 05.11: two values for one product"),
    ],
)
def test_what_is_no_number_or_ambiguous_is_refused_with_its_name(make_product, measure, values, words):
    with pytest.raises(UnfitMeasurement, match=words):
        measure(make_product(), *values)
    assert not Measurement.objects.exists()
    assert not Series.objects.exists()


def test_a_run_that_measured_nothing_changes_nothing(make_product, measure, django_assert_num_queries):
    product = make_product()
    measure(product, value())
    measure(product)
    assert Measurement.objects.filter(current=True).count() == 1


def test_known_series_cost_a_fixed_number_of_statements(make_product, measure, make_run, django_assert_max_num_queries):
    bands = [f"B{n:02d}" for n in range(1, 13)]
    measure(make_product(day=0), *(value(band=band) for band in bands))
    product = make_product(day=1)
    # run, savepoint, series, lock, older, hide, store, counts, marks, release
    with django_assert_max_num_queries(10):
        measure(product, *(value(band=band, time=LATER) for band in bands))


def test_a_metric_takes_over_what_was_declared_and_keeps_up_with_it(make_product, measure, monkeypatch):
    monkeypatch.setattr(catalogue, "_declared", {})
    catalogue.declare_metrics([Declared("a.share", "A share")])
    measure(make_product(), value("a.share"), value("a.stranger"))
    metric = Metric.objects.get(code="a.share")
    assert (metric.name, metric.unit, metric.description, metric.method) == (
        *("A share", "%", "what it is", "how it is counted"),
    )
    assert Metric.objects.get(code="a.stranger").name == "a.stranger"
    catalogue.declare_metrics([Declared("a.share", "Another name")])
    catalogue.refresh_catalogue()
    assert Metric.objects.get(code="a.share").name == "Another name"


def test_the_sink_is_known_to_the_runs():
    from mpc.monitoring.services import store_measurements
    from mpc.runs.sinks import all_sinks

    assert store_measurements in all_sinks()
