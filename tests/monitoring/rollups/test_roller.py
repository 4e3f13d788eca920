"""Marks are left by what changes values, and taken by the roller, after which the buckets are true."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from mpc.jobs import periodic_steps
from mpc.monitoring.models import DirtyBucket, Metric, Requirement, RequirementLimit, Rollup, Series
from mpc.monitoring.rollups import roller
from mpc.monitoring.rollups.roller import Roller, rebuild
from mpc.monitoring.services import hide_product, show_product
from tests.monitoring.conftest import START, value
from tests.monitoring.rollups.truth import assert_true, stored

pytestmark = pytest.mark.django_db


def marks() -> list[tuple[str, date | None]]:
    return sorted(DirtyBucket.objects.values_list("series__band", "day").distinct())


def test_a_day_and_a_month_by_hand(make_product, measure):
    for hour, number in enumerate((4.0, 1.0, 2.0, 3.0)):
        when = START + timedelta(hours=hour)
        measure(make_product(tile=f"33UU{hour}"), value(number=number, uncertainty=0.5, time=when, samples=10))
    measure(make_product(day=40), value(number=8.0, time=START + timedelta(days=40)))
    assert Roller().roll_all() == 5
    rows = {(r.resolution, r.start): r for r in Rollup.objects.all()}
    assert rows.keys() == {
        *(("day", date(2026, 9, 1)), ("month", date(2026, 9, 1)), ("day", date(2026, 10, 11))),
        ("month", date(2026, 10, 1)),
    }
    for place in (("day", date(2026, 9, 1)), ("month", date(2026, 9, 1))):
        one = rows[place]
        assert (one.count, one.samples, one.mean, one.median, one.minimum, one.maximum) == (4, 40, 2.5, 2.5, 1.0, 4.0)
        assert (one.p05, one.p95) == pytest.approx((1.15, 3.85))
        assert (one.spread, one.uncertainty) == pytest.approx(((5 / 3) ** 0.5, 0.25))
    assert (rows["month", date(2026, 10, 1)].spread, rows["month", date(2026, 10, 1)].uncertainty) == (None, None)


def test_the_day_is_that_of_utc(measure):
    when = datetime.fromisoformat("2026-09-02T01:30:00+03:00")
    measure(None, value(time=when), kind="calibration.dark")
    assert marks() == [("", date(2026, 9, 1))]
    Roller().roll_all()
    assert set(Rollup.objects.values_list("start", flat=True)) == {date(2026, 9, 1)}


def test_writing_superseding_hiding_and_showing_leave_marks_and_the_roller_takes_them(make_product, measure):
    product = make_product()
    steps = [
        lambda: measure(product, value(band="B02"), value(band="B03", number=5.0)),
        lambda: measure(product, value(band="B02", number=3.0, time=START + timedelta(days=1))),
        lambda: hide_product(product.pk),
        lambda: show_product(product.pk),
    ]
    left = [
        [("B02", date(2026, 9, 1)), ("B03", date(2026, 9, 1))],
        [("B02", date(2026, 9, 1)), ("B02", date(2026, 9, 2))],
        [("B02", date(2026, 9, 2)), ("B03", date(2026, 9, 1))],
        [("B02", date(2026, 9, 2)), ("B03", date(2026, 9, 1))],
    ]
    for step, wanted in zip(steps, left, strict=True):
        step()
        assert marks() == wanted
        Roller().roll_all()
        assert not DirtyBucket.objects.exists()
        assert_true()
    assert Rollup.objects.count() == 4


def test_a_mark_that_comes_while_the_roller_works_stays(make_product, measure, monkeypatch):
    measure(make_product(), value())
    series = Series.objects.get()
    honest = roller.read_values

    def interrupted(*args, **kwargs):
        DirtyBucket.objects.create(series=series, day=date(2026, 9, 1))
        return honest(*args, **kwargs)

    monkeypatch.setattr(roller, "read_values", interrupted)
    assert roller.roll_batch(100) == 1
    assert marks() == [("", date(2026, 9, 1))]


def test_when_limits_change_what_lies_outside_is_counted_anew(mission):
    Roller().roll_all()
    requirement = Requirement.objects.create(
        code="r", title="r", metric=Metric.objects.get(code="image.saturated_share"), statistic="max", document="d"
    )
    limit = RequirementLimit.objects.create(requirement=requirement, high=0.7)
    Roller().roll_all()
    outside = Rollup.objects.filter(resolution="month", series__metric="image.saturated_share")
    assert list(outside.values_list("out_of_limits", flat=True)) == [2, 2]  # 0, 0.5, 1.0, 1.5
    limit.high = 1.2
    limit.save()
    Roller().roll_all()
    assert list(outside.values_list("out_of_limits", flat=True)) == [1, 1]
    requirement.metric = Metric.objects.get(code="image.mean_reflectance")
    requirement.save()
    Roller().roll_all()
    assert not Rollup.objects.filter(out_of_limits__gt=0).exists()
    requirement.metric = Metric.objects.get(code="image.saturated_share")
    requirement.save()
    requirement.delete()
    Roller().roll_all()
    assert not Rollup.objects.filter(out_of_limits__gt=0).exists()
    assert not DirtyBucket.objects.exists()


@pytest.mark.parametrize("span", [5, 40_000])
def test_a_rebuild_says_what_the_roller_said_and_mends_what_is_wrong(make_product, measure, monkeypatch, span):
    monkeypatch.setattr(roller, "SPAN_VALUES", span)
    for day in range(0, 200, 9):
        measure(make_product(day=day), value(number=day / 7, uncertainty=0.1, time=START + timedelta(days=day)))
    Roller().roll_all()
    right = stored()
    assert_true()
    Rollup.objects.filter(resolution="day").update(mean=0)
    Rollup.objects.filter(resolution="month").first().delete()
    Rollup.objects.create(
        series=Series.objects.get(), resolution="day", start=date(2020, 1, 1), count=1, samples=1, mean=1, median=1,
        p05=1, p95=1, minimum=1, maximum=1,
    )  # fmt: skip
    assert rebuild() == 23
    assert stored() == right


def test_batches_are_small_and_many_months_take_several(make_product, measure):
    for day in range(0, 31 * 20, 31):
        measure(make_product(day=day), value(time=START + timedelta(days=day)))
    taken = []
    one = Roller()
    while found := one.roll():
        taken.append(found)
    assert len(taken) == 2
    assert sum(taken) == 20
    assert_true()


def test_the_command_rolls_and_rebuilds(make_product, measure, capsys):
    measure(make_product(), value())
    call_command("roll_up")
    assert capsys.readouterr().out == "1 marks taken\n"
    call_command("roll_up", "--rebuild", "--series", str(Series.objects.get().pk))
    assert capsys.readouterr().out == "1 values reckoned anew\n"
    for wrong, words in ((["--series", "1"], "goes with"), (["--rebuild", "--series", "99999"], "no series 99999")):
        with pytest.raises(CommandError, match=words):
            call_command("roll_up", *wrong)


def test_the_sweeper_rolls(make_product, measure):
    measure(make_product(), value())
    step = next(step for step in periodic_steps() if step.name == "monitoring.roll_up")
    assert step.period_s <= 10
    step.function()
    assert not DirtyBucket.objects.exists()
    assert_true()


def test_times_of_the_database_are_whole_seconds_rounded_down(measure):
    from mpc.monitoring.models import Measurement
    from mpc.monitoring.rollups.times import Epoch, EpochDay

    when = datetime(2026, 9, 1, 23, 59, 59, 999999, tzinfo=UTC)
    old = datetime(1969, 12, 31, 12, 0, 0, tzinfo=UTC)
    measure(None, value(time=when), value(time=old), kind="calibration.dark")
    seconds = Measurement.objects.order_by("time").values_list(Epoch("time"), flat=True)
    assert list(seconds) == [-43200, int(when.timestamp())]
    Roller().roll_all()
    days = Rollup.objects.filter(resolution="day").order_by("start").values_list(EpochDay("start"), flat=True)
    assert list(days) == [-1, (date(2026, 9, 1) - date(1970, 1, 1)).days]
    assert connection.vendor in ("sqlite", "postgresql")
