"""The table of mission events; its export is what an import reads."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mpc.monitoring.models import MissionEvent
from mpc.ui import numbers
from mpc.ui.tables import Table, UnitColumn, UtcColumn, WhyColumn
from mpc.ui.templatetags import mpc as tags


class NamesColumn(tables.Column):
    """Bands or detectors; nothing says all."""

    empty_values = ()

    def render(self, value: Any) -> str:
        return " ".join(value) if value else "all"


class EventTable(Table):
    start = UtcColumn(style="min")
    end = UtcColumn(style="min")
    kind = tables.Column(attrs={"td": {"class": "nowrap"}})
    title = tables.Column(linkify=True, attrs={"td": {"class": "prose"}})
    unit = UnitColumn(empty_values=())
    bands = NamesColumn(orderable=False)
    detectors = NamesColumn(orderable=False)
    source = WhyColumn(length=60)
    verified = tables.Column(verbose_name="Verified", empty_values=())
    text = WhyColumn(length=90)
    origin = tables.Column()
    state = tables.Column(accessor="withdrawn_at", verbose_name="State", empty_values=())

    class Meta(Table.Meta):
        model = MissionEvent
        fields: tuple[str, ...] = ()
        order_by = ("-start",)

    def render_unit(self, value: str) -> SafeString | str:
        return tags.unit(value) if value else "all"

    def render_verified(self, value: bool) -> str:
        return "yes" if value else "no"

    def render_state(self, value: Any) -> SafeString:
        return tags.tag("withdrawn", kind="idle") if value else "standing"

    def value_kind(self, value: str) -> str:
        return value

    def value_origin(self, value: str) -> str:
        return value

    def value_state(self, value: Any) -> str:
        return "withdrawn" if value else "standing"


def when(event: MissionEvent) -> SafeString:
    """The time of an event for a page: a moment, or from when to when."""
    if event.end is None:
        return format_html("{}", numbers.utc(event.start, "min"))
    return format_html("{} to {}", numbers.utc(event.start, "min"), numbers.utc(event.end, "min"))
