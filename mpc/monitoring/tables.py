"""Tables of metrics, of the series in a trend, and of values."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mpc.monitoring.models import Measurement, Metric
from mpc.monitoring.trends.data import SeriesStatistics
from mpc.ui import numbers
from mpc.ui.figures import UNIT_COLOURS
from mpc.ui.tables import IdColumn, NumberColumn, Table, UnitColumn, UtcColumn, WhyColumn

_SHORT = {"td": {"class": "short"}}


class MetricTable(Table):
    name = tables.Column(
        verbose_name="Metric", linkify=("monitoring:trend", [tables.A("code")]), attrs={"td": {"class": "prose"}}
    )
    code = IdColumn(linkify=False)
    unit = tables.Column(verbose_name="In", attrs={"td": {"class": "short nowrap"}}, default="1")
    values = NumberColumn(initial_sort_descending=True)
    parts = NumberColumn(verbose_name="Series", initial_sort_descending=True)
    last_time = UtcColumn(verbose_name="Newest", style="min")
    description = WhyColumn(length=160)
    method = WhyColumn(length=160)

    class Meta(Table.Meta):
        model = Metric
        fields: tuple[str, ...] = ()
        order_by = ("code",)


class PartColumn(tables.Column):
    """Band, level, baseline, detector or site of a series: short, and empty where it is not divided by it."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(accessor=f"series__{name}", default="", attrs=_SHORT, **kwargs)


class StatisticsTable(Table):
    """One row a series; the sign in the first column is the one of the plot, in the colour of the unit."""

    unit = tables.Column(accessor="series__unit", verbose_name="Series", empty_values=())
    metric = tables.Column(accessor="metric__code", verbose_name="Metric", attrs={"td": {"class": "id"}})
    band = PartColumn("band", order_by=("band",))
    level = PartColumn("level")
    baseline = PartColumn("baseline")
    detector = PartColumn("detector")
    site = PartColumn("site")
    count = NumberColumn(verbose_name="Values")
    mean = NumberColumn()
    median = NumberColumn()
    std = NumberColumn(verbose_name="Std. dev.")
    minimum = NumberColumn(verbose_name="Min.")
    maximum = NumberColumn(verbose_name="Max.")
    newest = NumberColumn(verbose_name="Newest value")
    outside = NumberColumn(verbose_name="Out of limits", initial_sort_descending=True)
    first = UtcColumn(style="date")
    last = UtcColumn(style="date")

    class Meta(Table.Meta):
        pass

    def render_unit(self, value: str, record: SeriesStatistics) -> SafeString:
        colour = UNIT_COLOURS.get(record.series.unit, "var(--accent)")
        return format_html(
            '<span class="nowrap"><span style="color:{}" aria-hidden="true">{}</span> <strong>{}</strong></span>',
            *(colour, record.sign.glyph, value or "all units"),
        )


class ValueTable(Table):
    time = UtcColumn(verbose_name="Time")
    unit = UnitColumn(accessor="series__unit")
    band = PartColumn("band")
    level = PartColumn("level")
    baseline = PartColumn("baseline")
    detector = PartColumn("detector")
    site = PartColumn("site")
    value = NumberColumn()
    uncertainty = NumberColumn(verbose_name="Uncertainty, k = 1")
    samples = NumberColumn()
    product = IdColumn(accessor="product__name", verbose_name="Product", linkify=lambda record: record.page())
    run = tables.Column(
        accessor="run_id", verbose_name="Run", linkify=("runs:detail", [tables.A("run_id")]), attrs=_SHORT
    )
    no_uncertainty = WhyColumn(verbose_name="Why it has no uncertainty", length=90)

    class Meta(Table.Meta):
        model = Measurement
        fields: tuple[str, ...] = ()
        order_by = ("-time",)

    def render_value(self, value: float, record: Measurement) -> SafeString | str:
        text = numbers.measured(value, record.uncertainty)
        if record.uncertainty is not None:
            return text
        return format_html('<span title="no uncertainty: {}">{}</span>', record.no_uncertainty, text)

    def render_run(self, value: int) -> str:
        return f"run {value}"
