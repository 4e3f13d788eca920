"""Tables of the catalogue."""

from __future__ import annotations

import django_tables2 as tables

from mpc.monitoring.models import Metric
from mpc.ui.tables import IdColumn, NumberColumn, Table, UtcColumn, WhyColumn


class CatalogueTable(Table):
    name = tables.Column(verbose_name="Metric", linkify=("monitoring:metric", [tables.A("code")]))
    code = IdColumn(linkify=False)
    unit = tables.Column(verbose_name="In", attrs={"td": {"class": "short nowrap"}}, default="1")
    group = tables.Column(verbose_name="Belongs to", default="")
    better = tables.Column(accessor="direction", verbose_name="Better", default="")
    kind = tables.Column(accessor="declared", verbose_name="Kind")
    values = NumberColumn(initial_sort_descending=True)
    parts = NumberColumn(verbose_name="Series", initial_sort_descending=True)
    last_time = UtcColumn(verbose_name="Newest", style="min", default="never measured")
    description = WhyColumn(length=160)
    method = WhyColumn(length=160)
    document = tables.Column(default="")
    edited = tables.Column(verbose_name="Edited")

    class Meta(Table.Meta):
        model = Metric
        fields: tuple[str, ...] = ()
        order_by = ("-values", "code")

    def render_better(self, record: Metric) -> str:
        if record.direction == "target":
            return f"near {record.target:g}" if record.target is not None else "near its target"
        return record.direction

    def value_better(self, record: Metric) -> str:
        return record.direction

    def render_kind(self, value: bool) -> str:
        return "declared" if value else "measured"

    def value_kind(self, value: bool) -> str:
        return "declared" if value else "measured"

    def render_edited(self, value: bool) -> str:
        return "edited" if value else ""

    def value_edited(self, value: bool) -> bool:
        return value
