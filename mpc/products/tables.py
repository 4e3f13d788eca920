"""Tables of products and intakes."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mpc.products.models import Intake, Product
from mpc.ui.tables import IdColumn, NumberColumn, SizeColumn, Table, TagColumn, UnitColumn, UtcColumn, WhyColumn

_SHORT = {"td": {"class": "nowrap"}}


class ProductTable(Table):
    status = TagColumn(verbose_name="Quality")
    unit = UnitColumn()
    sensing_start = UtcColumn(verbose_name="Sensed", style="min")
    name = IdColumn(verbose_name="Product")
    level = tables.Column(attrs=_SHORT)
    baseline = tables.Column(attrs=_SHORT)
    place = tables.Column(verbose_name="Tile", order_by=("tile",), attrs=_SHORT)
    relative_orbit = NumberColumn(verbose_name="Rel. orbit")
    absolute_orbit = NumberColumn(verbose_name="Abs. orbit")
    cloud_cover = NumberColumn(verbose_name="Cloud %", digits=1)
    nodata_percentage = NumberColumn(verbose_name="No-data %", digits=1)
    degraded_msi = NumberColumn(verbose_name="Degraded %", digits=4)
    sun_zenith = NumberColumn(verbose_name="Sun zenith °", digits=1)
    datatake_id = IdColumn(verbose_name="Datatake", linkify=False)
    generation_time = UtcColumn(verbose_name="Generated", style="min")
    taken_in = UtcColumn(verbose_name="Arrived", style="min")
    size = SizeColumn()
    checksum = WhyColumn(length=24)
    newest = tables.Column(verbose_name="Version", attrs=_SHORT)

    class Meta(Table.Meta):
        model = Product
        fields: tuple[str, ...] = ()
        order_by = ("-sensing_start",)

    def render_newest(self, value: bool) -> str:
        return "newest" if value else "older"


class SourceColumn(tables.Column):
    """A path or file name: its last part, with the whole in its title."""

    def render(self, value: str) -> SafeString:
        return format_html(
            '<span class="id" title="{}">{}</span>', value, value.rstrip("/").rpartition("/")[2] or value
        )


class IntakeTable(Table):
    at = UtcColumn(verbose_name="When", style="min")
    result = TagColumn()
    source = SourceColumn(verbose_name="What came")
    message = WhyColumn(verbose_name="Why", length=300)
    product = IdColumn()
    trigger = tables.Column(verbose_name="How")
    actor = tables.Column(verbose_name="By")

    class Meta(Table.Meta):
        model = Intake
        fields: tuple[str, ...] = ()
        order_by = ("-at",)
