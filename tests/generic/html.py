"""What every page of ours must be, whatever it shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
# Elements of SVG stand closed by themselves.
EMPTY_WORDS = frozenset(
    {"None", "nan", "NaN", "inf", "-inf", "null", "undefined", "NaT", "[]", "{}", "[object Object]"}
)


class _Reader(HTMLParser):
    """Follows the tags: what is open, what does not fit, what the cells say."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.headings = 0
        self.cells: list[str] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "dd"):
            self._cell = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.headings += tag == "h1"
        names = [name for name, _ in attrs]
        self.faults += [f"<{tag}> says {name} twice" for name in {n for n in names if names.count(n) > 1}]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        line, _ = self.getpos()
        self.faults += [f"line {line}: <{tag} {name}> is a handler in the page" for name in names if name[:2] == "on"]

    def handle_endtag(self, tag: str) -> None:
        line, _ = self.getpos()
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"line {line}: </{tag}> while <{' '.join(self.open[-3:])}> is open")
            if tag in self.open:
                while self.open.pop() != tag:
                    pass
            return
        self.open.pop()
        if tag in ("td", "dd") and self._cell is not None:
            self.cells.append(" ".join("".join(self._cell).split()))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


def faults_of(html: str, *, whole: bool = True) -> list[str]:
    """What is wrong with a page (or, ``whole=False``, with a part of one); empty when nothing is."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    faults = list(reader.faults)
    if reader.open:
        faults.append(f"left open: {' '.join(reader.open)}")
    faults += [f"id “{name}” stands {reader.ids.count(name)} times" for name in sorted({*reader.ids}) if
               reader.ids.count(name) > 1]  # fmt: skip
    faults += [f"a cell says “{cell}”" for cell in reader.cells if cell in EMPTY_WORDS]
    if whole:
        if reader.headings != 1:
            faults.append(f"{reader.headings} first headings, not 1")
        title = re.search(r"<title>(.*?)</title>", html, re.S)
        if not title or not title[1].strip():
            faults.append("no title")
        if not re.search(r'<html[^>]* lang="', html):
            faults.append("no language")
    return faults


def cells_of(html: str) -> list[str]:
    reader = _Reader()
    reader.feed(html)
    return reader.cells
