"""Which events and waivers concern a part of the mission on a day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from mpc.monitoring.events.reading import events_for
from mpc.monitoring.models import Metric, MissionEvent, Requirement, Series, Waiver
from mpc.monitoring.waivers.reading import active_waivers, waiver_of

pytestmark = pytest.mark.django_db


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 9, day, hour, tzinfo=UTC)


def event(title: str, day: int, **fields: object) -> MissionEvent:
    own = {"kind": "calibration", "unit": "S2A", "start": at(day)}
    return MissionEvent.objects.create(title=title, **{**own, **fields})


@pytest.fixture
def calendar() -> None:
    event("A", 1)
    event("B of all units", 2, unit="", kind="baseline")
    event("C", 3, unit="S2B")
    event("D of two bands", 4, bands=["B11", "B12"])
    event("E lasts", 5, end=at(10), kind="outage")
    event("F withdrawn", 6, withdrawn_at=at(7))


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ({}, "ABCDE"),
        ({"units": ["S2A"]}, "ABDE"),
        ({"units": ["S2B"]}, "BC"),
        ({"units": ["S2A", "S2B"]}, "ABCDE"),
        ({"units": [""]}, "ABCDE"),
        ({"units": ["S2A"], "bands": ["B11"]}, "ABDE"),
        ({"units": ["S2A"], "bands": ["B02"]}, "ABE"),
        ({"bands": [""]}, "ABCDE"),
        ({"kinds": ["baseline", "outage"]}, "BE"),
        ({"kinds": []}, "ABCDE"),
        ({"since": at(3), "until": at(4)}, "CD"),
        ({"since": at(7)}, "E"),
        ({"since": at(10, 1)}, ""),
        ({"since": at(7), "until": at(8)}, "E"),
        ({"until": at(1)}, "A"),
    ],
)
def test_events_of_a_part_and_a_time(calendar, asked, titles, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        assert "".join(e.title[0] for e in events_for(**asked)) == titles


def waiver(title: str, **fields: object) -> Waiver:
    own = {"reason": "known", "valid_from": date(2026, 9, 1), "valid_to": date(2026, 9, 30)}
    return Waiver.objects.create(title=title, **{**own, **fields})


@pytest.fixture
def snr() -> Requirement:
    metric = Metric.objects.create(code="test.snr", name="SNR")
    return Requirement.objects.create(code="T-SNR", title="SNR", metric=metric, document="SRD")


def test_a_waiver_holds_on_its_days_until_it_is_withdrawn(snr, django_assert_num_queries) -> None:
    waiver("whole", requirement=snr)
    waiver("withdrawn on the 10th", requirement=snr, withdrawn_at=at(10, 12))
    for day, titles in (
        (date(2026, 8, 31), set()),
        (date(2026, 9, 1), {"whole", "withdrawn on the 10th"}),
        (date(2026, 9, 9), {"whole", "withdrawn on the 10th"}),
        (date(2026, 9, 10), {"whole"}),
        (date(2026, 9, 30), {"whole"}),
        (date(2026, 10, 1), set()),
    ):
        with django_assert_num_queries(1):
            assert {w.title for w in active_waivers(day)} == titles, day


def test_a_waiver_excuses_what_it_names(snr) -> None:
    b02 = Series(metric_id="test.snr", unit="S2A", band="B02")
    b03 = Series(metric_id="test.snr", unit="S2A", band="B03")
    other = Series(metric_id="test.other", unit="S2A", band="B02")
    of_band = [waiver("one band", requirement=snr, unit="S2A", band="B02")]
    assert waiver_of(of_band, b02, snr.pk) == of_band[0]
    assert waiver_of(of_band, b03, snr.pk) is None
    assert waiver_of(of_band, b02, snr.pk + 1) is None
    assert waiver_of(of_band, b02) is None
    of_metric = [waiver("the metric", metric=snr.metric)]
    assert waiver_of(of_metric, b03, snr.pk) == of_metric[0]
    assert waiver_of(of_metric, b03) == of_metric[0]
    assert waiver_of(of_metric, other, snr.pk) is None
