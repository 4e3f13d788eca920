"""The trend explorer: resolution, overlays, zoom, several metrics, files, views that are kept."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from html import unescape
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from mpc.monitoring import reading
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.trends import data
from mpc.ui.models import SavedFilter
from tests.monitoring.conftest import value
from tests.monitoring.test_pages import figures_in, text
from tests.monitoring.trends.conftest import ADDRESS, BEGIN, CODE

pytestmark = pytest.mark.django_db
ZOOM = "2024-09-05T00:00:00Z~2024-09-07T00:00:00Z"


def figure(client, query="", address=ADDRESS) -> dict:
    (drawn,) = figures_in(text(client.get(f"{address}{query}")))
    return drawn


def named(drawn: dict) -> dict[str, dict]:
    return {trace["name"]: trace for trace in drawn["data"]}


# --- Resolution ----------------------------------------------------------------------------------------------------
def test_days_are_medians_with_a_shade_of_five_to_ninety_five_per_cent(viewer, offset):
    drawn = named(figure(viewer, "?resolution=day&unit=S2A&band=B02"))
    line, shade = drawn["S2A L1C 05.11 B02"], drawn["S2A L1C 05.11 B02 5 to 95 %"]
    assert line["y"] == [11.5] * 60
    assert line["x"][0] == "2024-09-01T12:00:00Z"
    assert line["text"] == [4] * 60
    assert line["mode"] == "lines+markers"
    assert len(shade["x"]) == len(shade["y"]) == 120
    assert (min(shade["y"]), max(shade["y"])) == pytest.approx((10.15, 12.85))
    assert shade["fill"] == "toself"


def test_the_resolution_follows_what_fits_and_is_said(viewer, offset, monkeypatch):
    assert "Each value is drawn: 960 fit into one plot." in text(viewer.get(ADDRESS))
    monkeypatch.setattr(reading, "POINT_LIMIT", 300)
    page = text(viewer.get(ADDRESS))
    assert "Each point is a day: 960 values are too many" in page
    assert "the shade holds 5 to 95 % of them: 240 points of 960 values" in page
    monkeypatch.setattr(reading, "POINT_LIMIT", 100)
    assert "Each point is a month" in text(viewer.get(ADDRESS))
    assert "Each value is drawn: 32" in text(viewer.get(f"{ADDRESS}?zoom={ZOOM}"))


def test_a_zoom_narrows_plot_table_values_and_axis(viewer, offset):
    drawn = figure(viewer, f"?zoom={ZOOM}&unit=S2A&band=B02")
    assert drawn["layout"]["xaxis"]["range"] == ["2024-09-05T00:00:00Z", "2024-09-07T00:00:00Z"]
    assert len(drawn["data"][0]["x"]) == 8
    page = text(viewer.get(f"{ADDRESS}?zoom={ZOOM}&unit=S2A&band=B02"))
    assert "<b>8</b> values of 1 series" in page
    assert "2024-09-05 00:00 to 2024-09-07 00:00 UTC" in page
    assert 'data-page-key="z"' in page
    rows = json.loads(text(viewer.get(f"{ADDRESS}values/?zoom={ZOOM}&unit=S2A&band=B02&format=json")))
    assert len(rows) == 8


@pytest.mark.parametrize("zoom", ["yesterday", "2024-09-05", "2024-09-07~2024-09-05", "a~b~c", "9999-12-31~x"])
def test_a_zoom_that_cannot_be_read_says_so(viewer, offset, zoom):
    assert "A filter could not be read" in text(viewer.get(f"{ADDRESS}?zoom={zoom}"))


def test_heights_that_were_asked_for_are_kept_by_band(viewer, offset):
    drawn = figure(viewer, f"?yrange={CODE}:B03:19:24&yrange={CODE}:B02:nonsense:1&yrange=x")
    assert drawn["axes"] == {"yaxis": "B02", "yaxis2": "B03"}
    assert drawn["layout"]["yaxis2"]["range"] == [19.0, 24.0]
    assert drawn["layout"]["yaxis"]["range"] == pytest.approx([9.75 - 0.32, 13.75 + 0.32])


def test_more_series_than_can_be_told_apart_lead_to_fewer(viewer, offset, monkeypatch):
    monkeypatch.setattr(data, "SERIES_LIMIT", 3)
    page = unescape(text(viewer.get(f"{ADDRESS}?median=7")))
    assert "4 series fit, more than one plot can tell apart" in page
    assert 'href="?median=7&band=B03">B03<' in page
    assert figures_in(page) == []
    assert len(figure(viewer, "?median=7&band=B03")["data"]) == 4  # two units, points and median
    assert "choose a band" in viewer.get(f"{ADDRESS}data.json").json()["empty"]
    assert viewer.get(f"/api/v1/trends/?metric={CODE}").status_code == 400


# --- Look ----------------------------------------------------------------------------------------------------------
def test_a_moving_median_is_a_line_over_fainter_points(viewer, offset):
    drawn = named(figure(viewer, "?median=7&unit=S2A&band=B02"))
    assert drawn["S2A L1C 05.11 B02 median of 7 days"]["y"][100] == 11.5
    assert drawn["S2A L1C 05.11 B02"]["opacity"] == 0.4


def test_a_logarithmic_scale_says_what_has_no_place_on_it(viewer, make_product, measure):
    Metric.objects.create(code="test.log", name="Share")
    for day, number in enumerate((-1.0, 0.0, 10.0, 100.0)):
        product = make_product(day=day)
        measure(product, value("test.log", number, time=product.sensing_start))
    axis = figure(viewer, "?scale=log", "/trends/test.log/")["layout"]["yaxis"]
    assert axis["type"] == "log"
    assert axis["range"] == pytest.approx([0.92, 2.08])  # powers of ten
    assert "2 points of Share are not above zero" in text(viewer.get("/trends/test.log/?scale=log"))


def test_bars_can_be_hidden(viewer, offset):
    assert figure(viewer, "?unit=S2A&band=B02")["data"][0]["error_y"]["array"][0] == 0.25
    assert all("error_y" not in t for t in figure(viewer, "?unit=S2A&band=B02&hide=bars")["data"])
    days = figure(viewer, "?unit=S2A&band=B02&hide=bars&resolution=day")["data"]
    assert [t["name"] for t in days] == ["S2A L1C 05.11 B02"]


# --- Overlays ------------------------------------------------------------------------------------------------------
def test_limits_stand_in_their_band_for_the_time_in_which_they_hold(viewer, marked):
    drawn = figure(viewer)
    lines = drawn["marks"]["requirements"]
    assert [(r["y"], r["axis"], r["goal"], r["label"]) for r in lines] == [
        (14.0, "y", False, "T-1 ≤ 14"),
        (12.0, "y", True, "goal T-1 ≤ 12"),
    ]
    assert (lines[0]["x0"], lines[0]["x1"]) == ("2024-09-11T00:00:00Z", "2024-09-21T00:00:00Z")
    # What lies far away is named at the edge and does not press the points flat.
    (far,) = [note for note in drawn["layout"]["annotations"] if "↑" in note["text"]]
    assert (far["text"], far["yref"]) == ("↑ T-1 ≤ 400", "y2 domain")
    assert drawn["layout"]["yaxis2"]["range"][1] < 25


def test_a_line_of_one_unit_says_so_and_an_unverified_one_too(viewer, offset):
    from mpc.monitoring.models import Requirement, RequirementLimit

    required = Requirement.objects.create(code="T-2", title="t", metric=offset, statistic="mean", document="d")
    RequirementLimit.objects.create(requirement=required, unit="S2B", low=9.0)
    labels = [r["label"] for r in figure(viewer, "?band=B02")["marks"]["requirements"]]
    assert labels == ["S2B T-2 mean ≥ 9 (unverified)"]


def test_events_and_changes_are_those_of_the_series_that_stand(viewer, marked):
    marks = figure(viewer)["marks"]
    assert sorted(e["label"] for e in marks["events"]) == ["GIPP 7", "an outage"]
    assert [e["end"] for e in marks["events"] if e["label"] == "an outage"] == ["2024-09-13T10:00:00Z"]
    (change,) = marks["changes"]
    assert (change["label"], change["axis"], change["explained"]) == ("step +0.5 LSB", "y2", False)
    page = text(viewer.get(ADDRESS))
    assert "Events and changes in this time" in page
    assert "step +0.5 LSB, S2A L1C 05.11 B03" in page
    assert "of another" not in page


@pytest.mark.parametrize(
    ("hidden", "left"),
    [
        ("events", {"requirements", "changes"}),
        ("changes", {"requirements", "events"}),
        ("limits", {"events", "changes"}),
    ],
)
def test_each_overlay_can_be_hidden(viewer, marked, hidden, left):
    marks = figure(viewer, f"?hide={hidden}")["marks"]
    assert {name for name, found in marks.items() if found} == left


def test_values_out_of_limits_are_counted_in_the_table(viewer, marked):
    rows = json.loads(text(viewer.get(f"{ADDRESS}?format=json&band=B02")))
    assert [(row["unit"], row["outside"]) for row in rows] == [("S2A", 0), ("S2B", 0)]
    from mpc.monitoring.models import RequirementLimit

    RequirementLimit.objects.filter(band="B02").update(high=13.2)
    rows = json.loads(text(viewer.get(f"{ADDRESS}?format=json&band=B02")))
    assert [(row["unit"], row["outside"]) for row in rows] == [("S2A", 0), ("S2B", 10)]  # ten days, one value a day


# --- Statistics ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("resolution", ["value", "day", "month"])
def test_statistics_of_buckets_are_those_of_the_values(viewer, offset, resolution):
    (row,) = json.loads(text(viewer.get(f"{ADDRESS}?format=json&unit=S2A&band=B02&resolution={resolution}")))
    assert (row["count"], row["mean"], row["minimum"], row["maximum"]) == (240, 11.5, 10.0, 13.0)
    assert row["std"] == pytest.approx((300 / 239) ** 0.5)  # squares of -1.5, -0.5, 0.5, 1.5, sixty times
    assert row["median"] == 11.5


# --- Several metrics -----------------------------------------------------------------------------------------------
@pytest.fixture
def second(offset, measure) -> Metric:
    metric = Metric.objects.create(code="test.second", name="Second")
    measure(None, *(value("test.second", 1.0, unit="S2A", band=b, time=BEGIN) for b in ("B02", "B04")))
    return metric


def test_several_metrics_stand_below_one_another(viewer, second):
    page = text(viewer.get(f"/trends/explore/?metric={CODE}&metric=test.second&band=B02"))
    assert [(f["metric"], len(f["data"])) for f in figures_in(page)] == [(CODE, 2), ("test.second", 1)]
    assert "<b>481</b> values of 3 series" in page
    assert page.count('name="metric" value=') >= 2
    rows = json.loads(text(viewer.get(f"/trends/explore/?metric={CODE}&metric=test.second&band=B02&format=json")))
    assert [row["metric"] for row in rows] == [CODE, CODE, "test.second"]


def test_a_figure_of_several_is_asked_for_by_name(viewer, second):
    answer = viewer.get(f"/trends/explore/data.json?metric={CODE}&metric=test.second&plot=test.second").json()
    assert answer["metric"] == "test.second"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Metrics stand here one below another"),
        ("metric=no.such", "Not shown: no.such"),
        (f"metric={CODE}&metric={CODE}", "values of 4 series"),
        ("&".join(f"metric=m{n}" for n in range(9)), "Not shown: m0, m1"),
    ],
)
def test_a_page_of_metrics_says_what_it_cannot_show(viewer, offset, query, said):
    assert said in unescape(text(viewer.get(f"/trends/explore/?{query}")))


# --- Cards ---------------------------------------------------------------------------------------------------------
def test_the_card_of_a_bucket_has_its_numbers_and_its_values(viewer, offset):
    series = Series.objects.get(metric=offset, unit="S2A", band="B02")
    card = text(viewer.get(f"/trends/buckets/{series.pk}/?by=day&start=2024-09-02"))
    assert "median of 4 values" in card
    assert "10.15 to 12.85" in card
    assert card.count("<li>") == 4
    zoom = "2024-09-02T00%3A00%3A00Z~2024-09-03T00%3A00%3A00Z"
    link = unescape(re.search(r'class="btn main" href="([^"]+)"', card)[1])
    assert zoom in link
    assert len(json.loads(text(viewer.get(f"{link}&format=json")))) == 4
    month = text(viewer.get(f"/trends/buckets/{series.pk}/?by=month&start=2024-09-01"))
    assert "median of 120 values" in month
    assert month.count("<li>") == 8


@pytest.mark.parametrize("query", ["by=day&start=x", "by=year&start=2024-01-01", "by=day&start=9999-12-31"])
def test_a_bucket_that_cannot_be_is_not_found(viewer, offset, query):
    series = Series.objects.filter(metric=offset).first()
    assert viewer.get(f"/trends/buckets/{series.pk}/?{query}").status_code == 404


def test_a_bucket_without_values_says_so(viewer, offset):
    series = Series.objects.filter(metric=offset).first()
    assert "Nothing is left of this day" in text(viewer.get(f"/trends/buckets/{series.pk}/?by=day&start=2023-01-01"))


# --- Files, other programs -----------------------------------------------------------------------------------------
def test_the_points_are_a_file_of_exactly_what_is_drawn(viewer, offset):
    query = "?unit=S2A&band=B02&resolution=day&since=2024-09-02&until=2024-09-03"
    answer = viewer.get(f"{ADDRESS}points/{query}&format=csv")
    assert answer["Content-Disposition"] == f'attachment; filename="{CODE}.csv"'
    rows = list(csv.DictReader(io.StringIO(text(answer))))
    assert [(row["time"], row["value"], row["count"], row["p05"]) for row in rows] == [
        ("2024-09-02T00:00:00Z", "11.5", "4", "10.15"),
        ("2024-09-03T00:00:00Z", "11.5", "4", "10.15"),
    ]
    assert json.loads(text(viewer.get(f"{ADDRESS}points/{query}&format=json")))[0]["uncertainty"] == 0.125
    assert viewer.get(f"{ADDRESS}points/?format=xlsx").status_code == 400
    assert viewer.get(f"{ADDRESS}points/?band=B99").status_code == 400


def test_the_command_prints_what_the_page_shows(viewer, offset, capsys):
    call_command("measurements", CODE, "--unit", "S2A", "--band", "B02", "--zoom", ZOOM, "--json")
    (trend,) = json.loads(capsys.readouterr().out)["trends"]
    (series,) = trend["series"]
    assert (trend["resolution"], len(series["value"]), series["part"]) == ("value", 8, "S2A L1C 05.11 B02")
    call_command("measurements", CODE, "--unit", "S2A", "--resolution", "month", "--csv")
    assert len(capsys.readouterr().out.splitlines()) == 1 + 4
    call_command("measurements", CODE)
    assert "S2B L1C 05.11 B03" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["no.such"], "no metric no.such"), ([CODE, "--band", "B99"], "--band"), ([CODE, "--zoom", "x"], "--zoom")],
)
def test_the_command_says_what_is_wrong(offset, arguments, said):
    with pytest.raises(CommandError, match=said) as raised:
        call_command("measurements", *arguments)
    assert raised.value.returncode == 2


def test_copied_commands_ask_the_same(viewer, offset, capsys):
    page = unescape(text(viewer.get(f"{ADDRESS}?unit=S2A&band=B02&zoom={quote(ZOOM)}&median=7")))
    command = shlex.split(re.search(r'id="copy-cli">(.*?)</pre>', page, re.S)[1])
    assert command[:3] == ["manage.py", "measurements", CODE]
    call_command(*command[1:])
    (trend,) = json.loads(capsys.readouterr().out)["trends"]
    assert [len(series["value"]) for series in trend["series"]] == [8]


# --- Kept views ----------------------------------------------------------------------------------------------------
def test_the_whole_view_can_be_kept_under_a_name(viewer, offset):
    query = f"band=B02&resolution=day&median=30&scale=log&hide=events&zoom={quote(ZOOM)}"
    page = text(viewer.get(f"{ADDRESS}?{query}"))
    kept = unescape(re.search(r'name="query" value="([^"]*)"', page)[1])
    name = unescape(re.search(r'name="list_name" value="([^"]*)"', page)[1])
    viewer.post("/lists/filters/", {"list_name": name, "name": "mine", "query": kept, "next": ADDRESS})
    saved = SavedFilter.objects.get(name="mine")
    again = text(viewer.get(f"{ADDRESS}?{saved.query}"))
    assert figures_in(again) == figures_in(page)
    for control in ('value="log" form="filters" checked', 'value="events" form="filters" checked'):
        assert control in again
    assert '<option value="30" selected>' in again


def test_superseded_and_withdrawn_values_say_so_on_their_card(viewer, make_product, measure):
    product = make_product()
    measure(product, value(number=1.0))
    measure(product, value(number=2.0))
    old = Measurement.objects.get(current=False)
    assert "superseded by a later run" in text(viewer.get(f"/trends/points/{old.pk}/"))
