"""Which detectors look at a series, and how a setting in shadow becomes live."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from mpc.accounts.models import AuditEntry
from mpc.accounts.policy import Role
from mpc.monitoring.detecting import comparing, services
from mpc.monitoring.detecting.settings import Settings, add_first_settings
from mpc.monitoring.models import Alert, ChangePoint, DetectorSetting, WatchMark
from tests import factories
from tests.monitoring.watching.making import a_metric, a_series, fill, look, stepped

pytestmark = pytest.mark.django_db


def trials(series: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(t.detector, t.mode): t.params for t in Settings.load().of(series).trials}


def step_of(series: Any) -> dict[str, dict[str, Any]]:
    return {mode: params for (code, mode), params in trials(series).items() if code == "step"}


def setting(mode: str, params: dict[str, Any] | None = None, **values: Any) -> DetectorSetting:
    own = {"detector": "step", "version": "1.0", "params": params or {}}
    return DetectorSetting.objects.create(mode=mode, **{**own, **values})


def test_what_comes_with_the_centre_is_live_and_what_comes_later_is_in_shadow() -> None:
    found = trials(a_series())
    assert {mode for _, mode in found} == {"live"}
    assert ("step", "live") in found
    assert ("threshold", "live") not in found  # its limits are the requirements
    DetectorSetting.objects.filter(detector="step").delete()
    add_first_settings()
    assert step_of(a_series()) == {"shadow": {}}


def test_the_nearest_setting_counts_and_the_wider_ones_fill_it_up() -> None:
    one, other = a_series(band="B02"), a_series(band="B03")
    setting("live", {"threshold": 6.0, "settle": 30}, metric=a_metric("image.level"))
    setting("live", {"threshold": 7.0}, series=one)
    assert step_of(one) == {"live": {"threshold": 7.0, "settle": 30}}
    assert step_of(other) == {"live": {"threshold": 6.0, "settle": 30}}
    assert step_of(a_series("image.other")) == {"live": {}}


def test_off_near_a_series_wins_over_live_further_away() -> None:
    setting("off", metric=a_metric("image.level"))
    assert step_of(a_series()) == {}
    setting("live", {"threshold": 5.0}, series=a_series())
    assert step_of(a_series()) == {"live": {"threshold": 5.0}}
    assert step_of(a_series("image.other")) == {"live": {}}


def test_a_shadow_runs_beside_what_is_live_with_its_own_words_above_it() -> None:
    setting("live", {"threshold": 6.0, "settle": 30}, metric=a_metric("image.level"))
    setting("shadow", {"threshold": 3.5})
    assert step_of(a_series()) == {
        "live": {"threshold": 6.0, "settle": 30},
        "shadow": {"threshold": 3.5, "settle": 30},
    }


def test_another_version_of_the_software_rests_until_somebody_decides() -> None:
    DetectorSetting.objects.filter(detector="step").update(version="0.9")
    chosen = Settings.load().of(a_series())
    assert step_of(a_series()) == {"shadow": {}}
    assert chosen.resting == {"step"}
    ann = factories.person(Role.QC_ENGINEER)
    assert services.accept_version("step", ann, "compared") == 1
    assert step_of(a_series()) == {"live": {}}
    assert AuditEntry.objects.get(action="monitoring.detector_live").before["version"] == "0.9"


def test_what_only_a_shadow_finds_alerts_nobody_until_it_is_made_live() -> None:
    ann = factories.person(Role.QC_ENGINEER, name="ann")
    DetectorSetting.objects.filter(detector="step").update(params={"threshold": 19.0})
    DetectorSetting.objects.exclude(detector="step").update(mode="off")
    fill(a_series(), stepped())
    shadow = services.save_setting(ann, "step", mode="shadow", params={"threshold": "4"}, note="try a lower one")
    look()
    assert {(c.mode, c.kind) for c in ChangePoint.objects.filter(gone_at=None)} == {("shadow", "step")}
    assert not Alert.objects.exists()
    found = comparing.compare("step")
    assert (found.both, found.only_live, found.only_shadow) == (0, 0, 1)
    assert found.pairs[0].series == a_series()

    live = services.make_live(shadow, ann, "it finds what we missed")
    assert (live.mode, live.params, live.note) == ("live", {"threshold": 4.0}, "it finds what we missed")
    assert not DetectorSetting.objects.filter(mode="shadow").exists()
    assert WatchMark.objects.exists()
    look()
    assert {(c.mode, c.gone_at is None) for c in ChangePoint.objects.filter(kind="step")} == {
        ("live", True), ("shadow", False),
    }  # fmt: skip
    assert Alert.objects.count() == 1
    history = DetectorSetting.history.filter(detector="step", mode="live").latest()
    assert (history.history_user, history.params) == (ann, {"threshold": 4.0})


def test_changing_what_is_live_tries_it_in_shadow_first() -> None:
    ann = factories.person(Role.QC_ENGINEER)
    live = DetectorSetting.objects.get(detector="step")
    tried = services.save_setting(ann, "step", mode="shadow", params={"threshold": 5}, note="why not", setting=live)
    live.refresh_from_db()
    assert (live.mode, live.params) == ("live", {})
    assert (tried.mode, tried.params) == ("shadow", {"threshold": 5.0})


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"mode": "live"}, "mode", "runs in shadow first"),
        ({"params": {"threshold": "x"}}, "threshold", "is not a number"),
        ({"params": {"threshold": "999"}}, "threshold", "above the maximum"),
        ({"params": {"nonsense": "1"}}, "nonsense", "unknown parameter"),
        ({"note": "  "}, "note", "Say why"),
        ({"detector": "crystal_ball"}, "", "no detector"),
        ({"detector": "threshold"}, "mode", "not judged in shadow"),
        ({"detector": "threshold", "mode": "off", "params": {"high": "1"}}, "high", "stand in the requirements"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(values: dict[str, Any], field: str, words: str) -> None:
    ann = factories.person(Role.QC_ENGINEER)
    before = DetectorSetting.objects.count()
    with pytest.raises(services.CannotSet) as caught:
        services.save_setting(ann, **{"detector": "step", "mode": "shadow", "params": {}, "note": "x", **values})
    assert words in caught.value.errors[field]
    assert DetectorSetting.objects.count() == before


def test_a_second_shadow_for_the_same_series_is_refused() -> None:
    ann = factories.person(Role.QC_ENGINEER)
    services.save_setting(ann, "step", mode="shadow", params={}, note="one")
    with pytest.raises(services.CannotSet, match="change that one"):
        services.save_setting(ann, "step", mode="shadow", params={}, note="two")


def test_who_may_not_sets_nothing() -> None:
    vera = factories.person(Role.VIEWER)
    for step in (
        lambda: services.save_setting(vera, "step", mode="shadow", params={}, note="x"),
        lambda: services.accept_version("step", vera, "x"),
        lambda: services.remove_setting(DetectorSetting.objects.first(), vera),
    ):
        with pytest.raises(PermissionDenied, match="set detectors"):
            step()
