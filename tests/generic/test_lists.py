"""Every list page, by the tests that lists share."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from mpc.accounts.policy import Role
from mpc.monitoring.models import Metric
from mpc.msi.bands import BANDS
from tests import factories
from tests.generic.cases import ListPageCase

ADMINISTRATION = frozenset({Role.ADMINISTRATOR})


class TestProducts(ListPageCase):
    url_name = "products:list"
    make = staticmethod(factories.product)
    make_bare = staticmethod(factories.bare_product)
    columns = ("Quality", "Unit", "Sensed", "Product", "Level", "Baseline", "Tile", "Cloud %")
    filters: ClassVar = {
        "unit=S2A": 2, "unit=S2A&unit=S2B": 4, "q=20260903": 1, "q=nothing": 0, "level=L1C": 6, "level=L2A": 0,
        "status=WAITING": 6, "tile=T33UUU": 6, "tile=33U": 6, "tile=44": 0, "since=2026-09-04": 3, "cloud_max=10": 0,
        "until=2026-09-02": 2, "relative_orbit=22": 6, "newest=true": 6, "baseline=05": 6, "kind=datastrip": 0,
    }  # fmt: skip
    empty_text = "Products appear here when they are uploaded"
    hostile_field = "datatake_id"


class TestArrivals(ListPageCase):
    url_name = "products:intakes"
    make = staticmethod(factories.intake)
    columns = ("When", "Result", "What came", "Why", "Product", "How", "By")
    filters: ClassVar = {"result=refused": 2, "q=arrival-003": 1, "trigger=ingest": 6, "trigger=upload": 0}
    empty_text = "Nothing has arrived yet"
    hostile_field = "message"


class TestReports(ListPageCase):
    url_name = "qc:list"
    narrow = "all=1"
    columns = ("Verdict", "Unit", "Sensed", "Product", "Level", "Baseline", "What was found")
    filters: ClassVar = {
        "verdict=FAILED": 3, "verdict=PASSED": 3, "unit=S2C": 2, "level=L2A": 0, "tile=33UUU": 6,
        "check=format.manifest.size": 3, "check=nothing": 0, "since=2026-09-05": 2, "q=20260901": 1,
    }  # fmt: skip
    unsorted = frozenset({"summary"})
    empty_text = "Reports appear here by themselves"

    @staticmethod
    def make(n: int) -> Any:
        return factories.report(n=n, verdict="FAILED" if n % 2 else "PASSED")


class TestRuns(ListPageCase):
    url_name = "runs:list"
    make = staticmethod(factories.run)
    columns = ("State", "Run", "What", "Verdict", "Progress", "Error")
    filters: ClassVar = {
        "state=failed": 1, "state=failed&state=succeeded": 3, "kind=qc.product": 6, "q=number 004": 1, "queue=qc": 6,
        "trigger=user": 6, "trigger=api": 0, "product=20260903": 1, "requested_by=somebody": 6,
        "error_kind=hopeless": 1,
    }  # fmt: skip
    empty_text = "Runs appear here when a product arrives"
    hostile_field = "title"

    @staticmethod
    def make_bare(n: int) -> Any:
        return factories.run(3, product=None, requested_by=None)


class TestDrills(ListPageCase):
    url_name = "monitoring:drills"
    columns = ("Detector", "Fault", "Magnitude", "Found in time", "False alarms", "Material")
    filters: ClassVar = {
        "detector=step": 3, "detector=step&detector=drift": 6, "fault=step": 3, "material=simulated": 6,
        "since=2026-09-04": 3, "until=2026-09-02": 2, "version=1.0": 6, "run=0": 0,
    }  # fmt: skip
    unsorted = frozenset({"mode"})
    empty_text = "A drill plants known faults"
    hostile_field = "material"

    @staticmethod
    def make(n: int, **values: Any) -> Any:
        kind = ("step", "drift")[n % 2]
        return factories.drill_record(n, **{"detector": kind, "fault": kind, "found": n, **values})


class TestComplianceChanges(ListPageCase):
    url_name = "monitoring:compliance-changes"
    make = staticmethod(factories.compliance_change)
    columns = ("Now", "Before", "Unit", "Band", "Requirement", "Why", "Since")
    filters: ClassVar = {
        "unit=S2A": 2, "after=breached": 3, "before=met": 3, "band=B03": 1, "q=REQ-002": 1, "since=2026-09-04": 3,
        "until=2026-09-02": 2,
    }  # fmt: skip
    empty_text = "A row appears here when a requirement that was met is not met any more"
    hostile_field = "why"


class TestWatches(ListPageCase):
    url_name = "monitoring:watches"
    make = staticmethod(factories.watch)
    columns = ("Metric", "Unit", "Values looked at", "Newest value", "Too little for", "Failed", "Looked at")
    filters: ClassVar = {
        "unit=S2A": 2, "what=short": 3, "what=failed": 2, "what=short&what=failed": 4, "what=well": 2,
        "since=2026-09-04": 3, "until=2026-09-02": 2, "q=no_such": 0,
    }  # fmt: skip
    empty_text = "The detectors have not looked at any series yet."
    hostile_field = "failed"


class TestDigests(ListPageCase):
    url_name = "monitoring:digests"
    make = staticmethod(factories.digest)
    columns = ("Day", "Not run or arrived", "Found", "Ran", "Mailed")
    filters: ClassVar = {"since=2026-09-03": 4, "until=2026-09-02": 2, "since=2026-09-02&until=2026-09-03": 2}
    empty_text = "A digest is made by itself soon after each midnight (UTC)"


class TestPeople(ListPageCase):
    url_name = "accounts:people"
    roles = ADMINISTRATION
    make = staticmethod(factories.member)
    columns = ("User name", "Name", "Organisation", "Roles", "State", "Last sign-in", "E-mail")
    narrow = "q=member"
    filters: ClassVar = {"q=member003": 1, "role=administrator": 3, "role=viewer": 4, "active=1": 6, "active=0": 0}
    unsorted = frozenset({"roles"})
    empty_text = "Nothing fits these filters"
    hostile_field = "display_name"

    @staticmethod
    def make_bare(n: int) -> Any:
        return factories.person(name="member", email="")


class TestOrganisations(ListPageCase):
    url_name = "accounts:organisations"
    roles = ADMINISTRATION
    make = staticmethod(factories.organisation)
    columns = ("Short name", "Name", "Kind", "Country", "People", "Active")
    filters: ClassVar = {"q=LAB003": 1, "kind=esl": 6, "kind=agency": 0, "active=1": 6, "active=0": 0}
    empty_text = "Organisations are whom people work for"
    hostile_field = "name"


class TestAudit(ListPageCase):
    url_name = "accounts:audit"
    roles = ADMINISTRATION
    make = staticmethod(factories.audit_entry)
    columns = ("When", "Who", "Action", "What", "Change", "Address")
    narrow = "action=test."
    filters: ClassVar = {
        "q=thing 004": 1, "action=test.step1": 2, "actor=SOMEBODY": 6, "actor=nobody": 0, "kind=accounts.user": 0,
        "object=1": 0, "request=x": 0, "until=2020-01-01": 0,
    }  # fmt: skip
    unsorted = frozenset({"change"})
    empty_text = "Nothing fits these filters"
    hostile_field = "label"
    hostile_column = "object_label"

    def test_changes_stand_side_by_side(self) -> None:
        self.make(1)
        html = self.browser().get(self.at()).content.decode()
        assert "roles: – → viewer" in html
        assert "note: – → number 1" in html


class TestTrends(ListPageCase):
    url_name = "monitoring:trends"
    columns = ("Metric", "Code", "In", "Values", "Series", "Newest", "Description")
    filters: ClassVar = {"q=metric003": 1, "unit=S2B": 2, "unit=S2D": 0}
    empty_text = "A metric appears here with its first value"

    @staticmethod
    def make(n: int) -> Any:
        return factories.measurement(n, metric=f"test.metric{n:03d}")


def _in_a_series_of_its_own(n: int) -> Any:
    return factories.measurement(n, band=BANDS[n % 13].name, detector=f"{1 + n // 13:02d}")


class TestTrend(ListPageCase):
    url_name = "monitoring:trend"
    columns = ("Series", "Band", "Detector", "Values", "Mean", "Median", "Std. dev.", "Min.", "Max.", "First", "Last")
    filters: ClassVar = {"unit=S2A": 2, "band=B02": 1, "since=2026-09-03": 4, "tile=T33UUU": 6, "tile=T44UUU": 0}
    empty_text = "No run has measured this yet"
    make = staticmethod(_in_a_series_of_its_own)

    def count(self, html: str) -> int:
        """The page counts values; each series here has one."""
        found = re.search(r'<p class="count"[^>]*><b>(\d+)</b> values?', html)
        return int(found[1])

    def kwargs(self) -> dict[str, Any]:
        return {"code": "image.mean_reflectance"}


class TestExplore(TestTrend):
    """Two metrics on one page; the second has no values."""

    url_name = "monitoring:explore"
    narrow = "metric=image.mean_reflectance&metric=image.other"
    filters: ClassVar = {
        "metric=image.mean_reflectance&unit=S2A": 2, "band=B02": 1,
        "zoom=2026-09-03T00:00:00Z~2026-09-04T00:00:00Z": 1,
    }  # fmt: skip

    def prepare(self) -> None:
        Metric.objects.get_or_create(code="image.other", defaults={"name": "Another"})

    def kwargs(self) -> dict[str, Any]:
        return {}


class TestCompare(ListPageCase):
    """Each row is a part of the mission that both units have."""

    url_name = "monitoring:compare"
    narrow = "metric=image.mean_reflectance&by=unit"
    columns = ("Part", "A", "B", "B less A", "In % of A", "Chance alone", "Difference is", "Compared")
    filters: ClassVar = {
        "metric=image.mean_reflectance&band=B02": 1, "detector=01": 6, "unit_a=S2B&unit_b=S2A": 6,
        "since=2030-01-01": 0,
    }  # fmt: skip
    unsorted = frozenset({"verdict", "how"})
    empty_text = "There is nothing to stand beside"

    @staticmethod
    def make(n: int) -> Any:
        part = {"band": BANDS[n % 13].name, "detector": f"{1 + n // 13:02d}", "time": factories.START}
        return [factories.measurement(2 * n + i, unit=unit, **part) for i, unit in enumerate(("S2A", "S2B"))]

    def count(self, html: str) -> int:
        return int(re.search(r'<p class="count"[^>]*><b>(\d+)</b> parts? compared', html)[1])


class TestValues(TestTrend):
    count = ListPageCase.count
    url_name = "monitoring:values"
    columns = ("Time", "Unit", "Band", "Detector", "Value", "Samples", "Product", "Run")
    filters: ClassVar = {**TestTrend.filters, "status=WAITING": 6, "status=FAILED": 0}


class TestAlerts(ListPageCase):
    url_name = "monitoring:alerts"
    narrow = "all=1"
    make = staticmethod(factories.alert)
    columns = ("Severity", "State", "Unit", "What", "Holds in", "Began", "Opened", "Whose", "Judged")
    filters: ClassVar = {
        "state=open": 3, "state=open&state=closed": 4, "severity=40": 1, "unit=S2A": 2, "q=number 004": 1,
        "q=nothing": 0, "whose=nobody": 6, "whose=me": 0, "assigned_to=somebody": 0, "kind=step": 6,
        "kind=drift": 0, "band=B02": 6,
        "band=B03": 0, "metric=image.mean_reflectance": 6, "judgement=noise": 0, "since=2026-09-04": 3,
        "until=2026-09-02": 2,
    }  # fmt: skip
    unsorted = frozenset({"parts"})
    empty_text = "An alert appears here when a detector finds a change"
    hostile_field = "title"


class TestChanges(ListPageCase):
    url_name = "monitoring:changes"
    narrow = "all=1"
    make = staticmethod(factories.change)
    columns = ("When", "What", "Metric", "Of", "Magnitude", "Explained", "By", "Why it alerts nobody")
    filters: ClassVar = {
        "unit=S2A": 2, "kind=step": 2, "kind=step&kind=drift": 4, "explained=partly": 2, "mode=live": 6,
        "mode=shadow": 0, "detector=step": 6, "band=B02": 6, "metric=nothing": 0,
        "gone=true": 1, "gone=false": 5, "since=2026-09-04": 3,
        "until=2026-09-02": 2,
    }  # fmt: skip
    unsorted = frozenset({"part"})
    empty_text = "A change appears here when a detector finds one"
    hostile_field = "text"
