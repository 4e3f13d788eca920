"""Pages and endpoints of compliance, requirements, waivers and mission events, by the tests that all share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.files.uploadedfile import SimpleUploadedFile

from mpc.accounts.policy import ENGINEERS, EXPERTS
from mpc.monitoring.models import MissionEvent, Requirement, Waiver
from tests import factories
from tests.generic.cases import ApiListCase, DetailPageCase, FormPageCase, ListPageCase, PageCase, QueryCountCase


# --- Mission events --------------------------------------------------------------------------------------------------
class TestEvents(ListPageCase):
    url_name = "monitoring:events"
    make = staticmethod(factories.mission_event)
    columns = ("Start", "End", "Kind", "Title", "Unit", "Bands", "Source", "Verified", "State")
    filters: ClassVar = {
        "unit=S2A": 2, "kind=gipp": 1, "kind=gipp&kind=baseline": 2, "q=number+003": 1, "since=2026-09-03": 4,
        "until=2026-09-02": 2, "origin=csv": 0, "state=standing": 6, "state=withdrawn": 0, "verified=true": 6,
    }  # fmt: skip
    unsorted = frozenset({"bands", "detectors"})
    empty_text = "Events are recorded by hand, imported from a file"
    hostile_field = "title"


class TestEvent(DetailPageCase):
    url_name = "monitoring:event"
    make = staticmethod(factories.mission_event)
    texts = ("Event number 000", "GIPP in use", "a report", "entered by hand", "No change that a detector found")
    missing = ({"pk": 987654},)


class TestRecordEvent(FormPageCase):
    url_name = "monitoring:event-add"
    roles = ENGINEERS
    model = MissionEvent
    audited = "monitoring.event_record"
    texts = ("title", "text", "source")
    wrong: ClassVar = (
        ({"title": ""}, "This field is required"),
        ({"kind": "party"}, "Select a valid choice"),
        ({"start": "yesterday"}, "Enter a valid date/time"),
        ({"end": "2026-09-01T00:00:00"}, "It ends before it starts"),
        ({"bands": ["B99"]}, "Select a valid choice"),
    )

    def data(self) -> dict[str, Any]:
        return {
            "kind": "manoeuvre", "title": "Out of plane", "unit": "S2B", "start": "2026-09-03T10:00:00",
            "end": "2026-09-03T11:30:00", "bands": ["B11", "B12"], "source": "flight operations", "verified": "on",
        }  # fmt: skip

    def check_done(self, answer: Any) -> None:
        made = MissionEvent.objects.get()
        assert answer["Location"] == made.get_absolute_url()
        assert (made.unit, made.bands, made.detectors, made.origin) == ("S2B", ["B11", "B12"], [], "hand")
        assert (made.start.isoformat(), made.end.isoformat()) == (
            "2026-09-03T10:00:00+00:00", "2026-09-03T11:30:00+00:00"
        )  # fmt: skip
        assert made.history.get().history_user == made.created_by


class TestChangeEvent(FormPageCase):
    url_name = "monitoring:event-edit"
    roles = ENGINEERS
    model = MissionEvent
    creates = 0
    audited = "monitoring.event_change"
    texts = ("title", "source")
    wrong: ClassVar = (({"title": ""}, "This field is required"), ({"end": "2000-01-01T00:00"}, "ends before"))

    def prepare(self) -> None:
        self.event = factories.mission_event(0)

    def kwargs(self) -> dict[str, Any]:
        return {"pk": self.event.pk}

    def data(self) -> dict[str, Any]:
        return {"kind": "gipp", "title": "Another title", "unit": "S2A", "start": "2026-09-01T10:10:11"}

    def check_done(self, answer: Any) -> None:
        self.event.refresh_from_db()
        assert (self.event.title, self.event.source) == ("Another title", "")
        assert self.event.history.count() == 2


class TestImportEvents(FormPageCase):
    """The second step: what was shown is confirmed."""

    url_name = "monitoring:events-import"
    roles = ENGINEERS
    model = MissionEvent
    creates = 2
    audited = "monitoring.events_import"
    wrong: ClassVar = (
        ({"text": ""}, "Choose a file first"),
        ({"text": "a,b\n1,2"}, "kind, title, start are missing"),
        ({"text": "kind,title,start,colour\nother,x,2026-09-01,red"}, "No such column: colour"),
        ({"file": SimpleUploadedFile("x.csv", b"kind,title,start\nother,\xe9t\xe9,2026-09-01")}, "is not UTF-8"),
        ({"file": SimpleUploadedFile("x.csv", b"")}, "The file is empty"),
    )

    def data(self) -> dict[str, Any]:
        return {
            "text": "kind,title,start\nother,One,2026-09-01\nwrong,Two,2026-09-01\nother,Three,2026-09-03T10:00:00Z\n",
            "confirm": "1",
        }

    def check_done(self, answer: Any) -> None:
        assert {(e.title, e.origin) for e in MissionEvent.objects.all()} == {("One", "csv"), ("Three", "csv")}

    def test_what_was_typed_is_not_lost_when_something_is_wrong(self) -> None:
        """The file is chosen anew: a page cannot fill it in."""
        assert 'type="file"' in self.browser().post(self.post_url, {"text": "x"}).content.decode()


class TestEventsOverRest(ApiListCase):
    url_name = "api:event-list"
    make = staticmethod(factories.mission_event)
    fields = frozenset({"id", "kind", "title", "unit", "bands", "start", "end", "origin", "withdrawn_at"})
    filters: ClassVar = {"unit=S2A": 2, "kind=gipp": 1, "q=number+003": 1, "since=2026-09-03": 4, "state=withdrawn": 0}
    takes = frozenset({"post"})
    detail_name = "api:event-detail"


# --- Requirements ----------------------------------------------------------------------------------------------------
class TestRequirements(ListPageCase):
    url_name = "monitoring:requirements"
    make = staticmethod(factories.requirement)
    columns = ("Code", "Title", "Group", "Statistic", "Window, d", "Limits", "Document", "Verified")
    filters: ClassVar = {"q=REQ-003": 1, "group=radiometry": 3, "verified=true": 3, "edited=true": 0}
    empty_text = "Requirements are loaded from the centre's table"
    hostile_field = "title"


class TestRequirement(DetailPageCase):
    url_name = "monitoring:requirement"
    make = staticmethod(factories.requirement)
    texts = ("Requirement number 000", "REQ-000", "Quantity 000", "SRD", "not met", "every trend of test.quantity_000")
    missing = ({"code": "nothing"},)

    def kwargs(self) -> dict[str, Any]:
        return {"code": self.object.code}

    def fill_object(self, first: int, last: int) -> None:
        for n in range(first, last):
            factories.compliance(2, requirement=self.object, unit="S2A", band=f"B{n:02d}"[:3])


REQUIREMENT = {
    "title": "A new one", "statistic": "p95", "absolute": "on", "level": "L1C", "window_days": "90",
    "document": "SRD", "section": "4.2", "limits-TOTAL_FORMS": "2", "limits-INITIAL_FORMS": "0",
    "limits-0-high": "5", "limits-0-goal_high": "3", "limits-1-unit": "S2B", "limits-1-band": "B02",
    "limits-1-high": "6",
}  # fmt: skip
WRONG_REQUIREMENT = (
    ({"title": ""}, "This field is required"),
    ({"metric": "no.such"}, "There is no metric “no.such”"),
    ({"metric": ""}, "Say which metric"),
    ({"window_days": "0"}, "greater than or equal to 1"),
    ({"valid_from": "2026-09-02", "valid_to": "2026-09-01"}, "It ends before it begins"),
    ({"limits-0-high": "", "limits-0-goal_high": "", "limits-1-high": ""}, "needs at least one limit"),
    ({"limits-0-high": "much"}, "Enter a number"),
    ({"limits-0-low": "7"}, "leave nothing between them"),
    ({"limits-0-unit": "S2B", "limits-0-band": "B02"}, "two limits of S2B B02"),
    ({"limits-TOTAL_FORMS": "5000"}, "at most 100 forms"),
)


class TestAddRequirement(FormPageCase):
    url_name = "monitoring:requirement-add"
    roles = EXPERTS
    model = Requirement
    audited = "monitoring.requirement_make"
    texts = ("title", "document", "code")
    wrong: ClassVar = (
        *WRONG_REQUIREMENT,
        ({"code": "a b"}, "Letters, digits"),
        ({"code": "add"}, "is taken"),
        ({"code": "req-000"}, "is taken"),
    )

    def prepare(self) -> None:
        self.other = factories.requirement(0)

    def data(self) -> dict[str, Any]:
        return {**REQUIREMENT, "code": "NEW-1", "metric": self.other.metric_id}

    def check_done(self, answer: Any) -> None:
        made = Requirement.objects.get(code="NEW-1")
        assert [(m.unit, m.band, m.high, m.goal_high) for m in made.limits.all()] == [
            ("", "", 5.0, 3.0), ("S2B", "B02", 6.0, None)
        ]  # fmt: skip
        assert (made.absolute, made.from_table, made.edited) == (True, False, False)


class TestChangeRequirement(FormPageCase):
    url_name = "monitoring:requirement-edit"
    roles = EXPERTS
    model = Requirement
    creates = 0
    audited = "monitoring.requirement_change"
    texts = ("title", "note")
    wrong = WRONG_REQUIREMENT

    def prepare(self) -> None:
        self.object = factories.requirement(0, from_table=True)

    def kwargs(self) -> dict[str, Any]:
        return {"code": self.object.code}

    def data(self) -> dict[str, Any]:
        return {**REQUIREMENT, "metric": self.object.metric_id}

    def check_done(self, answer: Any) -> None:
        self.object.refresh_from_db()
        assert (self.object.title, self.object.edited) == ("A new one", True)
        assert self.object.limits.count() == 2
        assert self.object.history.count() == 2


class TestRequirementsOverRest(ApiListCase):
    url_name = "api:requirement-list"
    make = staticmethod(factories.requirement)
    fields = frozenset({"code", "title", "metric", "statistic", "limits", "verified", "document", "edited"})
    filters: ClassVar = {"q=REQ-003": 1, "group=geometry": 3, "verified=true": 3}
    takes = frozenset({"post"})
    detail_name = "api:requirement-detail"
    detail_key = "code"


# --- Waivers ---------------------------------------------------------------------------------------------------------
class TestWaivers(ListPageCase):
    url_name = "monitoring:waivers"
    make = staticmethod(factories.waiver)
    columns = ("State", "Title", "Excuses", "Unit", "Band", "From", "Until", "Reason", "By")
    filters: ClassVar = {"unit=S2A": 2, "q=number+003": 1, "state=holds": 3, "state=over": 3, "state=later": 0}
    unsorted = frozenset({"state", "excuses"})
    empty_text = "A waiver says that a breach is known and accepted"
    hostile_field = "title"


class TestWaiver(DetailPageCase):
    url_name = "monitoring:waiver"
    make = staticmethod(factories.waiver)
    texts = ("Waiver number 000", "holds", "it is known", "REQ-000", "No cell of the compliance matrix")
    missing = ({"pk": 987654},)


class TestGrantWaiver(FormPageCase):
    url_name = "monitoring:waiver-add"
    roles = EXPERTS
    model = Waiver
    audited = "monitoring.waiver_grant"
    texts = ("title", "reason", "requirement")
    wrong: ClassVar = (
        ({"reason": ""}, "This field is required"),
        ({"requirement": ""}, "Say which requirement it excuses"),
        ({"requirement": "NOTHING"}, "There is no requirement “NOTHING”"),
        ({"metric": "test.quantity_001"}, "leave the metric out"),
        ({"valid_to": "2026-10-31"}, "It ends before it begins"),
        ({"valid_to": "2036-10-31"}, "three years at most"),
        ({"band": "B99"}, "Select a valid choice"),
    )

    def prepare(self) -> None:
        self.asked = factories.requirement(0)
        factories.requirement(1)

    def data(self) -> dict[str, Any]:
        return {
            "title": "Ageing diffuser", "reason": "A new model is under way.", "requirement": "req-000",
            "unit": "S2A", "band": "B01", "valid_from": "2026-11-01", "valid_to": "2026-12-01",
        }  # fmt: skip

    def check_done(self, answer: Any) -> None:
        made = Waiver.objects.get()
        assert (made.requirement, made.unit, made.band, made.metric) == (self.asked, "S2A", "B01", None)
        assert made.author is not None
        assert answer["Location"] == made.get_absolute_url()


class TestWaiversOverRest(ApiListCase):
    url_name = "api:waiver-list"
    make = staticmethod(factories.waiver)
    fields = frozenset({"id", "state", "title", "reason", "requirement", "metric", "valid_from", "valid_to", "author"})
    filters: ClassVar = {"unit=S2A": 2, "state=holds": 3, "q=number+003": 1}
    takes = frozenset({"post"})
    detail_name = "api:waiver-detail"


# --- Compliance ------------------------------------------------------------------------------------------------------
class TestMatrix(PageCase, QueryCountCase):
    url_name = "monitoring:compliance"
    make = staticmethod(factories.compliance)
    calls: ClassVar = {"page": "", "narrowed": "unit=S2A&state=met&sort=days"}


class TestCells(ListPageCase):
    url_name = "monitoring:compliance-cells"
    make = staticmethod(factories.compliance)
    columns = ("State", "Requirement", "Unit", "Band", "Value", "Limit", "Margin", "Trend", "Days left")
    filters: ClassVar = {
        "unit=S2A": 2, "state=met": 1, "state=met&state=breached": 2, "q=REQ-003": 1, "group=geometry": 3,
        "band=B02": 0, "drifting=true": 3, "verified=true": 3,
    }  # fmt: skip
    unsorted = frozenset({"limit"})
    empty_text = "The sweeper reckons a cell for every requirement"
    hostile_field = "why"


class TestComplianceOverRest(ApiListCase):
    url_name = "api:compliance-list"
    make = staticmethod(factories.compliance)
    fields = frozenset({"requirement", "unit", "band", "state", "why", "value", "margin", "breach_on", "days_left"})
    filters: ClassVar = {"unit=S2A": 2, "state=met": 1, "q=REQ-003": 1, "drifting=true": 3}
    detail_name = "api:compliance-detail"
