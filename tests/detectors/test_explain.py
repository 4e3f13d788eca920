"""Which changes are explained by which events: a table of facts."""

from __future__ import annotations

import pytest

from mpc.monitoring.detectors import Event, Explained, Part, explain

DAY = 20_100.0
GIPP = Event("gipp activation", DAY, unit="S2A")
SWIR = Event("decontamination", DAY - 10, DAY - 8, unit="S2A", bands=frozenset({"B10", "B11", "B12"}))
D07 = Event("gipp activation", DAY, unit="S2A", bands=frozenset({"B04"}), detectors=frozenset({"07"}), key="D07")
EVERYWHERE = Event("baseline switch", DAY)


def part(start: float, end: float, band: str = "B04", detector: str = "07", unit: str = "S2A", **rest: str) -> Part:
    return Part(DAY + start, DAY + end, unit, band, detector, **rest)


@pytest.mark.parametrize(
    ("parts", "events", "verdict"),
    [
        # Time: the interval must overlap the event, 3 days wider on both sides.
        ([part(-2, 1)], [GIPP], "explained"),
        ([part(3, 6)], [GIPP], "explained"),
        ([part(3.1, 6)], [GIPP], "unexplained"),
        ([part(-6, -3.1)], [GIPP], "unexplained"),
        ([part(-9.5, -9, "B11")], [SWIR], "explained"),
        ([part(-5.5, -4, "B11")], [SWIR], "explained"),
        # Scope.
        ([part(-2, 1, unit="S2B")], [GIPP], "unexplained"),
        ([part(-2, 1, unit="S2B")], [EVERYWHERE], "explained"),
        ([part(-9, -8, "B04")], [SWIR], "unexplained"),
        ([part(-2, 1)], [D07], "explained"),
        ([part(-2, 1, detector="08")], [D07], "unexplained"),
        # In part: the whole band changed, the event was of one detector; or some of several parts.
        ([part(-2, 1, detector="")], [D07], "partly"),
        ([part(-2, 1, unit="")], [GIPP], "partly"),
        ([part(-2, 1), part(-2, 1, detector="08")], [D07], "partly"),
        ([part(-2, 1), part(-2, 1, detector="08")], [D07, EVERYWHERE], "explained"),
        ([part(-9, -8, "B11"), part(-9, -8, "B12")], [SWIR], "explained"),
        ([part(-9, -8, "B11"), part(-9, -8, "B8A")], [SWIR], "partly"),
        # Nothing near it.
        ([part(-2, 1)], [], "unexplained"),
    ],
)
def test_verdicts(parts: list[Part], events: list[Event], verdict: str) -> None:
    assert explain(parts, events).verdict == verdict


def test_an_event_may_be_able_to_explain_one_kind_of_change_only() -> None:
    only_noise = Event("gain switch", DAY, changes=frozenset({"noise"}))
    assert explain([part(-1, 1)], [only_noise]).verdict is Explained.UNEXPLAINED
    assert explain([part(-1, 1, change="noise")], [only_noise]).verdict is Explained.EXPLAINED


def test_events_come_nearest_first_and_what_is_left_is_told() -> None:
    late = Event("baseline switch", DAY + 2)
    found = explain([part(-1, 0.5), part(-1, 0.5, unit="S2B", band="B02")], [late, GIPP])
    assert found.events == (GIPP, late)
    assert found.unexplained == ()
    assert found.text == "explained by gipp activation, baseline switch"
    left = explain([part(-1, 0.5), part(-1, 0.5, unit="S2B")], [GIPP])
    assert [one.unit for one in left.unexplained] == ["S2B"]
    assert left.text == "1 of 2 parts not covered by gipp activation"


def test_the_tolerance_is_a_setting() -> None:
    assert explain([part(3.1, 6)], [GIPP], tolerance_days=4).verdict is Explained.EXPLAINED
    assert explain([part(0.5, 6)], [GIPP], tolerance_days=0).verdict is Explained.UNEXPLAINED
    with pytest.raises(ValueError, match="tolerance"):
        explain([part(0, 1)], [GIPP], tolerance_days=-1)
    with pytest.raises(ValueError, match="at least one part"):
        explain([], [GIPP])
