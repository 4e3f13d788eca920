"""Which steps reach people among many series: a strong one alone, weak ones together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mpc.monitoring.alerts.judging import judge_due
from mpc.monitoring.detectors.family import FamilyParams, family_threshold
from mpc.monitoring.models import Alert, ChangePoint, Series
from mpc.msi.bands import BANDS
from tests.monitoring.watching.making import NOW, a_metric, seen

pytestmark = pytest.mark.django_db
WHEN = NOW - timedelta(days=12)


@pytest.fixture
def focal_plane(db: None) -> dict[tuple[str, str], Series]:
    """13 bands by 12 detectors of one unit, 120 values a year for three years."""
    metric = a_metric("radiometry.gain", name="Gain")
    facts = {"count": 360, "first_time": NOW - timedelta(days=3 * 365.25), "last_time": NOW, "unit": "S2A"}
    rows = [
        Series(metric=metric, band=band.name, detector=f"{n:02d}", level="L1B", **facts)
        for band in BANDS
        for n in range(1, 13)
    ]
    Series.objects.bulk_create(rows)
    return {(s.band, s.detector): s for s in Series.objects.filter(metric=metric)}


def step(series: Series, score: float, **values: Any) -> ChangePoint:
    seen(series)
    own = {"interval_start": WHEN, "interval_end": WHEN, "time": WHEN, "found_at": NOW, "points_after": 5}
    levels = {"magnitude": 0.1, "magnitude_uncertainty": 0.02, "before": 1.0, "after": 1.1}
    kind = {"detector": "step", "version": "1.0", "mode": "live", "kind": "step"}
    return ChangePoint.objects.create(series=series, score=score, **{**kind, **own, **levels, **values})


def reached() -> set[tuple[str, str]]:
    judge_due()
    return {(p.series.band, p.series.detector) for a in Alert.objects.all() for p in a.parts.filter(state="holds")}


def test_the_threshold_of_this_family_is_between_the_scores_below() -> None:
    # 156 series x 10 points a month x 2.3e-4 = 0.36 false steps of score 3.8 a month; 0.35 are allowed.
    assert family_threshold(156, FamilyParams(points_a_year=120)) == pytest.approx(3.81, abs=0.02)


def test_a_strong_step_alone_reaches_people(focal_plane: dict) -> None:
    step(focal_plane["B04", "07"], 4.5)
    assert reached() == {("B04", "07")}


def test_a_weak_step_alone_is_listed_with_the_reason(focal_plane: dict) -> None:
    weak = step(focal_plane["B04", "07"], 3.6)
    assert reached() == set()
    weak.refresh_from_db()
    assert weak.held == "too weak alone among 156 series: score 3.6 of 3.8, and no neighbours agree"


def test_a_strong_step_waits_for_two_further_values(focal_plane: dict) -> None:
    young = step(focal_plane["B04", "07"], 4.5, points_after=1)
    assert reached() == set()
    young.points_after = 2
    young.save()
    seen(young.series)
    assert reached() == {("B04", "07")}


@pytest.mark.parametrize(
    ("places", "sign", "reach"),
    [
        ([("B04", "07"), ("B04", "08"), ("B04", "11")], 1, True),  # one band
        ([("B02", "07"), ("B04", "07"), ("B8A", "07")], 1, True),  # one detector
        ([("B04", "07"), ("B04", "08"), ("B05", "11")], 1, False),  # two of a band only
        ([("B04", "07"), ("B04", "08"), ("B04", "11")], -1, False),  # one of another sign
    ],
)
def test_weak_steps_of_neighbours_reach_people_together(
    focal_plane: dict, places: list[tuple[str, str]], sign: int, reach: bool
) -> None:
    for place in places[:-1]:
        step(focal_plane[place], 3.6)
    assert reached() == set()
    # The last one is seen in another look: the first ones are judged again.
    step(focal_plane[places[-1]], 3.6, magnitude=0.1 * sign)
    judge_due()
    assert reached() == (set(places) if reach else set())
    assert Alert.objects.count() == reach
