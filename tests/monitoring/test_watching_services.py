"""Requirements, waivers and events are changed by rules that pages and API share."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from mpc.accounts.models import AuditEntry
from mpc.accounts.roles import Role
from mpc.monitoring.events.services import CannotChange, change_event, withdraw_event
from mpc.monitoring.models import MissionEvent, Requirement, RequirementLimit, Waiver
from mpc.monitoring.requirements.limits import limits_of
from mpc.monitoring.requirements.services import change_requirement
from mpc.monitoring.waivers import services as waivers
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def expert() -> Client:
    return factories.client(Role.ESL_EXPERT)


def send(browser: Client, method: str, address: str, data: Any) -> Any:
    return getattr(browser, method)(f"/api/v1/{address}", data, content_type="application/json")


# --- Requirements ----------------------------------------------------------------------------------------------------
def test_what_is_equal_changes_nothing() -> None:
    found, person = factories.requirement(0), factories.person(Role.OPERATOR)
    assert change_requirement(found, person, {"title": found.title}, limits_of(found)) is False
    assert (found.history.count(), found.edited) == (1, False)
    assert not AuditEntry.objects.filter(action="monitoring.requirement_change").exists()


def test_limits_that_stay_keep_their_row_and_what_goes_keeps_its_history() -> None:
    found = factories.requirement(0, limits=({"high": 5.0}, {"band": "B02", "high": 6.0}))
    kept = found.limits.get(band="")
    person = factories.person(Role.OPERATOR)
    assert change_requirement(found, person, {}, [("", "", None, 5.0, None, None), ("S2A", "", 1.0, None, None, None)])
    assert found.limits.get(band="", unit="").pk == kept.pk
    assert kept.history.count() == 1
    kinds = list(RequirementLimit.history.order_by("history_id").values_list("band", "unit", "history_type"))
    assert kinds[2:] == [("", "S2A", "+"), ("B02", "", "-")]
    assert {r.history_user for r in RequirementLimit.history.exclude(history_type="+")} == {person}
    entry = AuditEntry.objects.get(action="monitoring.requirement_change")
    assert entry.before == {"limits": [["", "", None, 5.0, None, None], ["", "B02", None, 6.0, None, None]]}


def test_who_may_not_changes_nothing() -> None:
    found, viewer = factories.requirement(0), factories.person(Role.QC_ENGINEER)
    with pytest.raises(PermissionDenied, match="takes the role"):
        change_requirement(found, viewer, {"title": "x"})
    with pytest.raises(PermissionDenied):
        waivers.grant(viewer, {})


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"limits": []}, "limits"),
        ({"limits": [{}]}, "limits"),
        ({"limits": [{"low": 2.0, "high": 1.0}]}, "limits"),
        ({"limits": [{"low": 1.0}, {"low": 2.0}]}, "limits"),
        ({"limits": [{"band": "B99", "low": 1.0}]}, "limits"),
        ({"statistic": "luck"}, "statistic"),
        ({"metric": "no.such"}, "metric"),
        ({"code": "OTHER"}, "code"),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "valid_to"),
    ],
)
def test_the_api_says_what_is_wrong_with_which_field(expert: Client, data: Any, field: str) -> None:
    factories.requirement(0)
    answer = send(expert, "patch", "requirements/REQ-000/", data)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert limits_of(Requirement.objects.get()) == (("", "", None, 5.0, None, 3.0),)


# --- Waivers and events ----------------------------------------------------------------------------------------------
def test_what_is_withdrawn_is_not_withdrawn_again(expert: Client) -> None:
    waiver, event = factories.waiver(0), factories.mission_event(0)
    for address in (f"waivers/{waiver.pk}/withdraw/", f"events/{event.pk}/withdraw/"):
        assert send(expert, "post", address, {"reason": "wrong"}).status_code == 200
        again = send(expert, "post", address, {"reason": "wrong"})
        assert (again.status_code, "withdrawn already" in again.json()["detail"]) == (409, True)
    assert send(expert, "patch", f"events/{event.pk}/", {"title": "x"}).status_code == 409
    assert Waiver.objects.get().withdrawn_at is not None
    assert MissionEvent.objects.get().withdrawn_why == "wrong"


def test_an_event_is_withdrawn_with_a_reason() -> None:
    event, person = factories.mission_event(0), factories.person(Role.QC_ENGINEER)
    with pytest.raises(CannotChange, match="Say why"):
        withdraw_event(event, person, " \x00 ")
    assert change_event(event, person, {"title": event.title}) is False
    assert event.history.count() == 1


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"unit": "X"}, "unit"),
        ({"bands": ["B99"]}, "bands"),
        ({"detectors": ["13"]}, "detectors"),
        ({"end": "2000-01-01T00:00:00Z"}, "end"),
    ],
)
def test_an_event_that_cannot_be_is_refused(expert: Client, data: Any, field: str) -> None:
    event = {"kind": "other", "title": "x", "start": "2026-09-01T00:00:00Z", **data}
    answer = send(expert, "post", "events/", event)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not MissionEvent.objects.exists()
