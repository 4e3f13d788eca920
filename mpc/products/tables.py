"""Tables of products and intakes."""

from __future__ import annotations

import django_tables2 as tables

from mpc.products.models import Intake, Product
from mpc.ui.tables import IdColumn, NumberColumn, SizeColumn, Table, TagColumn, UnitColumn, UtcColumn, WhyColumn


class ProductTable(Table):
    status = TagColumn(verbose_name="Quality")
    unit = UnitColumn()
    sensing_start = UtcColumn(verbose_name="Sensed")
    name = IdColumn(verbose_name="Product")
    level = tables.Column()
    baseline = tables.Column()
    place = tables.Column(verbose_name="Tile", order_by=("tile",))
    relative_orbit = NumberColumn(verbose_name="Rel. orbit")
    absolute_orbit = NumberColumn(verbose_name="Abs. orbit")
    cloud_cover = NumberColumn(verbose_name="Cloud %", digits=1)
    nodata_percentage = NumberColumn(verbose_name="No-data %", digits=1)
    degraded_msi = NumberColumn(verbose_name="Degraded %", digits=4)
    sun_zenith = NumberColumn(verbose_name="Sun zenith °", digits=1)
    datatake_id = tables.Column(verbose_name="Datatake")
    generation_time = UtcColumn(verbose_name="Generated")
    taken_in = UtcColumn(verbose_name="Arrived")
    size = SizeColumn()
    checksum = WhyColumn(length=24)
    newest = tables.BooleanColumn(verbose_name="Newest")

    class Meta(Table.Meta):
        model = Product
        fields: tuple[str, ...] = ()
        order_by = ("-sensing_start",)


class IntakeTable(Table):
    at = UtcColumn(verbose_name="When")
    result = TagColumn()
    source = tables.Column(verbose_name="What came")
    message = WhyColumn(verbose_name="Why", length=300)
    product = IdColumn()
    trigger = tables.Column(verbose_name="How")
    actor = tables.Column(verbose_name="By")

    class Meta(Table.Meta):
        model = Intake
        fields: tuple[str, ...] = ()
        order_by = ("-at",)
