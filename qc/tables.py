"""Tables of quality reports."""

from __future__ import annotations

import django_tables2 as tables

from mpc.ui.tables import IdColumn, NumberColumn, Table, TagColumn, UnitColumn, UtcColumn
from qc.models import QualityReport


class ReportTable(Table):
    verdict = TagColumn()
    unit = UnitColumn(accessor="product__unit")
    sensed = UtcColumn(accessor="product__sensing_start")
    product = IdColumn(linkify=lambda record: record.get_absolute_url())
    level = tables.Column(accessor="product__level")
    baseline = tables.Column(accessor="product__baseline")
    summary = tables.Column(verbose_name="What was found", orderable=False)
    required_failed = NumberColumn(verbose_name="Failed")
    made = UtcColumn(verbose_name="Checked")
    run = tables.Column(linkify=("runs:detail", [tables.A("run_id")]), accessor="run_id", verbose_name="Run")

    class Meta(Table.Meta):
        model = QualityReport
        fields: tuple[str, ...] = ()
        order_by = ("-made",)

    def render_run(self, value: int) -> str:
        return f"run {value}"
