"""The pages and the endpoint of the catalogue of metrics, by the tests that such pages share."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from django.core.management import call_command

from mpc.accounts.policy import ENGINEERS
from mpc.monitoring.models import Metric
from tests import factories
from tests.generic.cases import ApiListCase, DetailPageCase, FormPageCase, ListPageCase, text_of

CODE = "image.mean_reflectance"


def _measured(n: int) -> Any:
    return factories.measurement(n, metric=f"test.metric{n:03d}")


class TestCatalogue(ListPageCase):
    url_name = "monitoring:catalogue"
    columns = ("Metric", "Code", "In", "Belongs to", "Better", "Kind", "Values", "Series", "Newest", "Description")
    filters: ClassVar = {"has=yes": 6, "has=no": 0, "kind=declared": 0, "direction=low": 0, "edited=false": 6}
    empty_text = "No job of this centre declares a metric that fits"
    make = staticmethod(_measured)

    def prepare(self) -> None:
        Metric.objects.all().delete()


class TestMetricPage(DetailPageCase):
    url_name = "monitoring:metric"
    texts = (CODE, "Mean reflectance of a band", "Exact mean of the counts", "S2A L1C 05.11 B02")
    missing = ({"code": "no.such"}, {"code": "x" * 300}, {"code": "ä'%"})

    @staticmethod
    def make(n: int) -> Any:
        return Metric.objects.get(code=CODE)

    def kwargs(self) -> dict[str, Any]:
        return {"code": CODE}

    def fill_object(self, first: int, last: int) -> None:
        for n in range(first, last):
            factories.measurement(3 * n, band="B02", detector=f"{n:02d}")
            self.object.description = f"described {n}"
            self.object.save()


class TestMetricEdit(FormPageCase):
    url_name = "monitoring:metric-edit"
    roles = ENGINEERS
    model = Metric
    creates = 0
    audited = "monitoring.metric_change"
    texts = ("name", "description", "method", "document", "group")
    wrong: ClassVar = (
        ({"name": ""}, "This field is required"),
        ({"direction": "sideways"}, "Select a valid choice"),
        ({"direction": "target", "target": ""}, "Say which value is aimed at"),
        ({"target": "inf"}, "Enter a number"),
        ({"target": "many"}, "Enter a number"),
    )

    def kwargs(self) -> dict[str, Any]:
        return {"code": CODE}

    def data(self) -> dict[str, Any]:
        return {
            "name": "Reflectance", "description": "what a person says", "method": "so", "document": "ATBD 1",
            "group": "image", "per_band": "on", "direction": "target", "target": "0.2", "watched": "on",
        }  # fmt: skip

    def check_done(self, answer: Any) -> None:
        metric = Metric.objects.get(code=CODE)
        assert (metric.name, metric.direction, metric.target, metric.edited) == ("Reflectance", "target", 0.2, True)
        assert metric.unit == ""
        assert metric.history.first().history_user is not None
        call_command("migrate", verbosity=0)
        assert Metric.objects.get(code=CODE).name == "Reflectance"


class TestCatalogueApi(ApiListCase):
    url_name = "api:catalogue-list"
    detail_name, detail_key = "api:catalogue-detail", "code"
    fields: ClassVar = {"code", "name", "unit", "direction", "target", "declared", "edited", "values", "last_time"}
    filters: ClassVar = {"q=metric003": 1, "has=yes": 6, "has=no": 0}
    make = staticmethod(_measured)

    def prepare(self) -> None:
        Metric.objects.all().delete()


@pytest.mark.django_db
class TestPatch:
    url = f"/api/v1/catalogue/{CODE}/"

    def test_fields_are_changed_and_the_rest_stays(self):
        browser = factories.client(next(iter(ENGINEERS)))
        answer = browser.patch(self.url, {"target": 0.3, "direction": "target"}, content_type="application/json")
        assert answer.status_code == 200, answer.content
        found = answer.json()
        assert (found["target"], found["edited"], found["name"]) == (0.3, True, "Mean reflectance of a band")

    @pytest.mark.parametrize(
        ("sent", "field", "words"),
        [
            ({"name": ""}, "name", "blank"),
            ({"direction": "sideways"}, "direction", "not a valid choice"),
            ({"direction": "target"}, "target", "Say which value"),
        ],
    )
    def test_what_is_wrong_is_said(self, sent, field, words):
        browser = factories.client(next(iter(ENGINEERS)))
        answer = browser.patch(self.url, sent, content_type="application/json")
        assert answer.status_code == 400
        assert words in str(answer.json()[field])
        assert not Metric.objects.get(code=CODE).edited

    def test_code_and_unit_stay(self):
        browser = factories.client(next(iter(ENGINEERS)))
        browser.patch(self.url, {"code": "other", "unit": "%", "edited": True}, content_type="application/json")
        metric = Metric.objects.get(code=CODE)
        assert (metric.unit, metric.edited) == ("", False)


@pytest.mark.django_db
def test_never_measured_is_said_and_what_has_values_comes_first():
    browser = factories.client(next(iter(ENGINEERS)))
    factories.measurement(0, metric="zz.last")
    rows = json.loads(text_of(browser.get("/trends/catalogue/?format=json")))
    assert rows[0]["code"] == "zz.last"
    html = browser.get("/trends/catalogue/?q=image.mean").content.decode()
    assert "never measured" in html
    assert "Never measured" in browser.get(f"/trends/catalogue/{CODE}/").content.decode()


@pytest.mark.django_db
def test_what_was_edited_is_read_in_the_history_and_taken_back():
    browser = factories.client(next(iter(ENGINEERS)), name="eve")
    browser.patch(f"/api/v1/catalogue/{CODE}/", {"name": "By a person"}, content_type="application/json")
    html = browser.get(f"/trends/catalogue/{CODE}/").content.decode()
    assert "Mean reflectance of a band → By a person" in html
    assert "eve" in html
    answer = browser.post(f"/trends/catalogue/{CODE}/follow/", follow=True)
    assert "The entry says what the software declares." in answer.content.decode()
    metric = Metric.objects.get(code=CODE)
    assert (metric.name, metric.edited) == ("Mean reflectance of a band", False)
    factories.measurement(0, metric="zz.undeclared")
    answer = browser.post("/trends/catalogue/zz.undeclared/follow/", follow=True)
    assert "No job of this software declares this metric." in answer.content.decode()
