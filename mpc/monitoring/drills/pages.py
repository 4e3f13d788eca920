"""Pages of the drills: the list of records, and what other pages show of them."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

import django_filters
import django_tables2 as columns
from django.http import HttpRequest

from mpc.jobs import describe_params
from mpc.monitoring.detectors.registry import Detector, all_detectors
from mpc.monitoring.drills import reading
from mpc.monitoring.drills.work import FAULTS
from mpc.monitoring.models import DrillRecord
from mpc.ui.filters import ChipFilter, DayFromFilter, DayToFilter, KeyFilter
from mpc.ui.tables import IdColumn, NumberColumn, Table, UtcColumn
from mpc.ui.views import ListPage


def _detectors() -> list[tuple[str, str]]:
    return [(detector.code, detector.title) for detector in all_detectors()]


def _faults() -> list[tuple[str, str]]:
    return [(code, planted.title) for code, planted in FAULTS.items()]


class DrillFilter(django_filters.FilterSet):
    detector = ChipFilter(choices=_detectors, label="Detector")
    fault = ChipFilter(choices=_faults, label="Fault")
    material = django_filters.CharFilter(label="Material: simulated, or a metric's code")
    version = django_filters.CharFilter(label="Version")
    run = KeyFilter(label="Run")
    since = DayFromFilter(field_name="made_at", label="From")
    until = DayToFilter(field_name="made_at", label="To")

    class Meta:
        model = DrillRecord
        fields: list[str] = []


class DrillTable(Table):
    detector = columns.Column(linkify=("monitoring:detector", [columns.A("detector")]))
    version = columns.Column(attrs={"td": {"class": "short"}})
    mode = columns.Column(accessor="params__mode", verbose_name="Mode", orderable=False)
    fault = columns.Column(empty_values=())
    magnitude = columns.Column(attrs={"td": {"class": "nowrap"}})
    detection_rate = NumberColumn(verbose_name="Found in time")
    latency_points = NumberColumn(verbose_name="Latency, points", digits=1)
    latency_days = NumberColumn(verbose_name="Latency, days", digits=1)
    latency_points_p90 = NumberColumn(verbose_name="90 %, points", digits=1)
    false_alarms = NumberColumn(verbose_name="False alarms")
    series_years = NumberColumn(verbose_name="Series-years", digits=1)
    series_count = NumberColumn(verbose_name="Series")
    points_per_year = NumberColumn(verbose_name="Points a year", digits=0)
    material = IdColumn(linkify=False)
    made_at = UtcColumn(verbose_name="Made", style="min")
    run = columns.Column(accessor="run_id", linkify=("runs:detail", [columns.A("run_id")]), order_by=("run",))

    class Meta(Table.Meta):
        model = DrillRecord
        fields: tuple[str, ...] = ()
        order_by = ("-made_at",)

    def render_fault(self, value: str) -> str:
        return reading.fault_title(value)

    def render_detection_rate(self, value: float, record: DrillRecord) -> str:
        low, high = 100 * (record.rate_low or 0), 100 * (record.rate_high or 0)
        return f"{100 * value:.1f} % ({low:.0f} to {high:.0f})"

    def render_run(self, value: int) -> str:
        return f"run {value}"


class DrillList(ListPage):
    policy_action = "monitoring.view"
    title = "Fault drills"
    subtitle = (
        "What each detector was worth against known faults: how often it found them, how late, how often it cried"
    )
    queryset = DrillRecord.objects.all()
    filterset_class = DrillFilter
    table_class = DrillTable
    template_name = "monitoring/drills/list.html"
    primary_filters = ("detector", "fault")
    columns_off = ("version", "mode", "latency_points_p90", "series_years", "series_count", "points_per_year")
    empty_text = (
        "A drill plants known faults (steps, drifts, noise, a dead detector, missing data) in copies of series and "
        "measures what the detectors make of them. One runs each week; start one here to see its records now."
    )
    empty_action = ("See the detectors", "monitoring:detectors")


# --- On other pages --------------------------------------------------------------------------------------------------
def record_panel(request: HttpRequest, detector: Detector) -> dict[str, Any]:
    """On a detector's page: its own measured record. One query."""
    records = reading.records_of(detector.code)
    return {
        "detector": detector,
        "worths": reading.newest_of(records),
        "newest": records[0] if records else None,
        "alone": next((reading.Worth(r) for r in records if not r.fault), None),
        "rates": reading.rate_figure(records),
        "latencies": reading.latency_figure(records),
        "alarms": reading.false_figure(records),
    }


def method_panel(request: HttpRequest, detector: Detector) -> dict[str, Any]:
    """On a detector's page: its method, in the words of the module that does it, and the bounds of its parameters."""
    module = sys.modules[detector.params.__module__]
    paragraphs = [part for part in plain_words(module.__doc__ or "").split("\n\n") if part]
    return {
        "paragraphs": [(part.startswith((" ", "\t")), inspect.cleandoc(part)) for part in paragraphs],
        "bounded": [p for p in describe_params(detector.params) if p.minimum is not None or p.maximum is not None],
    }


def plain_words(text: str) -> str:
    """A docstring without the marks that name code: a page has none to lead to."""
    without_roles = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"\1", inspect.cleandoc(text))
    return without_roles.replace("``", "")


def run_panel(request: HttpRequest, run: Any) -> dict[str, Any] | None:
    """On the page of a drill's run: its records."""
    if run.kind != "monitoring.drill":
        return None
    records = list(DrillRecord.objects.filter(run=run).order_by("detector", "fault", "pk"))
    return {"worths": [reading.Worth(record) for record in records]} if records else None
