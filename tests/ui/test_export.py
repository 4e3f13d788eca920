"""CSV and JSON of a list."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import django_tables2
import pytest

from mpc.ui import export, tables

ROWS = [
    {
        "name": "=1+1",
        "n": -3,
        "x": -0.5,
        "at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "note": None,
        "status": "not_checked",
    },
    {"name": 'say "a", b', "n": 4, "x": float("nan"), "at": None, "note": "-5", "status": "PASSED"},
]


class Things(tables.Table):
    status = tables.TagColumn()
    name = tables.IdColumn(linkify=False)
    n = tables.NumberColumn(unit="m")
    x = tables.NumberColumn(digits=2)
    at = tables.UtcColumn()
    note = django_tables2.Column(verbose_name="A note")
    doubled = django_tables2.Column(accessor="n")
    button = django_tables2.Column(exclude_from_export=True, empty_values=())

    class Meta(tables.Table.Meta):
        order_by = ()

    def value_doubled(self, value):
        return value * 2


def body(file_format: str, rows=ROWS) -> str:
    response = export.export_response(Things(rows), file_format, "things")
    return b"".join(response.streaming_content).decode()


def test_csv_neutralises_formulas_and_leaves_numbers_alone():
    first, second = csv.DictReader(io.StringIO(body("csv")))
    assert first == {
        "status": "not_checked",
        "name": "'=1+1",
        "n": "-3",
        "x": "-0.5",
        "at": "2026-01-02T03:04:00Z",
        "note": "",
        "doubled": "-6",
    }
    assert (second["name"], second["note"], second["x"]) == ('say "a", b', "'-5", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_every_start_of_a_formula_is_neutralised(start):
    assert export.csv_cell(f"{start}cmd") == f"'{start}cmd"


def test_json_keeps_types():
    first, second = json.loads(body("json"))
    assert (first["n"], first["x"], first["note"], first["name"]) == (-3, -0.5, None, "=1+1")
    assert (second["x"], second["at"], second["note"]) == (None, None, "-5")
    assert "button" not in first


def test_an_empty_list_is_still_a_file():
    assert json.loads(body("json", [])) == []
    assert body("csv", []).strip() == "status,name,n,x,at,note,doubled"


@pytest.mark.parametrize(
    ("value", "out"),
    [
        (Decimal("1.50"), 1.5),
        (timedelta(seconds=90), 90.0),
        ({"a": Decimal(1)}, {"a": 1.0}),
        ((1, float("inf")), [1, None]),
        (True, True),
    ],
)
def test_values_become_plain(value, out):
    assert export.plain(value) == out


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="xlsx"):
        export.export_response(Things(ROWS), "xlsx", "things")
