"""The cells of the matrix: what they are of, what they are judged by, and when they are reckoned again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from mpc.accounts.models import AuditEntry
from mpc.accounts.roles import Role
from mpc.jobs import periodic_steps
from mpc.monitoring.compliance import reading
from mpc.monitoring.compliance.recompute import keep_current, recompute
from mpc.monitoring.models import Compliance, Measurement, Metric, Requirement, RequirementLimit, Series, Waiver
from tests import factories
from tests.monitoring.conftest import value

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def units(settings):
    settings.MPC_UNITS = ("S2A", "S2B")


def metric(code: str = "t.deviation", **fields: object) -> Metric:
    return Metric.objects.get_or_create(code=code, defaults={"name": code, "unit": "%", **fields})[0]


def requirement(code: str = "T", of: Metric | None = None, **fields: object) -> Requirement:
    limits = fields.pop("limits", [{"high": 5.0}])
    own = {"title": code, "document": "SRD", "statistic": "mean", "window_days": 365}
    made = Requirement.objects.create(code=code, metric=of or metric(), **{**own, **fields})
    for limit in limits:
        RequirementLimit.objects.create(requirement=made, **limit)
    return made


@pytest.fixture
def measured(measure):
    """Stores values of t.deviation, the newest yesterday and one every ten days before."""

    def store(*numbers: float, code: str = "t.deviation", **part: object) -> None:
        times = [NOW - timedelta(days=1 + 10 * i) for i in range(len(numbers))]
        values = [value(code, n, time=t, uncertainty=0.05, **part) for n, t in zip(numbers, times, strict=True)]
        measure(None, *values, kind="test.validation")

    return store


def cell(unit: str = "S2B", band: str = "", code: str = "T") -> Compliance:
    return Compliance.objects.get(requirement__code=code, unit=unit, band=band)


# --- What they are of ------------------------------------------------------------------------------------------------
def test_every_unit_has_a_cell_and_what_nothing_measured_says_so(measured) -> None:
    requirement()
    measured(2.0, 2.1, 1.9)
    assert recompute(now=NOW) == 2
    assert (cell("S2A").state, cell("S2A").why) == ("not_measured", "nothing has measured it yet")
    found = cell("S2B")
    assert (found.state, found.count, found.value) == ("met", 3, pytest.approx(2.0))
    assert (found.margin, found.first_time, found.last_time) == (
        pytest.approx(3.0), NOW - timedelta(days=21), NOW - timedelta(days=1),
    )  # fmt: skip


def test_a_unit_that_is_new_comes_by_itself(measured) -> None:
    requirement()
    measured(2.0, 2.1, 1.9, unit="S2D")
    recompute(now=NOW)
    assert sorted(Compliance.objects.values_list("unit", flat=True)) == ["S2A", "S2B", "S2D"]


def test_a_metric_by_band_has_a_cell_for_each_band_of_a_limit(measured) -> None:
    snr = metric("t.snr", per_band=True, unit="")
    requirement("SNR", snr, limits=[{"band": "B02", "low": 154.0}, {"band": "B03", "low": 168.0}])
    requirement("ALL", snr, limits=[{"low": 10.0}])
    requirement("L2A", snr, limits=[{"low": 10.0}], level="L2A")
    measured(200.0, 201.0, 199.0, code="t.snr", band="B02")
    recompute(now=NOW)
    states = {c.band: c.state for c in Compliance.objects.filter(requirement__code="SNR", unit="S2B")}
    assert states == {"B02": "met", "B03": "not_measured"}
    assert Compliance.objects.filter(requirement__code="ALL", unit="S2B").count() == 13
    assert Compliance.objects.filter(requirement__code="L2A", unit="S2B").count() == 12
    assert cell("S2B", "B02", "L2A").state == "not_measured", "the values are of L1C"


def test_a_limit_of_one_unit_and_band_stands_above_the_others(measured) -> None:
    by_band = metric("t.snr", per_band=True)
    requirement("R", by_band, limits=[{"high": 5.0}, {"unit": "S2B", "band": "B02", "high": 1.0}])
    measured(2.0, 2.0, 2.0, code="t.snr", band="B02")
    measured(2.0, 2.0, 2.0, code="t.snr", band="B02", unit="S2A")
    recompute(now=NOW)
    assert (cell("S2A", "B02", "R").state, cell("S2B", "B02", "R").state) == ("met", "breached")


def test_a_requirement_that_does_not_hold_today_has_no_cells(measured) -> None:
    old = requirement(valid_to=NOW.date())
    recompute(now=NOW)
    assert Compliance.objects.count() == 2
    recompute(now=NOW + timedelta(days=1))
    assert Compliance.objects.count() == 0
    old.delete()
    assert recompute(now=NOW) == 0


# --- What they are judged by -----------------------------------------------------------------------------------------
def test_what_is_declared_feeds_no_compliance(measured) -> None:
    requirement()
    Metric.objects.filter(code="t.deviation").update(declared=True)
    measured(2.0, 2.1, 1.9)
    recompute(now=NOW)
    assert (cell().state, cell().value) == ("not_measured", None)
    assert "what is declared is not measured" in cell().why


def test_only_shown_values_of_the_window_count(measured, measure) -> None:
    requirement(window_days=15)
    measured(2.0, 2.1, 90.0)  # the third is 21 days old
    recompute(now=NOW)
    assert (cell().state, cell().count) == ("too_few", 2)
    measured(3.0)  # supersedes the newest
    Measurement.objects.filter(value=2.1).update(withdrawn=True)
    recompute(everything=True, now=NOW)
    assert cell().count == 1


def test_detectors_and_sites_are_judged_together(measured) -> None:
    requirement(statistic="each")
    measured(2.0, 2.1, detector="01")
    measured(7.0, detector="07")
    measured(1.0, site="Libya-4")
    recompute(now=NOW)
    assert (cell().state, cell().count, cell().value) == ("breached", 4, 7.0)


def test_a_difference_of_level_between_detectors_is_no_slope(measure) -> None:
    requirement()
    times = [NOW - timedelta(days=20 * i + 1) for i in range(12)]
    early, late = times[6:], times[:6]
    measure(None, *[value("t.deviation", 1.0, time=t, detector="01") for t in early], kind="test.validation")
    measure(None, *[value("t.deviation", 3.0, time=t, detector="02") for t in late], kind="test.validation")
    recompute(now=NOW)
    assert (cell().slope, cell().breach_on) == (0.0, None)


def test_more_values_than_are_read_are_told_of(measured, monkeypatch) -> None:
    requirement()
    measured(2.0, 2.0, 2.0, 9.0)
    monkeypatch.setattr(reading, "MOST_VALUES", 3)
    recompute(now=NOW)
    assert (cell().count, cell().value) == (3, 2.0)
    assert "older ones were not read" in cell().why


# --- Waivers ---------------------------------------------------------------------------------------------------------
def waiver(**fields: object) -> Waiver:
    days = {"valid_from": NOW.date(), "valid_to": NOW.date() + timedelta(days=9)}
    return Waiver.objects.create(title="Ageing diffuser", reason="known", **{**days, **fields})


def test_a_breach_is_waived_and_named_until_the_last_day(measured) -> None:
    of = requirement()
    measured(7.0, 7.0, 7.0)
    recompute(now=NOW)
    assert cell().state == "breached"
    given = waiver(requirement=of, unit="S2B")
    recompute(everything=True, now=NOW)
    assert (cell().state, cell().waiver) == ("waived", given)
    assert cell().why.startswith("waived until 2026-12-07 (Ageing diffuser): the mean of 3 values is 7")
    recompute(now=NOW + timedelta(days=10))
    assert (cell().state, cell().waiver) == ("breached", None)


def test_a_waiver_of_a_detector_excuses_what_is_met_without_it(measured) -> None:
    of = requirement(statistic="each")
    measured(2.0, detector="01")
    measured(7.0, detector="07")
    waiver(requirement=of, detector="07")
    recompute(now=NOW)
    assert cell().state == "waived"
    measured(8.0, detector="02")
    recompute(everything=True, now=NOW)
    assert cell().state == "breached"


# --- When ------------------------------------------------------------------------------------------------------------
def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def quiet() -> None:
    """Nothing that people changed is recent."""
    for history in (Requirement.history, RequirementLimit.history, Metric.history, Waiver.history):
        history.update(history_date=NOW - timedelta(days=2))


def test_nothing_is_reckoned_while_nothing_changes(django_assert_max_num_queries) -> None:
    requirement()
    quiet()
    assert recompute(now=NOW) == 2
    with django_assert_max_num_queries(8):
        assert recompute(now=NOW + minutes(1)) == 0


@pytest.mark.parametrize(
    ("written", "reckoned", "due"),
    [
        (-60, -10, False),
        (-9, -10, True),
        (-11, -10, True),  # its transaction may have ended after the cell was reckoned
        (-12.1, -10, False),
        (-0.2, -0.5, False),  # the cell rests for a minute
        (-0.2, -1, True),
    ],
)
def test_new_values_let_their_cells_be_reckoned(measured, written: float, reckoned: float, due: bool) -> None:
    requirement()
    measured(2.0, 2.0, 2.0)
    quiet()
    recompute(now=NOW)
    assert Series.objects.get().changed_at is not None
    Series.objects.update(changed_at=NOW + minutes(written))
    Compliance.objects.update(computed_at=NOW + minutes(reckoned))
    assert recompute(now=NOW) == due


def test_changed_limits_metrics_and_waivers_let_their_cells_be_reckoned() -> None:
    of, _ = requirement("T"), requirement("OTHER", metric("t.other"))
    given = waiver(metric=metric("t.other"), unit="S2A")
    limit = RequirementLimit.objects.get(requirement=of)
    recompute(now=NOW)
    for row, count in ((of, 2), (limit, 2), (metric("t.other"), 2), (given, 1)):
        quiet()
        assert recompute(now=NOW + minutes(5)) == 0
        row.save()
        row.history.filter(pk=row.history.latest().pk).update(history_date=NOW + minutes(4))
        assert recompute(now=NOW + minutes(5)) == count, row
        Compliance.objects.update(computed_at=NOW)


def test_a_new_day_moves_the_window() -> None:
    requirement()
    assert recompute(now=NOW) == 2
    assert recompute(now=NOW + timedelta(days=1)) == 2


def test_the_sweeper_keeps_it_current() -> None:
    requirement()
    step = next(s for s in periodic_steps() if s.name == "monitoring.compliance")
    assert step.function is keep_current
    step.function()
    assert Compliance.objects.count() == 2


def test_the_command_reckons_and_says_how_they_stand(measured) -> None:
    requirement()
    measured(2.0, 2.1, 1.9)
    told = StringIO()
    call_command("compliance", stdout=told)
    assert told.getvalue().startswith("2 cells reckoned\n")
    person = factories.person(Role.OPERATOR, name="olga")
    call_command("compliance", "--rebuild", "--user", "olga", stdout=told)
    entry = AuditEntry.objects.get(action="monitoring.compliance_rebuild")
    assert (entry.actor, entry.after) == (person, {"cells": 2})
