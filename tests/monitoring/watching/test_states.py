"""What people do with alerts: transitions, who may, what is written down, two at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django_fsm import ConcurrentTransition

from mpc.accounts.models import AuditEntry
from mpc.accounts.policy import Role
from mpc.monitoring.alerts import announcing, snoozing, states
from mpc.monitoring.alerts.opening import Desk
from mpc.monitoring.alerts.signals import alert_opened
from mpc.monitoring.models import Alert, AlertNote
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db: None) -> Any:
    return factories.person(Role.QC_ENGINEER, name="ann")


@pytest.fixture
def bob(db: None) -> Any:
    return factories.person(Role.ESL_EXPERT, name="bob")


def seen(alert: Alert) -> int:
    return alert.notes.latest("pk").pk


def test_the_way_of_an_alert(ann: Any) -> None:
    alert = factories.alert(0)
    states.acknowledge(alert, ann)
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", ann)
    states.assign(alert, ann, to=ann)
    states.snooze(alert, ann, until=timezone.now() + timedelta(days=3), reason="wait for data")
    assert alert.state == "snoozed"
    states.judge(alert, ann, judgement="real", reason="seen in B04 too")
    assert (alert.state, alert.judgement, alert.snoozed_until) == ("acknowledged", "real", None)
    states.close(alert, ann, reason="solved")
    assert (alert.state, alert.closed_why, alert.assigned_to) == ("closed", "solved", ann)
    states.reopen(alert, ann, reason="not so")
    assert (alert.state, alert.judgement, alert.closed_at) == ("open", "", None)
    states.write_note(alert, ann, text="  hello\n there ")
    assert [(n.what, n.actor) for n in alert.notes.all()][1:] == [
        (what, ann) for what in ("acknowledged", "assigned", "snoozed", "judged", "closed", "reopened", "noted")
    ]
    assert alert.notes.latest("pk").text == "hello there"
    entry = AuditEntry.objects.get(action="monitoring.alert_close")
    assert (entry.before["state"], entry.after["state"], entry.after["why"]) == ("acknowledged", "closed", "solved")


@pytest.mark.parametrize(
    ("judgement", "state"), [("noise", "closed"), ("expected", "closed"), ("real", "acknowledged")]
)
def test_a_judgement_says_what_becomes_of_it(ann: Any, judgement: str, state: str) -> None:
    alert = states.judge(factories.alert(0), ann, judgement=judgement, reason="looked at it")
    assert (alert.state, alert.judgement, alert.judged_why) == (state, judgement, "looked at it")


@pytest.mark.parametrize(
    ("step", "values", "words"),
    [
        (states.close, {"reason": " \n"}, "Say why it is closed"),
        (states.judge, {"judgement": "nice", "reason": "x"}, "is no judgement"),
        (states.judge, {"judgement": "real", "reason": ""}, "Say why it is real"),
        (states.snooze, {"until": timezone.now() - timedelta(days=1)}, "ends in the future"),
        (states.snooze, {"until": timezone.now() + timedelta(days=999)}, "within 180 days"),
        (states.reopen, {}, "The alert is open"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_changes(ann: Any, step: Any, values: Any, words: str) -> None:
    alert = factories.alert(0)
    with pytest.raises(states.NotNow, match=words):
        step(alert, ann, **values)
    assert (alert.state, alert.notes.count()) == ("open", 1)


def test_who_may_not_does_nothing(ann: Any) -> None:
    vera = factories.person(Role.VIEWER, name="vera")
    alert = factories.alert(0)
    with pytest.raises(PermissionDenied, match="To deal with alerts takes the role"):
        states.acknowledge(alert, vera)
    with pytest.raises(states.NotNow, match="may not deal with alerts"):
        states.assign(alert, ann, to=vera)
    assert Alert.objects.get().state == "open"


def test_the_second_of_two_people_is_told_what_the_first_did(ann: Any, bob: Any) -> None:
    alert = factories.alert(0)
    looked = seen(alert)
    states.acknowledge(Alert.objects.get(), bob, seen=looked)
    with pytest.raises(states.Changed, match="Meanwhile bob acknowledged it at .* Nothing of yours was done"):
        states.close(Alert.objects.get(), ann, reason="noise", seen=looked)
    assert Alert.objects.get().state == "acknowledged"
    states.close(Alert.objects.get(), ann, reason="noise", seen=seen(alert))
    assert Alert.objects.get().state == "closed"


def test_what_one_did_oneself_is_no_conflict(ann: Any) -> None:
    alert = factories.alert(0)
    looked = seen(alert)
    states.acknowledge(alert, ann, seen=looked)
    states.assign(alert, ann, to=ann, seen=looked)
    assert alert.assigned_to == ann


def test_a_stale_object_cannot_be_saved_over_a_transition(ann: Any) -> None:
    factories.alert(0)
    stale = Alert.objects.get()
    states.close(Alert.objects.get(), ann, reason="noise")
    stale.acknowledge(ann, timezone.now())
    with pytest.raises(ConcurrentTransition):
        stale.save()


def test_the_page_says_what_changed_meanwhile(bob: Any) -> None:
    alert = factories.alert(0)
    client = factories.client(Role.QC_ENGINEER)
    looked = seen(alert)
    states.acknowledge(alert, bob, seen=looked)
    answer = client.post(f"/trends/alerts/{alert.pk}/close/", {"reason": "noise", "seen": looked}, follow=True)
    assert "Meanwhile bob acknowledged it" in answer.content.decode()
    sent = {"reason": "noise", "seen": looked}
    told = client.post(f"/api/v1/alerts/{alert.pk}/close/", sent, content_type="application/json")
    assert (told.status_code, "Meanwhile bob" in told.json()["detail"]) == (409, True)


def test_a_snoozed_alert_comes_back_when_its_time_is_over(ann: Any) -> None:
    alert = factories.alert(0)
    states.snooze(alert, ann, until=timezone.now() + timedelta(hours=1))
    assert snoozing.wake_snoozed() == 0
    assert snoozing.wake_snoozed(timezone.now() + timedelta(hours=2)) == 1
    assert Alert.objects.get().state == "open"


def test_each_opening_sends_one_signal(ann: Any) -> None:
    heard: list[tuple[int, int]] = []

    def hear(sender: Any, alert: Alert, turn: int, **_: Any) -> None:
        heard.append((alert.pk, turn))

    alert = factories.alert(0, announced_at=None)
    alert_opened.connect(hear)
    try:
        assert [announcing.announce_due() for _ in range(3)] == [1, 0, 0]
        states.close(alert, ann, reason="done")
        desk = Desk(alert.unit)
        desk.reopen(desk.closed[0], "again")
        desk.settle()
        announcing.announce_due()
        announcing.announce_due()
    finally:
        alert_opened.disconnect(hear)
    assert heard == [(alert.pk, 0), (alert.pk, 1)]


def test_a_receiver_that_fails_is_called_again_and_holds_up_no_other_alert() -> None:
    heard: list[int] = []
    broken = factories.alert(0, announced_at=None)
    sound = factories.alert(1, announced_at=None)

    def hear(sender: Any, alert: Alert, turn: int, **_: Any) -> None:
        if alert.pk == broken.pk and len(heard) < 2:
            heard.append(-1)
            raise RuntimeError("a receiver's own fault")
        heard.append(alert.pk)

    alert_opened.connect(hear)
    try:
        assert [announcing.announce_due() for _ in range(3)] == [1, 1, 0]
    finally:
        alert_opened.disconnect(hear)
    assert heard == [-1, sound.pk, broken.pk]


def test_the_time_line_is_only_added_to(ann: Any) -> None:
    alert = factories.alert(0)
    before = list(AlertNote.objects.values())
    states.acknowledge(alert, ann)
    assert list(AlertNote.objects.order_by("pk").values())[: len(before)] == before
