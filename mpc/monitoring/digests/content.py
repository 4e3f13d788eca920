"""What a digest holds: sections of facts and tables whose numbers lead to the lists that show them.

    Digest.content = {"version": 1, "sections": [section, ...]}
    section = key, title, sign, summary, facts, tables, gaps

A link is kept as the name of an address with its parts and its query, not as an address: pages move.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

logger = logging.getLogger(__name__)

VERSION = 1
ROWS_MOST = 40
"""Rows of one table; how many more there are is said, and where."""

Value = int | float | str | None


@dataclass(frozen=True)
class Day:
    """The UTC day that a digest is of; ``now`` is when it is gathered."""

    date: date
    now: datetime

    @property
    def start(self) -> datetime:
        return datetime.combine(self.date, time.min, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """When the day is over, or now while it is not."""
        return min(self.start + timedelta(days=1), max(self.now, self.start))

    @property
    def over(self) -> bool:
        return self.now >= self.start + timedelta(days=1)

    @property
    def late(self) -> bool:
        """Whether it is gathered so long after the day that what is only known now says little of it."""
        return self.now >= self.start + timedelta(days=2)

    def query(self, since: str, until: str, **more: Any) -> dict[str, Any]:
        """The part of an address that narrows a list to the day by two of its filters."""
        return {**more, since: self.date.isoformat(), until: self.date.isoformat()}


@dataclass(frozen=True)
class Link:
    """``name`` of an address, its ``parts`` and its ``query``."""

    name: str
    parts: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)

    def url(self) -> str:
        """The address; "" where this version of the software has none of that name."""
        try:
            place = reverse(self.name, kwargs=self.parts)
        except NoReverseMatch:
            return ""
        return f"{place}?{urlencode(self.query, doseq=True)}" if self.query else place


@dataclass(frozen=True)
class Cell:
    """One value; ``sign`` is a status word whose sign stands for it, ``unit`` that it is a satellite."""

    value: Value
    link: Link | None = None
    sign: str = ""
    is_unit: bool = False
    uncertainty: float | None = None

    @property
    def url(self) -> str:
        return self.link.url() if self.link is not None else ""

    @property
    def is_number(self) -> bool:
        return isinstance(self.value, int | float) and not self.sign

    @property
    def text(self) -> str:
        return "–" if self.value in (None, "") else str(self.value)


@dataclass(frozen=True)
class Fact:
    """One key figure of a section."""

    label: str
    cell: Cell


@dataclass(frozen=True)
class Grid:
    """A table; ``left_out`` rows did not fit, ``link`` leads to all of them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0
    link: Link | None = None

    @property
    def total(self) -> int:
        return len(self.rows) + self.left_out

    @property
    def heads(self) -> list[tuple[str, bool]]:
        """Each column with whether it holds numbers."""
        return [(title, any(row[i].is_number for row in self.rows)) for i, title in enumerate(self.columns)]

    @property
    def url(self) -> str:
        return self.link.url() if self.link is not None else ""


@dataclass(frozen=True)
class Section:
    """``sign`` is a status word (passed, warning, failed, idle, error), ``summary`` one sentence; ``gaps`` say what
    could not be gathered and why."""

    key: str
    title: str
    sign: str
    summary: str
    facts: tuple[Fact, ...] = ()
    tables: tuple[Grid, ...] = ()
    gaps: tuple[str, ...] = ()


def cell(value: Any, link: Link | None = None, **more: Any) -> Cell:
    """A cell of a value or of one ready-made; days and times become text in UTC."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, datetime):
        value = f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    elif isinstance(value, date):
        value = value.isoformat()
    return Cell(value, link, **more)


def grid(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]], link: Link | None = None) -> Grid:
    """A table of plain values and cells, cut after ``ROWS_MOST`` rows."""
    filled = [tuple(cell(value) for value in row) for row in rows]
    return Grid(title, tuple(columns), tuple(filled[:ROWS_MOST]), max(len(filled) - ROWS_MOST, 0), link)


def grids(*tables: Grid) -> tuple[Grid, ...]:
    """Those that hold something."""
    return tuple(table for table in tables if table.rows)


def fact(label: str, value: Any, link: Link | None = None, sign: str = "") -> Fact:
    return Fact(label, cell(value, link, sign=sign))


# --- To and from JSON ------------------------------------------------------------------------------------------------
def as_json(sections: Iterable[Section]) -> dict[str, Any]:
    return {"version": VERSION, "sections": [_plain(asdict(section)) for section in sections]}


def from_json(content: Mapping[str, Any]) -> list[Section]:
    """The sections of a digest, of this version or an older one."""
    return [_section(values) for values in content.get("sections", [])]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if inner not in (None, "", False) or key == "value"}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _section(values: Mapping[str, Any]) -> Section:
    return Section(
        key=values["key"],
        title=values["title"],
        sign=values.get("sign", ""),
        summary=values.get("summary", ""),
        facts=tuple(Fact(f["label"], _cell(f["cell"])) for f in values.get("facts", [])),
        tables=tuple(_grid(table) for table in values.get("tables", [])),
        gaps=tuple(values.get("gaps", [])),
    )


def _grid(values: Mapping[str, Any]) -> Grid:
    rows = tuple(tuple(_cell(one) for one in row) for row in values.get("rows", []))
    link = _link(values.get("link"))
    return Grid(values.get("title", ""), tuple(values.get("columns", [])), rows, values.get("left_out", 0), link)


def _cell(values: Mapping[str, Any]) -> Cell:
    return Cell(
        value=values.get("value"),
        link=_link(values.get("link")),
        sign=values.get("sign", ""),
        is_unit=values.get("is_unit", False),
        uncertainty=values.get("uncertainty"),
    )


def _link(values: Mapping[str, Any] | None) -> Link | None:
    return Link(values["name"], values.get("parts", {}), values.get("query", {})) if values else None


# --- As text ---------------------------------------------------------------------------------------------------------
def as_text(day: date, made_at: datetime, sections: Iterable[Section], base: str = "") -> str:
    """The digest for a terminal or a plain mail; ``base`` is put before addresses, without it none is shown."""
    lines = [f"Daily digest of {day:%Y-%m-%d} (UTC), made {made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"]
    for section in sections:
        lines += ["", f"{section.title.upper()}: {section.summary}"]
        lines += [f"  {f.label}: {f.cell.text}" for f in section.facts]
        for table in section.tables:
            lines += ["", *_text_table(table)]
            if base and table.url:
                lines.append(f"  {base}{table.url}")
        lines += [f"  ! {gap}" for gap in section.gaps]
    return "\n".join(lines) + "\n"


def _text_table(table: Grid) -> list[str]:
    texts = [list(table.columns), *([one.text for one in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(table.columns))]
    lines = [f"  {table.title}"] if table.title else []
    lines += ["    " + "  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip() for row in texts]
    if table.left_out:
        lines.append(f"    and {table.left_out} more")
    return lines
