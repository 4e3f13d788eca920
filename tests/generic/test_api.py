"""Every list of the REST API, by the tests that such lists share."""

from __future__ import annotations

from typing import Any, ClassVar

from mpc.jobs import all_jobs
from mpc.msi.bands import BANDS
from tests import factories
from tests.generic.cases import ApiListCase


class TestProducts(ApiListCase):
    url_name = "api:product-list"
    detail_name, detail_key = "api:product-detail", "name"
    make = staticmethod(factories.product)
    takes = frozenset({"post"})
    fields: ClassVar = {"id", "name", "level", "unit", "status", "sensing_start", "bounds", "size", "cloud_cover"}
    filters: ClassVar = {"unit=S2A": 2, "q=20260903": 1, "level=L2A": 0, "tile=T33UUU": 6, "since=2026-09-04": 3}


class TestArrivals(ApiListCase):
    url_name = "api:arrival-list"
    detail_name = "api:arrival-detail"
    make = staticmethod(factories.intake)
    fields: ClassVar = {"id", "at", "trigger", "source", "result", "message", "product"}
    filters: ClassVar = {"result=refused": 2, "q=arrival-003": 1, "trigger=upload": 0}


class TestRuns(ApiListCase):
    url_name = "api:run-list"
    detail_name = "api:run-detail"
    make = staticmethod(factories.run)
    takes = frozenset({"post"})
    fields: ClassVar = {"id", "kind", "title", "state", "product", "requested_by", "worker", "progress", "verdict"}
    filters: ClassVar = {"state=failed": 1, "kind=qc.product": 6, "q=number 004": 1, "trigger=api": 0, "queue=qc": 6}


class TestReports(ApiListCase):
    url_name = "api:report-list"
    detail_name, detail_key = "api:report-detail", "product"
    fields: ClassVar = {"product", "verdict", "summary", "counts", "required_failed", "run", "made"}
    filters: ClassVar = {"verdict=FAILED": 3, "unit=S2C": 2, "check=format.manifest.size": 3, "q=20260901": 1}

    @staticmethod
    def make(n: int) -> Any:
        return factories.report(n=n, verdict="FAILED" if n % 2 else "PASSED")


class TestMetrics(ApiListCase):
    url_name = "api:metric-list"
    detail_name, detail_key = "api:metric-detail", "code"
    fields: ClassVar = {"code", "name", "unit", "description", "method", "series", "values", "last_time"}
    filters: ClassVar = {"q=metric003": 1, "unit=S2B": 2}

    @staticmethod
    def make(n: int) -> Any:
        return factories.measurement(n, metric=f"test.metric{n:03d}")


def _in_a_series_of_its_own(n: int) -> Any:
    return factories.measurement(n, band=BANDS[n % 13].name, detector=f"{1 + n // 13:02d}")


class TestSeries(ApiListCase):
    url_name = "api:series-list"
    detail_name = "api:series-detail"
    make = staticmethod(_in_a_series_of_its_own)
    fields: ClassVar = {"id", "metric", "unit", "band", "detector", "site", "level", "baseline", "values"}
    filters: ClassVar = {"unit=S2A": 2, "band=B02": 1, "metric=nothing": 0}


class TestMeasurements(ApiListCase):
    url_name = "api:measurement-list"
    detail_name = "api:measurement-detail"
    make = staticmethod(factories.measurement)
    fields: ClassVar = {"id", "metric", "unit", "band", "time", "value", "uncertainty", "samples", "product", "run"}
    filters: ClassVar = {"unit=S2A": 2, "band=B02": 6, "band=B03": 0, "since=2026-09-04T00:00:00Z": 3, "run=0": 0}


class TestWorkers(ApiListCase):
    url_name = "api:worker-list"
    paged = False
    make = staticmethod(factories.worker)
    fields: ClassVar = {"id", "name", "host", "pid", "queues", "concurrency", "software_version", "running"}


class TestJobs(ApiListCase):
    """The kinds of work are declared, not made."""

    url_name = "api:job-list"
    paged = False
    fields: ClassVar = {"kind", "title", "description", "needs_product", "queue", "params"}

    @staticmethod
    def make(n: int) -> Any:
        return None

    @property
    def rows(self) -> int:
        return sum(not job.hidden for job in all_jobs())


class TestAlerts(ApiListCase):
    url_name = "api:alert-list"
    detail_name = "api:alert-detail"
    make = staticmethod(factories.alert)
    fields: ClassVar = {"id", "title", "unit", "severity", "state", "judgement", "time", "opened_at", "assigned_to"}
    filters: ClassVar = {"state=open": 3, "severity=40": 1, "unit=S2A": 2, "kind=drift": 0, "whose=nobody": 6}


class TestChanges(ApiListCase):
    url_name = "api:change-list"
    detail_name = "api:change-detail"
    make = staticmethod(factories.change)
    fields: ClassVar = {"id", "series", "metric", "detector", "mode", "kind", "time", "magnitude", "explained", "held"}
    filters: ClassVar = {"kind=step": 2, "mode=shadow": 0, "unit=S2A": 2, "explained=partly": 2, "gone=true": 1}
