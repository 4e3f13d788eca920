"""Rows written in one go say the same as django_tables2 says cell by cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import django_tables2 as tables
import pytest
from django.template import Context, Template
from django.utils.html import conditional_escape, format_html, strip_tags
from django_tables2.rows import BoundRow

from mpc.accounts.models import Organisation, User
from mpc.products.models import Product, Status
from mpc.products.tables import ProductTable
from mpc.ui.rows import LONG, SHORT, body_of
from mpc.ui.tables import IdColumn, NumberColumn, Table, TagColumn, UtcColumn

CELL = Template("{{ cell }}")


def cell_by_cell(table: tables.Table) -> str:
    """The rows as django_tables2 gives them."""
    rows = []
    for row in table.paginated_rows:
        cells = []
        for column, cell in row.items():
            text = CELL.render(Context({"cell": cell}))
            length = len(strip_tags(str(cell)))
            mark = " data-short" if length <= SHORT else " data-long" if length > LONG else ""
            label = conditional_escape(column.header)
            cells.append(f'<td data-label="{label}"{mark} {column.attrs["td"].as_html()}>{text}</td>')
        rows.append(f"<tr {row.attrs.as_html()}>{''.join(cells)}</tr>\n")
    return "".join(rows)


def check(table_class: type[tables.Table], data: Any) -> str:
    """Both ways on the same data, which each read for themselves; hands back the rows."""
    found = body_of(table_class(data), Context())
    assert found == cell_by_cell(table_class(data))
    return found


@pytest.fixture
def products(db: None) -> Any:
    organisation = Organisation.objects.create(name="Earth & Sky <Ltd>", short_name="E&S")
    user = User.objects.create_user("ann", password=None, organisation=organisation)
    for number, (status, by) in enumerate([(Status.PASSED, user), (Status.FAILED, None), (Status.WAITING, user)]):
        Product.objects.create(
            name=f"S2B_{number}<b>&",
            kind="product",
            level="L1C",
            unit="S2B",
            status=status,
            observation=f"o{number}",
            tile="32TNM" if number else "",
            tiles=["32TNM", "32TNN"],
            baseline="",
            sensing_start=datetime(2026, 9, 1, number, tzinfo=UTC) if number else None,
            cloud_cover=12.3456 if number else None,
            path="/x",
            container="folder",
            size=10**number,
            checksum="c" * 70,
            taken_in_by=by,
        )
    return Product.objects.select_related("taken_in_by__organisation")


def test_the_table_of_products(products: Any) -> None:
    rows = check(ProductTable, products)
    assert rows.count("<tr") == 3
    assert "S2B_1&lt;b&gt;&amp;" in rows
    assert re.search(r'<td data-label="Product"[^>]*><a class="id" href="/products/', rows)


class EverySort(Table):
    """What a column can be told."""

    status = tables.Column()  # a choice, in words
    kind = TagColumn()
    name = IdColumn(linkify=lambda record: None if record.cloud_cover is None else f"/x?a=1&b={record.pk}")
    organisation = tables.Column(accessor="taken_in_by__organisation__name", default="nobody")
    account = IdColumn(
        accessor="taken_in_by__username", linkify=("accounts:person", {"pk": tables.A("taken_in_by__pk")})
    )
    number = tables.Column(accessor="tiles__1")
    method = tables.Column(accessor="place")
    lines = tables.Column(accessor="__str__")
    absent = tables.Column(accessor="no_such_thing", default=lambda: format_html("<i>{}</i>", "none & nothing"))
    cloud_cover = NumberColumn(digits=2, attrs={"td": {"class": lambda value: f"c{value}", "data-of": "cloud"}})
    sensing_start = UtcColumn()
    size = tables.Column()
    newest = tables.Column()
    checksum = tables.Column(empty_values=())
    lost = tables.Column(accessor="baseline", empty_values=(None,))
    withdraw = tables.Column(accessor="delete", default="never called")
    hidden = tables.Column(accessor="path", visible=False)

    class Meta(Table.Meta):
        model = Product
        fields: tuple[str, ...] = ()
        row_attrs = {"data-of": lambda record: record.pk, "class": "row"}

    def render_method(self, value: str, record: Product, bound_row: BoundRow) -> str:
        return format_html("<b>{}</b> {}", value, f"{record.unit} & {bound_row.record.level}")

    def render_checksum(self, **known: Any) -> str:
        return f"{sorted(known)}"

    def render_newest(self, bound_column: Any, column: Any) -> str:
        return f"{bound_column.name} {type(column).__name__}"


def test_every_sort_of_column(products: Any) -> None:
    rows = check(EverySort, products)
    assert Product.objects.count() == 3
    assert "Earth &amp; Sky &lt;Ltd&gt;" in rows
    assert "waiting for quality control" in rows
    assert "never called" in rows
    assert "nobody" in rows


@dataclass
class Thing:
    name: str
    value: float | None
    when: datetime | None = None


class OfThings(Table):
    name = tables.Column(verbose_name="A & B")
    value = NumberColumn()
    when = tables.Column()


@pytest.mark.parametrize(
    "data",
    [
        [Thing("a<b", 1.5), Thing("", None, datetime(2026, 9, 1, tzinfo=UTC))],
        [{"name": "a<b", "value": 2, "when": None}, {"name": "c" * 30, "value": None, "when": "now"}],
        [],
    ],
)
def test_rows_of_other_things_than_models(data: list[Any]) -> None:
    assert check(OfThings, data).count("<tr") == len(data)
