"""From values to changes and alerts, with the detectors that come with the centre."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mpc.monitoring.alerts.cells import judge_cells
from mpc.monitoring.alerts.judging import judge_due
from mpc.monitoring.models import (
    Alert,
    AlertPart,
    ChangePoint,
    Compliance,
    DetectorSetting,
    Measurement,
    MissionEvent,
    Waiver,
    Watch,
    WatchMark,
)
from tests.monitoring.watching.making import NOW, a_requirement, a_series, fill, look, noise, stepped

pytestmark = pytest.mark.django_db


def test_a_step_that_no_event_explains_is_one_alert_over_bands() -> None:
    for n, band in enumerate(("B02", "B03", "B04")):
        fill(a_series(band=band), stepped(seed=n))
    look()
    changes = ChangePoint.objects.filter(kind="step", gone_at=None)
    assert {(c.series.band, c.mode, c.explained, c.held) for c in changes} == {
        (band, "live", "unexplained", "") for band in ("B02", "B03", "B04")
    }
    for change in changes:
        assert abs(change.magnitude - 0.1) < 4 * change.magnitude_uncertainty
        assert abs(change.time - (NOW - timedelta(hours=1, days=19))) <= timedelta(days=1)
    alert = Alert.objects.get()
    assert {(p.series.band, p.kind, p.state) for p in alert.parts.all()} == {
        (b, "step", "holds") for b in ("B02", "B03", "B04")
    }
    assert alert.title.startswith("S2A: step in Level of B02, B03 and B04, ")
    assert not WatchMark.objects.exists()
    assert Watch.objects.filter(judged=True, count=200).count() == 3


def test_what_is_found_again_is_the_same_row_and_the_same_alert() -> None:
    series = fill(a_series(), stepped())
    look()
    change, alert = ChangePoint.objects.get(kind="step"), Alert.objects.get()
    fill(series, [1.1, 1.11], end=NOW - timedelta(minutes=5), every_days=0.01)
    look()
    assert ChangePoint.objects.get(kind="step").pk == change.pk
    assert Alert.objects.get().pk == alert.pk
    assert AlertPart.objects.count() == 1


def test_a_change_that_is_not_found_any_more_is_kept_and_its_alert_closes_itself() -> None:
    series = fill(a_series(), stepped())
    look()
    # The values after the step are superseded by others without it.
    newest = list(Measurement.objects.filter(series=series).order_by("-time").values_list("pk", flat=True)[:20])
    for pk in newest:
        Measurement.objects.filter(pk=pk).update(value=1.0 + 0.01 * (-1) ** pk)
    fill(series, [1.0], end=NOW - timedelta(minutes=1))
    look()
    change = ChangePoint.objects.get(kind="step")
    assert change.gone_at is not None
    alert = Alert.objects.get()
    assert (alert.state, alert.parts.get().state) == ("closed", "gone")
    assert alert.closed_why == "not found any more"
    assert [n.what for n in alert.notes.all()] == ["opened", "gone", "closed"]


def test_a_step_that_an_event_explains_alerts_nobody_until_the_event_is_withdrawn() -> None:
    when = NOW - timedelta(hours=1, days=19)
    event = MissionEvent.objects.create(kind="gipp", title="R2EQOG in use", unit="S2A", start=when)
    fill(a_series(), stepped())
    look()
    change = ChangePoint.objects.get(kind="step")
    assert (change.explained, change.event) == ("explained", event)
    assert not Alert.objects.exists()

    event.withdrawn_at = NOW
    event.save()
    assert judge_due() == 1
    change.refresh_from_db()
    assert (change.explained, change.event) == ("unexplained", None)
    alert = Alert.objects.get()
    assert alert.state == "open"

    event.withdrawn_at = None
    event.save()
    judge_due()
    alert.refresh_from_db()
    assert (alert.state, alert.closed_why) == ("closed", "explained by S2A R2EQOG in use")


def test_an_event_of_another_unit_or_of_a_kind_that_changes_no_level_explains_nothing() -> None:
    when = NOW - timedelta(hours=1, days=19)
    MissionEvent.objects.create(kind="gipp", title="of another", unit="S2B", start=when)
    MissionEvent.objects.create(kind="manoeuvre", title="orbit", unit="S2A", start=when)
    MissionEvent.objects.create(kind="milestone", title="ten years", start=when)
    fill(a_series(), stepped())
    look()
    assert ChangePoint.objects.get(kind="step").explained == "unexplained"
    assert Alert.objects.count() == 1


@pytest.fixture
def only_limits(db: None) -> None:
    """The other detectors alert nobody."""
    DetectorSetting.objects.exclude(detector="threshold").update(mode="off")


@pytest.mark.usefixtures("only_limits")
def test_a_requirement_on_each_value_is_broken_after_two_values_and_kept_after_three() -> None:
    a_requirement("image.level", high=1.2)
    series = fill(a_series(), [*noise(60), 1.5])
    look()
    assert not Alert.objects.exists()
    fill(series, [1.5], end=NOW - timedelta(minutes=50))
    look()
    part = AlertPart.objects.get()
    assert (part.kind, part.state, part.value, part.limit) == ("breach", "holds", 1.5, 1.2)
    assert part.alert.get_severity_display() == "major"
    assert part.text == "Limit of image.level: 1.500 ± 0.010, at most 1.2 %"
    fill(series, [1.0, 1.0], end=NOW - timedelta(minutes=30), every_days=0.001)
    look()
    part.refresh_from_db()
    assert (part.state, part.back_points) == ("holds", 2)
    fill(series, [1.0], end=NOW - timedelta(minutes=20))
    look()
    part.refresh_from_db()
    assert (part.state, part.alert.state) == ("back", "closed")


@pytest.mark.usefixtures("only_limits")
def test_what_breaks_again_reopens_its_alert() -> None:
    a_requirement("image.level", high=1.2)
    series = fill(a_series(), [*noise(60), 1.5, 1.5, 1.0, 1.0, 1.0])
    fill(series, [1.5, 1.5], end=NOW - timedelta(minutes=40), every_days=0.001)
    look()
    alert = Alert.objects.get()
    fill(series, [1.0] * 3, end=NOW - timedelta(minutes=30), every_days=0.001)
    look()
    alert.refresh_from_db()
    assert alert.state == "closed"
    fill(series, [1.6] * 2, end=NOW - timedelta(minutes=20), every_days=0.001)
    look()
    alert = Alert.objects.get()
    assert (alert.state, alert.reopened, alert.announced_at) == ("open", 1, None)
    assert sorted(alert.parts.values_list("state", "value")) == [("back", 1.5), ("holds", 1.6)]


def test_an_old_change_is_listed_and_alerts_nobody() -> None:
    fill(a_series(), stepped(400, after=150))
    look()
    change = ChangePoint.objects.get(kind="step")
    assert change.held == "it was found when it was over 90 days old"
    assert not Alert.objects.exists()


def test_a_series_that_should_have_spoken_is_silent_until_it_speaks() -> None:
    series = fill(a_series(), noise(60), end=NOW - timedelta(days=10))
    look()
    part = AlertPart.objects.get()
    assert (part.kind, part.alert.title.startswith("S2A: silence in Level of B02")) == ("silence", True)
    fill(series, noise(3), end=NOW - timedelta(minutes=10), every_days=0.1)
    look()
    assert Alert.objects.get().state == "closed"


@pytest.mark.usefixtures("only_limits")
def test_a_waiver_excuses_a_breach_until_it_is_withdrawn() -> None:
    requirement = a_requirement("image.level", high=1.2)
    fill(a_series(), [*noise(60), 1.5, 1.5])
    look()
    assert Alert.objects.get().state == "open"
    today = NOW.date()
    waiver = Waiver.objects.create(
        title="Old lamp", reason="known", requirement=requirement, unit="S2A", valid_from=today, valid_to=today
    )
    judge_due()
    alert = Alert.objects.get()
    assert (alert.state, alert.closed_why) == ("closed", "waived: Old lamp")
    waiver.withdrawn_at = NOW - timedelta(days=1)
    waiver.save()
    judge_due()
    assert [(a.state, a.reopened) for a in Alert.objects.all()] == [("open", 1)]


@pytest.mark.usefixtures("only_limits")
def test_a_limit_that_changes_has_its_series_judged_anew() -> None:
    requirement = a_requirement("image.level", high=1.2)
    fill(a_series(), [*noise(60), 1.5, 1.5])
    look()
    limit = requirement.limits.get()
    limit.high = 2.0
    limit.save()
    look()
    assert Alert.objects.get().state == "closed"


def test_other_statistics_alert_by_their_cell_of_the_matrix() -> None:
    requirement = a_requirement("image.level", high=0.9, statistic="mean")
    series = fill(a_series(), noise(60))
    look()
    assert not Alert.objects.exists()
    own = {"requirement": requirement, "unit": "S2A", "band": "B02", "computed_at": NOW, "last_time": NOW}
    cell = Compliance.objects.create(**own, state="breached", value=1.0, uncertainty=0.001, why="mean of 60 values")
    assert (judge_cells(), judge_cells()) == (1, 0)
    part = AlertPart.objects.get()
    assert (part.series, part.value, part.limit, part.state) == (series, 1.0, 0.9, "holds")
    assert (part.alert.get_severity_display(), part.text) == ("major", "Limit of image.level: mean of 60 values")
    look(everything=True)
    assert AlertPart.objects.get().state == "holds"  # what is seen of single values says nothing about it
    for state, alert in (("undecided", "open"), ("met", "closed")):
        cell.state = state
        cell.save()
        judge_cells()
        assert Alert.objects.get().state == alert
