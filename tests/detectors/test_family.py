"""Which steps of many series reach a person, when and by which means."""

from __future__ import annotations

import math

import pytest

from mpc.monitoring.detectors.family import FamilyParams, Member, decide, family_threshold
from mpc.monitoring.detectors.step import Step
from tests.detectors.made import times

AT = times(120).tolist()
THRESHOLD = 4.0
"""What ``settings`` make the limit of a family be."""


def step(index: int, *course: float, magnitude: float = 2.5, found: int = 4) -> Step:
    """A step at point ``index`` that was found some points later, with its scores from then on."""
    return Step(
        index=index,
        time=AT[index],
        interval_start=AT[index - 1],
        interval_end=AT[index],
        magnitude=magnitude,
        magnitude_uncertainty=0.5,
        score=course[-1],
        before=7.5,
        after=7.5 + magnitude,
        found_index=index + found,
        found=AT[index + found],
        found_start=AT[index - 2],
        found_end=AT[index + 1],
        course=course,
        taken_back=None,
        sigma=1.0,
        correlation=0.3,
    )


def settings(series: int, **rest: float) -> FamilyParams:
    """Settings with which the threshold of so many series is 4.0."""
    a_month = series * 10 * 1.5e-4 * 10 ** (-0.88 * (THRESHOLD - 3.8))
    return FamilyParams(false_a_month=a_month, **rest)  # type: ignore[arg-type]


def member(band: str, detector: str, *steps: Step) -> Member:
    return Member(band, detector, AT, steps)


@pytest.mark.parametrize(
    ("series", "a_month", "score"),
    [
        # 156 x 10 x 1.5e-4 = 0.234 a month at 3.8; ten times fewer need 1 / 0.88 more.
        (156, 0.234, 3.8),
        (156, 0.0234, 3.8 + 1 / 0.88),
        (1560, 0.234, 3.8 + 1 / 0.88),
        (1, 1.0, 3.0),
    ],
)
def test_the_threshold_knows_how_many_series_there_are(series: int, a_month: float, score: float) -> None:
    assert family_threshold(series, FamilyParams(false_a_month=a_month)) == pytest.approx(score, abs=1e-9)


def test_no_series_no_threshold_and_no_change() -> None:
    with pytest.raises(ValueError, match="at least one"):
        family_threshold(0)
    assert decide([]) == []
    assert decide([member("B04", "07")]) == []


@pytest.mark.parametrize(
    ("course", "later"),
    [
        ((4.2, 4.4, 4.6), 2),  # high at once, but two further points are asked for
        ((3.6, 3.7, 3.9, 4.1), 3),
        ((5.0, 4.2, 3.9, 3.5), None),  # a chance one that fell back
        ((4.2, 4.4), None),  # not confirmed yet
    ],
)
def test_by_threshold(course: tuple[float, ...], later: int | None) -> None:
    changes = decide([member("B04", "07", step(60, *course)), member("B08", "03")], settings(2))
    if later is None:
        assert changes == []
    else:
        (change,) = changes
        assert change.raised == AT[64 + later]
        assert [(part.band, part.detector, part.means) for part in change.parts] == [("B04", "07", "threshold")]


def test_by_neighbours() -> None:
    weak = [member("B04", f"{number:02d}", step(60 + number, 3.6, 3.7)) for number in (1, 2, 3)]
    (change,) = decide([*weak, member("B08", "01")], settings(4))
    # The third was found at point 63 + 4, and only then there were three.
    assert change.raised == AT[67]
    assert {part.means for part in change.parts} == {"neighbours"}
    assert len(change.parts) == 3
    assert (change.start, change.end) == (AT[60], AT[63])
    assert decide([*weak, member("B08", "01")], settings(4, agree=0)) == []
    assert decide([*weak[:2], member("B08", "01"), member("B08", "02")], settings(4)) == []


@pytest.mark.parametrize(
    "other",
    [
        member("B04", "03", step(60, 3.6, 3.7, magnitude=-2.5)),
        member("B04", "03", step(90, 3.6, 3.7)),
        member("B08", "03", step(60, 3.6, 3.7)),
        member("B04", "03", step(60, 3.4, 3.3)),
    ],
    ids=["the other way", "another time", "neither its band nor its detector", "too weak"],
)
def test_who_does_not_agree(other: Member) -> None:
    two = [member("B04", f"{number:02d}", step(60, 3.6, 3.7)) for number in (1, 2)]
    assert decide([*two, other], settings(3)) == []


def test_one_detector_over_bands_are_neighbours_too() -> None:
    over = [member(band, "07", step(60, 3.6, 3.7)) for band in ("B02", "B03", "B04")]
    (change,) = decide(over, settings(3))
    assert [part.band for part in change.parts] == ["B02", "B03", "B04"]


def test_steps_at_one_time_are_one_change_and_others_are_others() -> None:
    strong = (5.0, 5.2, 5.5)
    members = [
        member("B02", "01", step(40, *strong), step(80, *strong)),
        member("B03", "05", step(41, *strong)),
        member("B04", "09", step(82, *strong)),
    ]
    changes = decide(members, settings(3))
    assert [[part.band for part in change.parts] for change in changes] == [["B02", "B03"], ["B02", "B04"]]
    assert [change.raised for change in changes] == [AT[46], AT[86]]


def test_a_decision_stands_when_more_is_known() -> None:
    """What was raised on a day is raised by a later run at the same moment: only scores as they were then are used."""
    whole = [member("B04", f"{number:02d}", step(60 + number, 3.6, 3.8, 4.1, 4.4, 4.7)) for number in (1, 2, 3)]
    (late,) = decide(whole, settings(3))
    early = [
        Member("B04", one.detector, AT[:68], [step(60 + number, *one.steps[0].course[: 68 - 64 - number])])
        for number, one in zip((1, 2, 3), whole, strict=True)
    ]
    (then,) = decide(early, settings(3))
    assert then.raised == late.raised
    assert math.isfinite(then.raised)
