"""The rows of a table as HTML, written without a template for each cell.

django_tables2 works out anew for every cell which arguments its column wants, which field of the model it shows and
which attributes it has; that is the most part of what a list costs its reader. Here it is worked out once a column.
The meaning is the same: ``render_*`` methods, ``empty_values``, defaults, links, choices in words, attributes that are
functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.template import Context
from django.template.base import render_value_in_context
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe
from django_tables2 import Table
from django_tables2.columns import BoundColumn, ManyToManyColumn
from django_tables2.columns.linkcolumn import BaseLinkColumn
from django_tables2.rows import BoundPinnedRow, BoundRow
from django_tables2.utils import A, AttributeDict, signature

SHORT, LONG = 14, 24
"""Characters of a cell that a narrow screen sets beside another one, or that it gives a line of its own."""

_TAG = re.compile(r"<[^>]*>")


def body_of(table: Table, context: Context) -> SafeString:
    """All ``<tr>`` of the page that is shown."""
    columns = [_Column(table, bound) for bound in table.columns]
    rows = (_row(row, columns, context) for row in table.paginated_rows)
    return mark_safe("".join(rows))  # noqa: S308 - every part is escaped where it is made


def _row(row: BoundRow, columns: list[_Column], context: Context) -> str:
    # Pinned rows may hold anything; what is no object of a model is left to django_tables2.
    plain = isinstance(row, BoundPinnedRow) or isinstance(row.record, dict)
    cells = "".join(column.cell(row, context, plain) for column in columns)
    return f"<tr {row.attrs.as_html()}>{cells}</tr>\n"


class _Column:
    """One column with all that is the same in each of its cells."""

    def __init__(self, table: Table, bound: BoundColumn) -> None:
        self.table = table
        self.bound = bound
        self.column = bound.column
        self.label = conditional_escape(_TAG.sub("", str(bound.header)))
        usual = not callable(bound.accessor) and not isinstance(bound.column, BaseLinkColumn | ManyToManyColumn)
        self.path = str(bound.accessor).split(A.SEPARATOR) if usual else []
        arguments, catch_all = signature(bound.render)
        self.wants = None if catch_all else arguments
        self.attributes = None if _changes(bound) else str(bound.attrs["td"].as_html())
        self.link_start = self._link_start()
        self.shown: dict[type, str] = {}
        """By model: the method that says its choice in words, "" where there is none."""

    def cell(self, row: BoundRow, context: Context, plain: bool) -> str:
        if plain or not self.path:
            content = row.get_cell(self.bound.name)
        else:
            content = self._content(row)
        text = conditional_escape(content) if isinstance(content, str) else render_value_in_context(content, context)
        bare = str(content)
        length = len(_TAG.sub("", bare) if "<" in bare else bare)
        mark = " data-short" if length <= SHORT else " data-long" if length > LONG else ""
        attributes = self.attributes
        if attributes is None:
            self.bound.current_record, self.bound.current_value = row.record, content
            attributes = self.bound.attrs["td"].as_html()
        return f'<td data-label="{self.label}"{mark} {attributes}>{text}</td>'

    def _content(self, row: BoundRow) -> Any:
        value = self._value(row.record)
        if value in self.column.empty_values:
            return self.bound.default
        known = {
            "value": value,
            "record": row.record,
            "column": self.column,
            "bound_column": self.bound,
            "bound_row": row,
            "table": self.table,
        }
        if self.wants is None:
            content = self.bound.render(**known)
        else:
            content = self.bound.render(**{name: known[name] for name in self.wants})
        if not self.bound.link:
            return content
        if self.link_start is None:
            return self.bound.link(content, **known)
        address = self.bound.link.compose_url(**known)
        if address is None:
            return content
        return mark_safe(f'{self.link_start}href="{escape(address)}">{conditional_escape(content)}</a>')  # noqa: S308

    def _value(self, record: Any) -> Any:
        """What the column shows of a record; a choice in words; None where the way to it breaks off."""
        holder = record
        try:
            for name in self.path[:-1]:
                holder = _called(getattr(holder, name))
                if holder is None:
                    return None
            method = self._method(type(holder)) if isinstance(holder, models.Model) else ""
            return getattr(holder, method)() if method else _called(getattr(holder, self.path[-1]))
        except (AttributeError, LookupError, ValueError, TypeError):
            return self._value_by_other_ways(record)

    def _value_by_other_ways(self, record: Any) -> Any:
        """A key of a dictionary or a place in a list on the way."""
        try:
            return A(self.bound.accessor).resolve(record)
        except (AttributeError, LookupError, ValueError, TypeError):
            return None

    def _method(self, model: type[models.Model]) -> str:
        if model not in self.shown:
            name = self.path[-1]
            try:
                has_choices = bool(getattr(model._meta.get_field(name), "choices", None))
            except FieldDoesNotExist:
                has_choices = False
            self.shown[model] = f"get_{name}_display" if has_choices else ""
        return self.shown[model]

    def _link_start(self) -> str | None:
        """The link up to its address, where it does not change from row to row."""
        link = self.bound.link
        if not link or any(callable(value) for value in (link.attrs or {}).values()):
            return None
        attributes = AttributeDict(link.attrs or {}).as_html()
        return f"<a {attributes} " if attributes else "<a "


def _called(value: Any) -> Any:
    if not callable(value):
        return value
    if getattr(value, "alters_data", False):
        raise ValueError(f"{value!r} changes data and is not called to show something")
    return value()


def _changes(bound: BoundColumn) -> bool:
    """Whether the attributes of the cells depend on what they hold."""
    attrs = {**dict(bound._table.attrs), **dict(bound.column.attrs)}
    return any(map(callable, _values(attrs.get("td", attrs.get("cell", {})))))


def _values(attrs: Any) -> Iterator[Any]:
    for value in attrs.values():
        if isinstance(value, dict):
            yield from _values(value)
        else:
            yield value
