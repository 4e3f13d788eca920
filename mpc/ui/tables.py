"""Base of every table and the columns that the domain needs. Cells are rendered; exports take the raw value."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from mpc.ui import numbers
from mpc.ui.templatetags import mpc as tags

_NUM = {"th": {"class": "num"}, "td": {"class": "num"}}


class Table(tables.Table):
    """Tables of the centre. ``Meta`` of a child gives ``model``, ``fields`` and ``order_by`` as usual."""

    class Meta:
        template_name = "partials/table.html"
        attrs = {"class": "rows"}
        order_by_field = "sort"
        default = numbers.NOTHING


class PickColumn(tables.Column):
    """The box that ticks a row for what the list can do to many."""

    empty_values = ()

    def __init__(self, **kwargs: Any) -> None:
        cell = {"class": "pick"}
        whole = mark_safe('<input type="checkbox" data-pick-all aria-label="Tick all rows of this page">')
        kwargs = {"accessor": "pk", "orderable": False, "exclude_from_export": True, "verbose_name": whole, **kwargs}
        super().__init__(attrs={"th": cell, "td": cell}, **kwargs)

    def render(self, value: Any, record: Any) -> SafeString:
        return format_html(
            '<input type="checkbox" name="key" value="{}" form="bulk" data-pick aria-label="Tick {}">', value, record
        )


class IdColumn(tables.Column):
    """An id or a long product name: monospace, never broken, a link unless told otherwise."""

    def __init__(self, *args: Any, linkify: Any = True, **kwargs: Any) -> None:
        attrs = kwargs.pop("attrs", {})
        attrs = {"td": {"class": "id-cell"}, "a": {"class": "id"}, **attrs}
        super().__init__(*args, linkify=linkify, attrs=attrs, **kwargs)

    def render(self, value: Any) -> str | SafeString:
        return value if self.link else format_html('<span class="id">{}</span>', value)


class TagColumn(tables.Column):
    """A status with its sign."""

    empty_values = ()

    def render(self, value: Any) -> SafeString | str:
        return tags.tag(value) if value not in (None, "") else numbers.NOTHING


class UnitColumn(tables.Column):
    """A satellite with its square."""

    def render(self, value: Any) -> SafeString:
        return tags.unit(value)


class UtcColumn(tables.Column):
    """A time in UTC; ``style`` "date", "min", "s" or "ms"."""

    def __init__(self, *args: Any, style: str = "s", **kwargs: Any) -> None:
        kwargs.setdefault("attrs", {"td": {"class": "time"}})
        kwargs.setdefault("initial_sort_descending", True)
        super().__init__(*args, **kwargs)
        self.style = style

    def render(self, value: Any) -> SafeString | str:
        return tags.utc(value, self.style)


class NumberColumn(tables.Column):
    """A number at the right, with ``digits`` decimals and its ``unit``."""

    def __init__(self, *args: Any, digits: int | None = None, unit: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("attrs", _NUM)
        super().__init__(*args, **kwargs)
        self.digits = digits
        self.unit = unit

    def render(self, value: Any) -> str:
        return f"{numbers.number(value, self.digits)} {self.unit}".strip()


class MeasuredColumn(tables.Column):
    """Value ± uncertainty: ``MeasuredColumn(uncertainty="uncertainty", unit="unit")`` names the record's attributes."""

    def __init__(self, *args: Any, uncertainty: str = "uncertainty", unit: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("attrs", _NUM)
        super().__init__(*args, **kwargs)
        self.uncertainty = tables.A(uncertainty)
        self.unit = tables.A(unit) if unit else None

    def render(self, value: Any, record: Any) -> str:
        spread = self.uncertainty.resolve(record, quiet=True)
        unit = self.unit.resolve(record, quiet=True) if self.unit else ""
        return f"{numbers.measured(value, spread)} {unit or ''}".strip()


class SizeColumn(tables.Column):
    """Bytes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", _NUM)
        super().__init__(*args, **kwargs)

    def render(self, value: Any) -> str:
        return numbers.size(value)


class DurationColumn(tables.Column):
    """Seconds or a timedelta."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", _NUM)
        super().__init__(*args, **kwargs)

    def render(self, value: Any) -> str:
        return numbers.duration(value)


class ProgressColumn(tables.Column):
    """A fraction 0 to 1 as a bar with its percentage."""

    def render(self, value: Any) -> SafeString:
        return format_html('<span class="progress">{} <span>{}</span></span>', tags.bar(value), tags.percent(value))


class WhyColumn(tables.Column):
    """A line of explanation in quiet ink, cut after ``length`` characters with the whole in its title."""

    def __init__(self, *args: Any, length: int = 120, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", {"td": {"class": "prose"}})
        super().__init__(*args, **kwargs)
        self.length = length

    def render(self, value: Any) -> SafeString:
        text = str(value)
        if len(text) <= self.length:
            return format_html('<span class="why">{}</span>', text)
        return format_html('<span class="why" title="{}">{}…</span>', text, text[: self.length - 1].rstrip())
