"""Every page of one object, by the tests that such pages share."""

from __future__ import annotations

from typing import Any

from mpc.accounts.policy import Role
from mpc.monitoring.models import AlertNote, MissionEvent, Notification
from mpc.msi.bands import BANDS
from mpc.runs.models import State
from tests import factories
from tests.generic.cases import DetailPageCase, PageCase
from tests.qc import making

ADMINISTRATION = frozenset({Role.ADMINISTRATOR})


class TestProduct(DetailPageCase):
    url_name = "products:detail"
    make = staticmethod(factories.product)
    make_bare = staticmethod(factories.bare_product)
    texts = ("S2A_MSIL1C_20260901T101011", "T33UUU", "GS2B_20260901", "05.11", "R2EQOG", "FAILED")
    missing = ({"name": "S2A_NOTHING"}, {"name": "x" * 300}, {"name": "ä'%"})

    def kwargs(self) -> dict[str, Any]:
        return {"name": self.object.name}

    def fill_object(self, first: int, last: int) -> None:
        """Versions, arrivals, runs, values; of the reports only the newest counts."""
        for n in range(first, last):
            factories.product(100 + n, unit=self.object.unit, observation=self.object.observation)
            factories.intake(1 + 3 * n, product=self.object)
            factories.run(n, product=self.object, state=State.SUCCEEDED)
            factories.measurement(n, product=self.object, band=BANDS[n % 13].name, detector=f"{1 + n // 13:02d}")
        if first == 0:
            factories.report(self.object, "FAILED")


class TestRun(DetailPageCase):
    url_name = "runs:detail"
    texts = ("Quality control number 000", "line 2", "Note2", "host:1", "qc.product")
    missing = ({"pk": 987654321},)

    @staticmethod
    def make(n: int) -> Any:
        return factories.run(n, state=State.FAILED, error="band B02 cannot be read", params={"text": "hello"})

    @staticmethod
    def make_bare(n: int) -> Any:
        return factories.run(3, product=None, requested_by=None, kind="gone.job", title="a job of an older version")

    def fill_object(self, first: int, last: int) -> None:
        for n in range(first, last):
            factories.log_line(self.object, n)
            factories.attempt(self.object, n + 1)
            factories.artifact(self.object, f"note{n}")
        if first == 0:
            factories.worker()


class TestReport(DetailPageCase):
    url_name = "qc:report"
    texts = ("FAILED", "1 file has another size", "SENSOR_QUALITY", "B8A")
    missing = ({"name": "S2A_NOTHING"},)
    make = staticmethod(factories.product)
    make_bare = staticmethod(factories.bare_product)  # a product that was not checked yet

    def kwargs(self) -> dict[str, Any]:
        return {"name": self.object.name}

    def fill_object(self, first: int, last: int) -> None:
        """A report as long as asked for: checks, reports of the on-line control, images."""
        making.make_report(
            self.object,
            "FAILED",
            making.SOME_WRONG + tuple(making.Check(f"format.check{n}", items=("x",)) for n in range(last)),
            statistics=tuple(
                making.band(BANDS[n % 13].name, (10, 20, 60)[n // 13 % 3], tile=f"33UU{'UVWXY'[n // 39]}")
                for n in range(last)
            ),
            olqc_reports=tuple(making.olqc() for _ in range(last)),
        )


class TestDigest(DetailPageCase):
    url_name = "monitoring:digest"
    make = staticmethod(factories.digest)
    texts = ("Digest of 2026-09-01", "What did not run or arrive", "Runs ended", "nothing was looked at")
    missing = ({"day": "2026-09-03"}, {"day": "2026-13-45"}, {"day": "x" * 300}, {"day": "20260901"})

    def kwargs(self) -> dict[str, Any]:
        return {"day": self.object.day.isoformat()}

    def fill_object(self, first: int, last: int) -> None:
        """Other days; what a digest holds is part of its row."""
        for n in range(first, last):
            factories.digest(1 + n if n % 2 else -1 - n)


class TestDigestSoFar(PageCase):
    url_name = "monitoring:digest-today"


class TestPerson(DetailPageCase):
    url_name = "accounts:person"
    roles = ADMINISTRATION
    make = staticmethod(factories.member)
    texts = ("Member Number 0", "member000", "LAB000", "member000@example.org", "Administrator")
    missing = ({"pk": 987654321},)

    @staticmethod
    def make_bare(n: int) -> Any:
        return factories.person(email="")

    def fill_object(self, first: int, last: int) -> None:
        for n in range(first, min(last, first + 15)):  # an account holds at most twenty tokens
            factories.token(self.object, f"token {n}")
        for n in range(first, last):
            factories.organisation(100 + n)


class TestOrganisation(DetailPageCase):
    url_name = "accounts:organisation"
    roles = ADMINISTRATION
    make = staticmethod(factories.organisation)
    texts = ("Laboratory 000", "LAB000")
    missing = ({"pk": 987654321},)


class TestToday(PageCase):
    url_name = "home"
    without_role = 200


class TestSearch(PageCase):
    url_name = "search"
    without_role = 200


class TestWorkers(PageCase):
    url_name = "runs:workers"


class TestProfile(PageCase):
    url_name = "accounts:profile"
    without_role = 200


class TestApiDescription(PageCase):
    url_name = "api-docs"


class TestAlert(DetailPageCase):
    url_name = "monitoring:alert"
    make = staticmethod(factories.alert)
    texts = ("S2A: step number 000", "part number 0", "Mean reflectance", "What to do next", "note number 2")
    missing = ({"pk": 987654321},)

    def fill_object(self, first: int, last: int) -> None:
        for n in range(first, last):
            factories.alert_part(self.object, 100 + n)
            AlertNote.objects.create(alert=self.object, at=factories.START, what="noted", text=f"note number {n}")
            subscription = factories.subscription(self.somebody, n)
            Notification.objects.create(alert=self.object, subscription=subscription, next_at=factories.START)
            MissionEvent.objects.create(kind="gipp", title=f"event {n}", start=self.object.time)


class TestDetectors(PageCase):
    url_name = "monitoring:detectors"


class TestDetector(PageCase):
    url_name = "monitoring:detector"

    def prepare(self) -> None:
        for n in range(3):
            factories.detector_setting(n)

    def kwargs(self) -> dict[str, Any]:
        return {"code": "step"}


class TestCompare(PageCase):
    url_name = "monitoring:detector-compare"

    def prepare(self) -> None:
        for n in range(6):
            factories.change(n, mode="shadow" if n % 2 else "live")
        factories.detector_setting()

    def kwargs(self) -> dict[str, Any]:
        return {"code": "step"}


class TestSubscriptions(PageCase):
    url_name = "monitoring:subscriptions"
