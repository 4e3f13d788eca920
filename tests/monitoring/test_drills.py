"""Fault drills: what is planted, what is told of it, what is kept and shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from mpc.accounts.roles import Role
from mpc.jobs import HopelessError, Inputs, Outcome, RecordingContext, get_job
from mpc.monitoring.detectors.registry import all_detectors
from mpc.monitoring.drills import reading
from mpc.monitoring.drills.inputs import inputs_for, real_series, trials_for
from mpc.monitoring.drills.jobs import WEEKLY, schedule_weekly
from mpc.monitoring.drills.pages import plain_words
from mpc.monitoring.drills.storing import store
from mpc.monitoring.drills.work import FAULTS, OF_KIND, DrillParams, DrillRow, DrillTrial, Given, drill
from mpc.monitoring.models import DetectorSetting, DrillRecord, Measurement, Metric, Series
from mpc.runs import punctuality, services
from mpc.runs.models import Run, State
from tests import factories

SMALL = {"series": 5, "years": 2.0, "points": 60.0}


def drilled(*trials: DrillTrial, given: tuple[Given, ...] = (), **values: Any) -> tuple[DrillRow, ...]:
    params = DrillParams(**{**SMALL, **values})
    extra = {"trials": list(trials), "given": list(given)}
    return drill(params, Inputs(extra=extra), RecordingContext(Path())).results


# --- The work --------------------------------------------------------------------------------------------------------
def test_every_detector_has_faults_that_it_is_there_to_find():
    assert {detector.kind for detector in all_detectors()} == set(OF_KIND)
    assert {code for faults in OF_KIND.values() for code in faults} == set(FAULTS)


def test_a_detector_is_told_without_a_fault_and_with_each_of_its_own():
    rows = drilled(DrillTrial("silence", "live"))
    assert [(r.fault, r.title, r.series, r.within) for r in rows] == [
        ("", "no fault", 5, 0),
        ("missing", "missing data", 5, 12),
    ]
    without, missing = rows
    assert (missing.found, missing.ever, missing.rate) == (5, 5, 1.0)
    # Wilson's interval of 5 of 5: 5 / (5 + 1.96^2) to 1.
    assert (missing.rate_low, missing.rate_high) == pytest.approx((0.5655, 1.0), abs=1e-3)
    assert 1 <= missing.points_median <= missing.points_90 <= 12
    assert missing.days_median == pytest.approx(missing.points_median * 365.25 / 60, rel=0.7)
    assert without.rate is None
    assert (missing.false, missing.years) == (without.false, without.years)
    assert without.years == pytest.approx(10, rel=0.1)


def test_equal_seeds_make_equal_drills_and_others_do_not():
    first, again, other = (drilled(DrillTrial("outlier", "live"), seed=seed) for seed in (3, 3, 4))
    assert first == again != other


def test_what_grows_slowly_has_more_patience():
    rows = drilled(DrillTrial("noise", "live"), within=10, series=5, years=1.0)
    assert {row.fault: row.within for row in rows if row.fault} == {"noise10": 100, "noise100": 40, "frozen": 40}


def test_outliers_that_were_made_are_no_false_alarms():
    with_made = drilled(DrillTrial("outlier", "live"), outliers=0.2)
    assert with_made[0].note == "series without outliers"
    assert with_made[0].false / with_made[0].years < 0.5


def test_limits_are_drilled_on_made_series_that_have_some():
    (without, dead) = drilled(DrillTrial("threshold", "live", {"open_after": 3}))
    assert (without.false, dead.found, dead.fault) == (0, 5, "dead")
    assert dead.points_median == 3


def test_only_the_faults_that_are_asked_for():
    rows = drilled(DrillTrial("noise", "live"), DrillTrial("silence", "shadow"), faults="missing, frozen", years=1.0)
    assert [(r.detector, r.mode, r.fault) for r in rows] == [
        ("noise", "live", ""),
        ("noise", "live", "frozen"),
        ("silence", "shadow", ""),
        ("silence", "shadow", "missing"),
    ]


def copied(count: int = 100, spread: float = 1.0) -> Given:
    noise = np.random.default_rng(5).standard_normal(count)
    return Given(np.arange(count) + 20_000.0, 300.0 + spread * noise)


def test_copies_of_real_series_get_faults_in_their_own_noise():
    rows = drilled(DrillTrial("step", "live"), given=(copied(spread=0.001), copied(spread=50.0)), material="x.y")
    step = next(row for row in rows if row.fault == "step")
    assert (step.series, step.found) == (2, 2)
    assert step.points_per_year == pytest.approx(365.25)


@pytest.mark.parametrize(
    ("values", "given", "words"),
    [
        ({"faults": "step,typo"}, (), "no fault typo; known are: step, drift"),
        ({"material": "x.y"}, (), "x.y has no series of at least 60 values"),
        ({"material": "x.y"}, (copied(59),), "at least 60 values"),
        ({"material": "x.y"}, (copied(spread=0.0),), "that scatter"),
    ],
)
def test_what_cannot_be_drilled_says_why(values: dict[str, Any], given: tuple[Given, ...], words: str) -> None:
    with pytest.raises(HopelessError, match=words):
        drilled(DrillTrial("silence", "live"), given=given, **values)


# --- What it is given ------------------------------------------------------------------------------------------------
@pytest.fixture
def no_settings(db: None) -> None:
    DetectorSetting.objects.all().delete()


def setting(detector: str, mode: str = "live", **values: Any) -> None:
    DetectorSetting.objects.create(detector=detector, mode=mode, **values)


def test_detectors_are_drilled_as_they_are_set(no_settings: None) -> None:
    setting("step", params={"threshold": 5.0})
    setting("drift", "off")
    setting("noise", "shadow", params={"threshold": 6.0})
    found = {(t.detector, t.mode): t.params for t in trials_for(DrillParams())}
    assert found == {
        ("step", "live"): {"threshold": 5.0},
        ("noise", "shadow"): {"threshold": 6.0},
        ("outlier", "shadow"): {},
        ("silence", "shadow"): {},
        ("threshold", "live"): {},
    }


def test_on_copies_of_a_metric_its_own_settings_count_and_limits_stand_aside(no_settings: None) -> None:
    metric = Metric.objects.create(code="x.y", name="X")
    setting("step", params={"threshold": 5.0})
    setting("step", metric=metric, params={"threshold": 7.0})
    (step,) = trials_for(DrillParams(material="x.y", detectors="step,threshold"))
    assert step.params == {"threshold": 7.0}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "words"),
    [({"detectors": "step,typo"}, "no detector typo"), ({"material": "no.such"}, "no metric “no.such”")],
)
def test_what_is_not_known_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(HopelessError, match=words):
        inputs_for(DrillParams(**values))


@pytest.mark.django_db
def test_real_series_are_copied_value_by_value_the_fullest_first() -> None:
    metric = Metric.objects.create(code="x.y", name="X")
    run, now = factories.run(0, state=State.SUCCEEDED), timezone.now().replace(microsecond=0)
    for unit, count in (("S2A", 3), ("S2B", 5)):
        of = Series.objects.create(
            metric=metric, unit=unit, count=count, first_time=now - timedelta(days=count), last_time=now
        )
        for n in range(count):
            Measurement.objects.create(
                series=of, time=now - timedelta(days=n), value=10.0 + n, samples=1, run=run, job_kind="x",
                no_uncertainty="exact",
            )  # fmt: skip
    given = real_series(DrillParams(material="x.y", series=5))
    assert [one.values.tolist() for one in given] == [[14.0, 13.0, 12.0, 11.0, 10.0], [12.0, 11.0, 10.0]]
    assert np.diff(given[0].times).tolist() == pytest.approx([1.0] * 4)


# --- What is kept ----------------------------------------------------------------------------------------------------
def kept(**params: Any) -> Run:
    """A drill that was done: request, work and records, in this process."""
    wanted = {**SMALL, "detectors": "silence", **params}
    run, _ = services.request_run("monitoring.drill", actor=factories.person(Role.OPERATOR), params=wanted)
    asked = DrillParams(**run.params)
    outcome: Outcome = drill(asked, Inputs(extra=inputs_for(asked)), RecordingContext(Path()))
    store(run, outcome)
    return run


@pytest.mark.django_db
def test_a_run_keeps_a_record_a_fault() -> None:
    run = kept(seed=2)
    records = {r.fault: r for r in DrillRecord.objects.filter(run=run)}
    assert set(records) == {"", "missing"}
    missing = records["missing"]
    assert (missing.detector, missing.version, missing.material) == ("silence", "1.0", "simulated")
    assert (missing.series_count, missing.found, missing.detection_rate) == (5, 5, 1.0)
    assert missing.magnitude == "no more values"
    assert {"mode", "settings", "within", "ever", "seed", "points"} <= missing.params.keys()
    assert (missing.params["within"], missing.params["ever"], missing.params["seed"]) == (12, 5, 2)


@pytest.mark.django_db
def test_equal_drills_at_once_are_one() -> None:
    person = factories.person(Role.OPERATOR)
    first, _ = services.request_run("monitoring.drill", actor=person)
    again, created = services.request_run("monitoring.drill", actor=person)
    other, _ = services.request_run("monitoring.drill", actor=person, params={"seed": 2})
    assert (created, again.pk) == (False, first.pk)
    assert other.pk != first.pk


def test_the_job_is_declared() -> None:
    job = get_job("monitoring.drill")
    assert job.function() is drill
    assert (job.needs_product, job.finish) == (False, store)


@pytest.mark.django_db
def test_one_runs_each_week_until_somebody_disables_it(settings: Any) -> None:
    settings.MPC_LOAD_TABLES = True
    schedule_weekly()
    PeriodicTask.objects.filter(name=WEEKLY).update(enabled=False)
    schedule_weekly()
    entry = PeriodicTask.objects.get(name=WEEKLY)
    assert (entry.enabled, json.loads(entry.kwargs)) == (False, {"kind": "monitoring.drill"})
    week = datetime(2026, 9, 1, tzinfo=UTC)  # Tuesday; Sunday is the sixth
    assert punctuality.due_times(entry, week, week + timedelta(days=7)) == [datetime(2026, 9, 6, 4, tzinfo=UTC)]


# --- The command -----------------------------------------------------------------------------------------------------
@pytest.fixture
def done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a run does it in this process, as a worker's child would."""

    def wait_for(runs: list[Run], say: Any) -> list[Run]:
        (run,) = runs
        params = DrillParams(**run.params)
        try:
            store(run, drill(params, Inputs(extra=inputs_for(params)), RecordingContext(Path())))
            Run.objects.filter(pk=run.pk).update(state=State.SUCCEEDED)
        except HopelessError as error:
            Run.objects.filter(pk=run.pk).update(state=State.FAILED, error=str(error))
        run.refresh_from_db()
        return [run]

    monkeypatch.setattr("mpc.runs.waiting.wait_for", wait_for)


@pytest.mark.django_db
@pytest.mark.usefixtures("done_here")
class TestCommand:
    def small(self, *more: str) -> None:
        call_command("drill", "--series", "5", "--years", "2", "--points", "60", "--detectors", "silence", *more)

    def test_it_prints_what_the_detectors_were_worth(self, capsys: Any) -> None:
        self.small()
        without, missing = capsys.readouterr().out.splitlines()
        assert without.startswith("silence 1.0 ")
        assert without.endswith(" false alarms a series-year")
        assert "missing data no more values: found 100.0 % (57 to 100) within 12 points, latency " in missing

    def test_as_json(self, capsys: Any) -> None:
        self.small("--json")
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(s["detector"], s["fault"], s["found"]) for s in said] == [
            ("silence", "", 0),
            ("silence", "missing", 5),
        ]

    def test_without_waiting_it_asks_and_goes(self, capsys: Any) -> None:
        self.small("--no-wait", "--user", factories.person(Role.OPERATOR).username)
        assert "monitoring.drill" in capsys.readouterr().out
        assert not DrillRecord.objects.exists()

    def test_what_fails_is_told_by_the_exit_status(self, capsys: Any) -> None:
        with pytest.raises(SystemExit) as status:
            self.small("--faults", "typo")
        assert status.value.code == 1
        assert "no fault typo" in capsys.readouterr().err

    def test_what_is_wrong_is_refused(self) -> None:
        with pytest.raises(CommandError, match="series: 3 is below the minimum 5") as refused:
            call_command("drill", "--series", "3")
        assert refused.value.returncode == 2


# --- Pages -----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
class TestPages:
    def page(self, name: str, *args: Any) -> str:
        return unescape(factories.client(Role.OPERATOR).get(reverse(name, args=args)).content.decode())

    def test_a_detector_shows_its_own_newest_record(self) -> None:
        factories.drill_record(0, found=4, detection_rate=0.8)
        factories.drill_record(1, found=5, detection_rate=1.0)
        factories.drill_record(2, detector="drift", fault="drift", detection_rate=0.123)
        html = self.page("monitoring:detector", "step")
        assert "100.0 %" in html
        assert "12.3 %" not in html
        assert "within 12 points" in html
        assert 'id="drill-rates"' in html
        assert "Start a drill" in html

    def test_a_detector_says_how_it_works_in_the_words_of_its_module(self) -> None:
        html = self.page("monitoring:detector", "drift")
        assert "The slope is the median of the slopes of all pairs of points" in html
        assert "Bounds of the parameters" in html
        assert "``" not in html

    def test_a_detector_that_was_never_drilled_says_so(self) -> None:
        assert "This detector has not been drilled yet." in self.page("monitoring:detector", "step")
        assert "not drilled yet" in self.page("monitoring:detectors")

    def test_the_list_of_detectors_shows_the_newest_record(self) -> None:
        factories.drill_record(0, detection_rate=0.5)
        factories.drill_record(1, detection_rate=0.875)
        html = self.page("monitoring:detectors")
        assert "87.5 %" in html
        assert "50.0 %" not in html

    def test_the_page_of_the_run_shows_its_records(self) -> None:
        run = kept()
        html = self.page("runs:detail", run.pk)
        assert "What the detectors were worth" in html
        assert "5 of 5" in html

    def test_figures_tell_faults_apart_and_lead_to_the_run(self) -> None:
        records = [
            factories.drill_record(0, fault="step", detection_rate=0.9, rate_low=0.8, rate_high=0.95),
            factories.drill_record(1, fault="dead", detection_rate=1.0, rate_low=0.9, rate_high=1.0),
            factories.drill_record(2, fault="", detection_rate=None, false_alarms=6, series_years=60.0),
        ]
        rates, alarms = reading.rate_figure(records)["data"], reading.false_figure(records)["data"]
        assert [(t["name"], t["y"]) for t in rates] == [("gain step", [90.0]), ("dead detector", [100.0])]
        assert rates[0]["error_y"]["arrayminus"] == pytest.approx([10.0])
        assert rates[0]["customdata"] == [reverse("runs:detail", args=[records[0].run_id])]
        assert alarms[0]["y"] == [0.1]


def test_marks_of_code_are_no_words() -> None:
    assert plain_words("A ``k`` of\n:mod:`~mpc.x.kernels` and :func:`fit`.") == "A k of\nkernels and fit."
