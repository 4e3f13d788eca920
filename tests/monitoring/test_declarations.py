"""What jobs declare stands in the catalogue; what a person changed stays."""

from __future__ import annotations

import dataclasses

import pytest
from django.core.management import call_command

from mpc.monitoring import catalogue
from mpc.monitoring.models import Metric
from qc.checks import metrics

pytestmark = pytest.mark.django_db


@dataclasses.dataclass(frozen=True)
class Short:
    """What a declaration must say at least."""

    code: str = "a.share"
    name: str = "A share"
    unit: str = "%"
    description: str = "what it is"
    method: str = "how it is counted"


@dataclasses.dataclass(frozen=True)
class Long(Short):
    document: str = "ATBD 3.2"
    group: str = "image"
    per_band: bool = True
    per_detector: bool = True
    per_site: bool = False
    direction: str = "target"
    target: float | None = 1.0
    declared: bool = True


@pytest.fixture
def declare(monkeypatch):
    monkeypatch.setattr(catalogue, "_declared", {})

    def once(*declarations):
        catalogue.declare_metrics(declarations)
        catalogue.refresh_catalogue()
        return Metric.objects.get(code=declarations[0].code)

    return once


def test_every_declared_metric_has_its_row_after_a_migration(capsys):
    Metric.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert set(Metric.objects.values_list("code", flat=True)) >= {metric.code for metric in metrics.METRICS}


def test_a_short_declaration_leaves_the_defaults(declare):
    metric = declare(Short())
    assert (metric.name, metric.unit, metric.description, metric.method) == (
        *("A share", "%", "what it is", "how it is counted"),
    )
    assert (metric.document, metric.group, metric.direction, metric.target) == ("", "", "", None)
    assert (metric.per_band, metric.per_detector, metric.per_site, metric.declared) == (False,) * 4


def test_a_long_declaration_fills_every_field(declare):
    metric = declare(Long())
    assert {name: getattr(metric, name) for name in catalogue.MAY_BE_SAID} == {
        "document": "ATBD 3.2", "group": "image", "per_band": True, "per_detector": True, "per_site": False,
        "direction": "target", "target": 1.0, "declared": True,
    }  # fmt: skip


def test_the_catalogue_keeps_up_with_the_declaration_and_its_history_says_so(declare):
    declare(Short())
    metric = declare(Short(name="Another name"))
    assert metric.name == "Another name"
    assert [h.name for h in metric.history.all()] == ["Another name", "A share"]
    declare(Short(name="Another name"))
    assert metric.history.count() == 2


def test_what_a_person_changed_is_never_overwritten(declare):
    declare(Short())
    Metric.objects.filter(code="a.share").update(edited=True, name="A person's name")
    assert declare(Short(name="Another name")).name == "A person's name"


def test_what_products_say_of_themselves_is_declared():
    declared = {metric.code for metric in metrics.METRICS if metric.declared}
    assert declared == {
        "product.cloud_cover", "product.degraded_msi", "product.degraded_anc", "datastrip.lost_packets",
        "product.sun_zenith",
    }  # fmt: skip
    assert {m.code for m in metrics.METRICS if m.per_band} == {"image.mean_reflectance", "image.detector_step"}
