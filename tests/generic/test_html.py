"""The reader of pages sees what is wrong with them."""

from __future__ import annotations

import pytest

from tests.generic.html import cells_of, faults_of

PAGE = '<!doctype html><html lang="en"><head><title>T</title></head><body>{}</body></html>'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<h1>A</h1><p>x</p>", ""),
        (
            '<h1>A</h1><br><img src="x"><svg viewBox="0 0 1 1"><path d="M0"/></svg><table><tr><td>1</td></tr></table>',
            "",
        ),
        ("<p>no heading</p>", "0 first headings"),
        ("<h1>A</h1><h1>B</h1>", "2 first headings"),
        ("<h1>A</h1><div><p>x</div>", "</div> while <body div p> is open"),
        ("<h1>A</h1></div>", "</div> while"),
        ("<h1>A</h1><b>", "</body> while"),
        ('<h1 id="a">A</h1><p id="a">x</p>', "id “a” stands 2 times"),
        ('<h1 class="a" class="b">A</h1>', "says class twice"),
        ('<h1>A</h1><button onclick="x()">x</button>', "onclick> is a handler"),
        ("<h1>A</h1><table><tr><td> None </td></tr></table>", "a cell says “None”"),
        ("<h1>A</h1><table><tr><td><b>nan</b></td></tr></table>", "a cell says “nan”"),
        ("<h1>A</h1><dl><dd>[]</dd></dl>", "a cell says “[]”"),
    ],
)
def test_faults_are_named(body: str, words: str) -> None:
    faults = faults_of(PAGE.format(body))
    assert (faults == []) if not words else any(words in fault for fault in faults), faults


def test_a_part_needs_no_heading_but_stands_for_itself() -> None:
    assert faults_of("<div><p>x</p></div>", whole=False) == []
    assert faults_of("<div>", whole=False) == ["left open: div"]


def test_cells_are_read_as_words() -> None:
    assert cells_of("<table><tr><td>a\n <b>b</b></td><td></td></tr></table>") == ["a b", ""]
