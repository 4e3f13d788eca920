"""Lists that the digest's numbers lead to: cells that began to stand otherwise, and series that the detectors watch."""

from __future__ import annotations

import django_filters
import django_tables2 as columns
from django.db.models import Q, QuerySet
from django.utils.safestring import SafeString

from mpc.monitoring.compliance.matrix import WORDS, WORST_FIRST
from mpc.monitoring.models import Compliance, ComplianceChange, Watch
from mpc.msi.bands import BANDS
from mpc.msi.units import UNITS
from mpc.ui.filters import ChipFilter, DayFromFilter, DayToFilter, SearchFilter
from mpc.ui.tables import NumberColumn, Table, UnitColumn, UtcColumn, WhyColumn
from mpc.ui.templatetags import mpc as tags
from mpc.ui.views import ListPage

UNIT_CHOICES = [(unit, unit) for unit in UNITS]
BAND_CHOICES = [(band.name, band.name) for band in BANDS]
STATE_CHOICES = [(state.value, WORDS[state][1]) for state in WORST_FIRST]
_SHORT = {"td": {"class": "short"}}


# --- Cells that stand otherwise --------------------------------------------------------------------------------------
class ComplianceChangeFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("requirement__code", "requirement__title", "why"), placeholder="Requirement or reason")
    unit = ChipFilter(choices=UNIT_CHOICES)
    after = ChipFilter(choices=STATE_CHOICES, label="Now")
    before = ChipFilter(choices=STATE_CHOICES, label="Before")
    band = django_filters.ChoiceFilter(choices=BAND_CHOICES, label="Band")
    since = DayFromFilter(field_name="at", label="From")
    until = DayToFilter(field_name="at", label="To")

    class Meta:
        model = ComplianceChange
        fields: list[str] = []


class StateColumn(columns.Column):
    """The state of a cell with its sign; empty before the first one."""

    def render(self, record: ComplianceChange, bound_column: columns.columns.BoundColumn) -> SafeString:
        kind, word = WORDS[Compliance.State(getattr(record, bound_column.name))]
        return tags.tag(word, label=word, kind=kind)


class ComplianceChangeTable(Table):
    after = StateColumn(verbose_name="Now")
    before = StateColumn(verbose_name="Before")
    unit = UnitColumn()
    band = columns.Column(attrs=_SHORT, default="")
    requirement = columns.Column(
        linkify=("monitoring:requirement", [columns.A("requirement__code")]),
        order_by=("requirement__title",),
        attrs={"td": {"class": "prose"}},
    )
    why = WhyColumn()
    at = UtcColumn(verbose_name="Since", style="min")

    class Meta(Table.Meta):
        model = ComplianceChange
        fields: tuple[str, ...] = ()
        order_by = ("-at",)


class ComplianceChangeList(ListPage):
    policy_action = "monitoring.view"
    title = "Requirements that stood otherwise"
    subtitle = "Each time that a cell of the compliance matrix changed its state"
    queryset = ComplianceChange.objects.select_related("requirement")
    filterset_class = ComplianceChangeFilter
    table_class = ComplianceChangeTable
    primary_filters = ("q", "unit", "after")
    empty_text = "A row appears here when a requirement that was met is not met any more, or is met again."
    empty_action = ("See the matrix", "monitoring:compliance")


# --- Series that the detectors watch ---------------------------------------------------------------------------------
class WatchFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("series__metric__code", "series__metric__name"), placeholder="Metric")
    unit = ChipFilter(field_name="series__unit", choices=UNIT_CHOICES)
    band = django_filters.ChoiceFilter(field_name="series__band", choices=BAND_CHOICES, label="Band")
    what = ChipFilter(
        choices=[("short", "too short for a detector"), ("failed", "a detector failed"), ("well", "looked at by all")],
        method="by_outcome",
        label="How it went",
    )
    since = DayFromFilter(field_name="looked_at", label="Looked at from")
    until = DayToFilter(field_name="looked_at", label="Looked at to")

    class Meta:
        model = Watch
        fields: list[str] = []

    def by_outcome(self, rows: QuerySet, name: str, value: list[str]) -> QuerySet:
        conditions = {"short": ~Q(too_little=""), "failed": ~Q(failed=""), "well": Q(too_little="", failed="")}
        wanted = Q(pk__in=[])
        for one in value:
            wanted |= conditions[one]
        return rows.filter(wanted) if value else rows


class WatchTable(Table):
    metric = columns.Column(
        accessor="series__metric__name",
        verbose_name="Metric",
        linkify=("monitoring:trend", [columns.A("series__metric_id")]),
        attrs={"td": {"class": "prose"}},
    )
    unit = UnitColumn(accessor="series__unit")
    band = columns.Column(accessor="series__band", attrs=_SHORT, default="")
    level = columns.Column(accessor="series__level", attrs=_SHORT, default="")
    baseline = columns.Column(accessor="series__baseline", attrs=_SHORT, default="")
    detector = columns.Column(accessor="series__detector", verbose_name="Detector", attrs=_SHORT, default="")
    count = NumberColumn(verbose_name="Values looked at")
    newest = UtcColumn(verbose_name="Newest value", style="min")
    too_little = WhyColumn(verbose_name="Too little for")
    failed = WhyColumn(verbose_name="Failed")
    looked_at = UtcColumn(verbose_name="Looked at", style="min")

    class Meta(Table.Meta):
        model = Watch
        fields: tuple[str, ...] = ()
        order_by = ("-looked_at",)


class WatchList(ListPage):
    policy_action = "monitoring.view"
    title = "Series that the detectors watch"
    subtitle = "When each was looked at last, and where a detector had too little data or failed"
    queryset = Watch.objects.select_related("series__metric")
    filterset_class = WatchFilter
    table_class = WatchTable
    primary_filters = ("q", "unit", "what")
    columns_off = ("level", "baseline")
    empty_text = "The detectors have not looked at any series yet. They do by themselves when values come."
    empty_action = ("See the detectors", "monitoring:detectors")
