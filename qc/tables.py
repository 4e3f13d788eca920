"""Tables of quality reports."""

from __future__ import annotations

import django_tables2 as tables

from mpc.ui.tables import IdColumn, NumberColumn, Table, TagColumn, UnitColumn, UtcColumn, WhyColumn
from qc.models import QualityReport

_SHORT = {"td": {"class": "nowrap"}}


class ReportTable(Table):
    verdict = TagColumn()
    unit = UnitColumn(accessor="product__unit", verbose_name="Unit")
    sensed = UtcColumn(accessor="product__sensing_start", verbose_name="Sensed", style="min")
    product = IdColumn(linkify=lambda record: record.get_absolute_url())
    level = tables.Column(accessor="product__level", verbose_name="Level", attrs=_SHORT)
    baseline = tables.Column(accessor="product__baseline", verbose_name="Baseline", attrs=_SHORT)
    tile = tables.Column(accessor="product__place", verbose_name="Tile", order_by=("product__tile",), attrs=_SHORT)
    summary = WhyColumn(verbose_name="What was found", orderable=False)
    required_failed = NumberColumn(verbose_name="Failed")
    made = UtcColumn(verbose_name="Checked", style="min")
    run = tables.Column(
        linkify=("runs:detail", [tables.A("run_id")]), accessor="run_id", verbose_name="Run", attrs=_SHORT
    )

    class Meta(Table.Meta):
        model = QualityReport
        fields: tuple[str, ...] = ()
        order_by = ("-made",)

    def render_run(self, value: int) -> str:
        return f"run {value}"
