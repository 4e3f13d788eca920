"""Tables of alerts and of changes."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mpc.monitoring.alerts.words import NOUNS
from mpc.monitoring.models import Alert, AlertPart, ChangePoint, Severity
from mpc.ui import numbers
from mpc.ui.tables import IdColumn, MeasuredColumn, NumberColumn, Table, TagColumn, UnitColumn, UtcColumn, WhyColumn
from mpc.ui.templatetags.mpc import tag

SEVERITY_SIGN = {Severity.CRITICAL: "fail", Severity.MAJOR: "fail", Severity.MINOR: "warn", Severity.INFO: "idle"}
STATE_SIGN = {"open": "busy", "acknowledged": "warn", "snoozed": "idle", "closed": "pass"}
PART_SIGN = {"holds": "fail", "back": "pass", "gone": "idle"}
EXPLAINED_SIGN = {"explained": "pass", "partly": "warn", "unexplained": "fail"}


class SeverityColumn(TagColumn):
    def render(self, record: Any) -> SafeString:  # type: ignore[override]
        return tag(Severity(record.severity).label, kind=SEVERITY_SIGN[Severity(record.severity)])

    def export_value(self, value: Any) -> str:
        return Severity(value).label


class StateColumn(TagColumn):
    def render(self, record: Any) -> SafeString:  # type: ignore[override]
        return tag(record.state, kind=STATE_SIGN.get(record.state, "idle"))


class AlertTable(Table):
    severity = SeverityColumn(initial_sort_descending=True)
    state = StateColumn()
    unit = UnitColumn()
    title = tables.Column(linkify=True, verbose_name="What", attrs={"td": {"class": "prose"}})
    parts = tables.Column(empty_values=(), orderable=False, verbose_name="Holds in", attrs={"td": {"class": "short"}})
    time = UtcColumn(verbose_name="Began", style="date")
    opened_at = UtcColumn(verbose_name="Opened", style="min")
    assigned_to = tables.Column(verbose_name="Whose")
    judgement = tables.Column(verbose_name="Judged")
    last_seen_at = UtcColumn(verbose_name="Last seen", style="min")
    snoozed_until = UtcColumn(verbose_name="Snoozed until", style="min")
    closed_at = UtcColumn(verbose_name="Closed", style="min")
    closed_why = WhyColumn(verbose_name="Why closed")
    id = IdColumn(verbose_name="Alert")

    class Meta(Table.Meta):
        model = Alert
        fields: tuple[str, ...] = ()
        order_by = ("-severity", "opened_at")

    def render_parts(self, record: Alert) -> str:
        parts = list(record.parts.all())
        holding = sum(part.state == AlertPart.State.HOLDS for part in parts)
        return f"{holding} of {len(parts)}"

    def value_parts(self, record: Alert) -> int:
        return len(record.parts.all())


class ChangeTable(Table):
    time = UtcColumn(verbose_name="When", style="date")
    kind = tables.Column(verbose_name="What")
    unit = UnitColumn(accessor="series__unit")
    metric = tables.Column(accessor="series__metric__name", order_by=("series__metric__name",), verbose_name="Metric")
    part = tables.Column(accessor="series__part", orderable=False, verbose_name="Of")
    magnitude = MeasuredColumn(uncertainty="magnitude_uncertainty")
    score = NumberColumn(digits=1)
    explained = tables.Column()
    event = tables.Column(verbose_name="By")
    held = WhyColumn(verbose_name="Why it alerts nobody", length=80)
    detector = tables.Column()
    version = tables.Column()
    mode = tables.Column()
    text = WhyColumn(length=120)
    found_at = UtcColumn(verbose_name="Found", style="min")
    gone_at = UtcColumn(verbose_name="Found no more since", style="min")

    class Meta(Table.Meta):
        model = ChangePoint
        fields: tuple[str, ...] = ()
        order_by = ("-time",)

    def render_kind(self, record: ChangePoint) -> SafeString:
        from mpc.monitoring.alerts.reading import trend_of

        return format_html(
            '<a href="{}">{}</a>', trend_of(record.series, record.time), NOUNS.get(record.kind, record.kind)
        )

    def render_explained(self, record: ChangePoint) -> SafeString:
        return tag(record.get_explained_display(), kind=EXPLAINED_SIGN[record.explained])

    def value_explained(self, record: ChangePoint) -> str:
        return record.explained

    def render_mode(self, record: ChangePoint) -> str:
        return "live" if record.mode == "live" else "in shadow"

    def value_mode(self, record: ChangePoint) -> str:
        return record.mode

    def render_part(self, value: str) -> str:
        return value or numbers.NOTHING
