"""Figures and the focal plane, before any browser draws them."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from mpc.ui import figures
from mpc.ui.focal import focal_plane

AT = datetime(2026, 11, 14, tzinfo=UTC)


def test_a_figure_is_strict_json():
    made = figures.figure(
        [{"type": "scatter", "x": [AT], "y": np.array([0.1, math.nan]), "n": np.int64(3), "e": math.inf}],
        y_title="stripe index (%)",
        requirements=[figures.RequirementLine(0.15, "requirement 0.15")],
        changes=[figures.ChangeLine(AT, "step")],
        spans=[figures.Span(AT)],
        layout={"yaxis": {"rangemode": "tozero"}},
    )
    text = json.dumps(made, allow_nan=False)
    back = json.loads(text)
    assert back["data"][0] == {"type": "scatter", "x": ["2026-11-14T00:00:00Z"], "y": [0.1, None], "n": 3, "e": None}
    assert back["layout"]["yaxis"] == {"title": {"text": "stripe index (%)"}, "rangemode": "tozero"}
    (line,) = back["marks"]["requirements"]
    assert line == {"y": 0.15, "label": "requirement 0.15", "x0": None, "x1": None, "axis": "y", "goal": False}
    assert back["marks"]["spans"] == [{"x0": "2026-11-14T00:00:00Z", "x1": None, "label": ""}]


def test_a_figure_response_is_strict_json():
    assert json.loads(figures.FigureResponse({"data": [{"y": [math.nan]}]}).content) == {"data": [{"y": [None]}]}


VALUES = {("B11", "07"): 0.21, ("B11", "06"): 0.10, ("B01", "01"): 0.11, ("B02", "02"): math.nan, ("B99", "01"): 9.0}


def cell(plane, band, detector):
    row = next(row for row in plane.rows if row.band == band)
    return row.cells[int(detector) - 1]


def test_the_focal_plane_has_thirteen_bands_and_twelve_detectors():
    plane = focal_plane(VALUES, "stripe index", "%", limit=0.15)
    assert [row.band for row in plane.rows][7:10] == ["B08", "B8A", "B09"]
    assert {len(row.cells) for row in plane.rows} == {12}
    assert (plane.low, plane.high) == ("0.1", "0.21 %")


def test_a_cell_over_its_limit_is_outlined_and_says_so():
    plane = focal_plane(VALUES, "stripe index", "%", limit=0.15, hot_meaning="over 0.15 %")
    hot = cell(plane, "B11", "07")
    assert (hot.hot, hot.strength, plane.hot_count) == (True, 100, 1)
    assert hot.label == "B11 detector 7: 0.21 %, over 0.15 %"
    assert not cell(plane, "B11", "06").hot


@pytest.mark.parametrize("key", [("B02", "02"), ("B03", "01")])
def test_no_value_is_no_colour_and_no_link(key):
    missing = cell(focal_plane(VALUES, "noise", url=lambda band, detector: "/x/"), *key)
    assert (missing.strength, missing.hot, missing.url) == (None, False, "")


def test_a_scale_per_band_stretches_each_band():
    plane = focal_plane(
        {("B01", "01"): 1.0, ("B01", "02"): 2.0, ("B09", "01"): 50.0, ("B09", "02"): 60.0}, "mean", per_band=True
    )
    assert [cell(plane, band, "02").strength for band in ("B01", "B09")] == [100, 100]
    assert [cell(plane, band, "01").strength for band in ("B01", "B09")] == [0, 0]


def test_an_empty_focal_plane_has_no_scale():
    plane = focal_plane({}, "noise")
    assert (plane.low, plane.high, plane.hot_count) == ("", "", 0)
