"""Pages of trends: what they show, how the filter travels, how much they ask of the database."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from django.urls import reverse

from mpc.monitoring import reading, views
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.rollups.roller import Roller
from mpc.monitoring.trends import figure as figures
from mpc.monitoring.trends import pages
from tests.monitoring.conftest import START, value

pytestmark = pytest.mark.django_db
REFLECTANCE = "/trends/image.mean_reflectance/"


def text(response) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode()


def figure(client, query: str = "", address: str = REFLECTANCE) -> dict:
    response = client.get(f"{address}data.json{query}")
    assert response.status_code == 200
    return response.json()


def figures_in(page: str) -> list[dict]:
    """The figures that a page carries."""
    return [
        json.loads(found) for found in re.findall(r'<script type="application/json" id="trend-.*?>(.*?)</script>', page)
    ]


# --- Who may ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["/trends/", REFLECTANCE, f"{REFLECTANCE}values/", f"{REFLECTANCE}data.json"])
def test_trends_take_a_role(client, stranger, viewer, mission, address):
    assert client.get(address).status_code == 302
    assert stranger.get(address).status_code == 403
    assert viewer.get(address).status_code == 200


def test_a_metric_that_nobody_measured_is_not_found(viewer, mission):
    for part in ("", "values/", "data.json"):
        assert viewer.get(f"/trends/no.such/{part}").status_code == 404


# --- Catalogue ----------------------------------------------------------------------------------------------------
def test_the_catalogue_counts_series_and_values(viewer, mission):
    Metric.objects.create(code="image.never", name="Never measured")
    rows = json.loads(text(viewer.get("/trends/?format=json")))
    assert [(row["code"], row["parts"], row["values"]) for row in rows] == [
        ("image.mean_reflectance", 4, 16),
        ("image.saturated_share", 2, 8),
    ]
    assert rows[0]["last_time"] == "2026-09-04T10:10:11Z"
    assert REFLECTANCE in text(viewer.get("/trends/"))


def test_the_catalogue_is_searched_and_narrowed_by_unit(viewer, mission, make_product, measure):
    measure(make_product("S2C"), value("product.sun_zenith", 40.0, unit="S2C"))
    found = {
        query: [row["code"] for row in json.loads(text(viewer.get(f"/trends/?format=json&{query}")))]
        for query in ("q=saturated", "q=image+reflect", "unit=S2C", "unit=S2D")
    }
    assert found == {
        "q=saturated": ["image.saturated_share"],
        "q=image+reflect": ["image.mean_reflectance"],
        "unit=S2C": ["product.sun_zenith"],
        "unit=S2D": [],
    }


def test_an_empty_catalogue_says_how_it_fills(viewer):
    page = text(viewer.get("/trends/"))
    assert "A metric appears here with its first value" in page
    assert reverse("products:upload") in page


# --- The plot -----------------------------------------------------------------------------------------------------
def test_a_trace_a_series_units_by_colour_bands_by_place(viewer, mission):
    drawn = figure(viewer)
    assert [(t["name"], t["marker"]["color"], t["yaxis"], len(t["x"])) for t in drawn["data"]] == [
        ("S2A L1C 05.11 B02", "var(--unit-a)", "y", 4),
        ("S2B L1C 05.11 B02", "var(--unit-b)", "y", 4),
        ("S2A L1C 05.11 B8A", "var(--unit-a)", "y2", 4),
        ("S2B L1C 05.11 B8A", "var(--unit-b)", "y2", 4),
    ]
    assert drawn["layout"]["yaxis"]["domain"][0] > drawn["layout"]["yaxis2"]["domain"][1]
    assert [note["text"] for note in drawn["layout"]["annotations"]] == ["<b>B02</b>", "<b>B8A</b>"]
    first = drawn["data"][0]
    assert first["x"][0] == "2026-09-01T10:10:11Z"
    assert first["y"] == pytest.approx([0.1, 0.101, 0.102, 0.103])


def test_one_band_is_one_plot_and_the_axis_says_quantity_and_unit(viewer, mission):
    Metric.objects.filter(code="image.saturated_share").update(name="Share of saturated pixels", unit="%")
    drawn = figure(viewer, address="/trends/image.saturated_share/")
    assert drawn["layout"]["yaxis"]["title"] == {"text": "Share of saturated pixels (%)"}
    assert {trace["yaxis"] for trace in drawn["data"]} == {"y"}


def test_error_bars_stand_where_there_is_an_uncertainty(viewer, mission, monkeypatch):
    with_bars = {t["name"]: t.get("error_y", {}).get("array") for t in figure(viewer)["data"]}
    assert with_bars["S2A L1C 05.11 B02"] == [0.002] * 4
    assert with_bars["S2A L1C 05.11 B8A"] is None
    for module in (figures, pages):
        monkeypatch.setattr(module, "BAR_LIMIT", 15)
    assert not any("error_y" in trace for trace in figure(viewer)["data"])
    assert "their error bars would hide one another" in text(viewer.get(REFLECTANCE))


def test_a_point_names_the_measurement_behind_it(viewer, mission):
    trace = figure(viewer, "?unit=S2B&band=B02")["data"][0]
    keys = (
        Measurement.objects.filter(series__unit="S2B", series__band="B02").order_by("time").values_list("pk", flat=True)
    )
    assert trace["customdata"] == list(keys)
    assert trace["meta"] == {"series": Series.objects.get(unit="S2B", band="B02").pk, "resolution": "value"}


def test_the_card_of_a_point_leads_to_report_and_run(viewer, mission):
    product = mission[1]
    measurement = Measurement.objects.get(product=product, series__band="B02")
    card = text(viewer.get(f"/trends/points/{measurement.pk}/"))
    assert f'href="/quality/{product.name}/"' in card
    assert f'href="/runs/{measurement.run_id}/"' in card
    assert "0.1100 ± 0.0020" in card
    bare = Measurement.objects.get(product=product, series__band="B8A")
    assert "none: an exact count, no estimate" in text(viewer.get(f"/trends/points/{bare.pk}/"))
    assert viewer.get("/trends/points/999999/").status_code == 404


def test_values_of_other_jobs_lead_to_their_product_or_run(viewer, make_product, measure):
    product = make_product()
    measure(product, value("site.bias", site="Libya-4"), kind="validation.pics")
    run = measure(None, value("site.bias", time=START.replace(day=2)), kind="calibration.dark")
    keys = [key for trace in figure(viewer, address="/trends/site.bias/")["data"] for key in trace["customdata"]]
    cards = " ".join(text(viewer.get(f"/trends/points/{key}/")) for key in keys)
    assert f'class="btn main" href="/products/{product.name}/"' in cards
    assert f'class="btn main" href="/runs/{run.pk}/"' in cards


def test_words_from_outside_do_not_become_markup_in_a_hover(viewer, make_product, measure):
    measure(make_product(), value("site.bias", site="<b>%{x}", no_uncertainty="<i>no</i>"))
    trace = figure(viewer, address="/trends/site.bias/")["data"][0]
    assert "&lt;b&gt;% {x}" in trace["hovertemplate"]
    assert "&lt;i&gt;no&lt;/i&gt;" in text(viewer.get(f"/trends/points/{trace['customdata'][0]}/"))


def test_superseded_values_are_not_shown(viewer, make_product, measure):
    product = make_product()
    measure(product, value(number=1.0))
    measure(product, value(number=2.0))
    drawn = figure(viewer, address="/trends/image.saturated_share/")
    assert [trace["y"] for trace in drawn["data"]] == [[2.0]]


def test_the_marked_value_is_ringed(viewer, mission):
    measurement = Measurement.objects.get(product=mission[2], series__band="B02")
    ring = figure(viewer, f"?band=B02&mark={measurement.pk}")["data"][-1]
    assert (ring["name"], ring["y"], ring["text"]) == ("marked", [measurement.value], ["this product"])
    page = text(viewer.get(f"{REFLECTANCE}?band=B8A&mark={measurement.pk}"))
    assert "lies outside these filters" in page
    for nonsense in ("x", "-1", "9" * 30):
        assert len(figure(viewer, f"?band=B02&mark={nonsense}")["data"]) == 2


# --- The filter ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 16),
        ("unit=S2A", 8),
        ("unit=S2A&unit=S2B&band=B02", 8),
        ("since=2026-09-02", 12),
        ("until=2026-09-02", 8),
        ("since=2026-09-02&until=2026-09-02", 4),
        ("tile=T33UUU", 16),
        ("tile=32TQM", 0),
        ("status=FAILED", 2),
        ("level=L1C&band=B8A&unit=S2B&since=2026-09-04", 1),
    ],
)
def test_plot_page_table_and_export_have_the_same_filter(viewer, mission, query, count):
    mission[0].status = "FAILED"
    mission[0].save()
    assert sum(len(trace["y"]) for trace in figure(viewer, f"?{query}")["data"]) == count
    page = text(viewer.get(f"{REFLECTANCE}?{query}"))
    assert f"<b>{count}</b> value" in page
    assert len(json.loads(text(viewer.get(f"{REFLECTANCE}values/?{query}&format=json")))) == count


def test_a_filter_by_product_takes_its_full_name(viewer, mission):
    query = f"?product={mission[3].name}.SAFE"
    assert [trace["name"] for trace in figure(viewer, query)["data"]] == ["S2B L1C 05.11 B02", "S2B L1C 05.11 B8A"]


def test_the_filter_travels_from_page_to_plot_table_and_files(viewer, mission):
    page = text(viewer.get(f"{REFLECTANCE}?unit=S2A&band=B02&since=2026-09-02"))
    query = "unit=S2A&amp;band=B02&amp;since=2026-09-02"
    (drawn,) = figures_in(page)
    assert [(trace["name"], len(trace["x"])) for trace in drawn["data"]] == [("S2A L1C 05.11 B02", 3)]
    assert f'href="{REFLECTANCE}values/?{query}"' in page
    assert f'href="{REFLECTANCE}values/?{query}&amp;format=csv"' in page
    assert page.count(" checked") >= 2
    assert 'value="2026-09-02"' in page


def test_a_part_of_the_page_answers_htmx(viewer, mission):
    headers = {"HX-Request": "true", "HX-Target": "results"}
    part = text(viewer.get(f"{REFLECTANCE}?unit=S2A", headers=headers))
    assert part.lstrip().startswith('<div id="results"')
    assert {trace["name"][:3] for trace in figures_in(part)[0]["data"]} == {"S2A"}
    assert "<html" not in part


@pytest.mark.parametrize("query", ["unit=S2X", "band=B99", "since=yesterday", "tile=33", "site=Libya-4"])
def test_a_filter_that_cannot_be_read_shows_nothing_and_says_so(viewer, mission, query):
    assert "A filter could not be read" in text(viewer.get(f"{REFLECTANCE}?{query}"))
    assert "A filter could not be read" in text(viewer.get(f"{REFLECTANCE}values/?{query}"))
    drawn = figure(viewer, f"?{query}")
    assert drawn["data"] == []
    assert "could not be read" in drawn["empty"]


def test_only_filters_that_tell_something_apart_are_offered(viewer, mission):
    page = text(viewer.get(REFLECTANCE))
    assert 'name="band"' in page
    assert 'name="unit"' in page
    for name in ("level", "baseline", "detector", "site"):
        assert f'name="{name}"' not in page


def test_whole_bands_and_detectors_are_told_apart(viewer, make_product, measure):
    measure(make_product(), value("a.b", band="B02"), *(value("a.b", band="B02", detector=d) for d in ("01", "02")))
    names = [trace["name"] for trace in figure(viewer, "?detector=whole", "/trends/a.b/")["data"]]
    assert names == ["S2B L1C 05.11 B02"]
    names = [trace["name"] for trace in figure(viewer, "?detector=01", "/trends/a.b/")["data"]]
    assert names == ["S2B L1C 05.11 B02 D01"]


def rolled() -> None:
    """As the roller leaves it."""
    Roller().roll_all()


# --- Too many -----------------------------------------------------------------------------------------------------
@pytest.fixture
def small_limits(monkeypatch):
    """Ten values are a plot, twelve a table."""
    monkeypatch.setattr(reading, "POINT_LIMIT", 10)
    monkeypatch.setattr(views, "TABLE_LIMIT", 12)


def test_a_trend_that_is_too_long_is_shown_by_day(viewer, mission, small_limits):
    rolled()
    drawn = figure(viewer)
    assert drawn["resolution"] == "month"  # 16 values and 16 days of series are more than ten points
    drawn = figure(viewer, "?band=B02")
    assert (drawn["resolution"], len(drawn["data"])) == ("value", 2)
    page = text(viewer.get(REFLECTANCE))
    assert "Each point is a month: 16 values" in page


def test_products_are_not_known_to_days_so_too_many_are_said_never_cut(viewer, mission, small_limits):
    page = text(viewer.get(f"{REFLECTANCE}?tile=T33UUU"))
    assert "More than 10 values fit" in page
    assert "?tile=T33UUU&amp;since=2026-09-04" in page
    drawn = figure(viewer, "?tile=T33UUU")
    assert drawn["data"] == []
    assert drawn["empty"] == "More than 10 values fit: narrow the filter."


def test_more_than_a_table_holds_is_said_never_cut(viewer, mission, small_limits):
    assert "More than 12 values fit" in text(viewer.get(f"{REFLECTANCE}values/?since=2026-01-01"))
    refused = viewer.get(f"{REFLECTANCE}values/?since=2026-01-01&format=csv")
    assert refused.status_code == 413
    assert "more than 12 values fit" in text(refused)
    assert viewer.get(f"{REFLECTANCE}values/?since=2026-09-03&format=csv").status_code == 200


# --- Tables and files ---------------------------------------------------------------------------------------------
def test_statistics_stand_below_the_plot_a_row_a_series(viewer, mission):
    rows = json.loads(text(viewer.get(f"{REFLECTANCE}?format=json&band=B02")))
    assert [(row["unit"], row["count"], row["first"][:10], row["last"][:10]) for row in rows] == [
        ("S2A", 4, "2026-09-01", "2026-09-04"),
        ("S2B", 4, "2026-09-01", "2026-09-04"),
    ]
    assert rows[0]["mean"] == pytest.approx(0.1015)
    assert rows[0]["std"] == pytest.approx(0.0012909944)
    page = text(viewer.get(f"{REFLECTANCE}?band=B02"))
    assert '<span style="color:var(--unit-a)" aria-hidden="true">●</span> <strong>S2A</strong>' in page


@pytest.mark.parametrize("column", ["unit", "band", "mean", "std", "last", "-count"])
def test_statistics_are_sorted_by_any_column(viewer, mission, column):
    assert viewer.get(f"{REFLECTANCE}?sort={column}").status_code == 200


def test_values_carry_uncertainty_reason_samples_and_provenance(viewer, mission):
    rows = json.loads(text(viewer.get(f"{REFLECTANCE}values/?format=json&unit=S2B&until=2026-09-01&sort=band")))
    (blue, red_edge) = rows
    assert (blue["band"], blue["uncertainty"], blue["no_uncertainty"]) == ("B02", 0.002, "")
    assert (red_edge["uncertainty"], red_edge["no_uncertainty"]) == (None, "an exact count, no estimate")
    assert (blue["product"], blue["samples"]) == (mission[1].name, 100)
    page = text(viewer.get(f"{REFLECTANCE}values/?unit=S2B&until=2026-09-01"))
    assert "0.1100 ± 0.0020" in page
    assert f'href="/quality/{mission[1].name}/"' in page


def test_a_file_for_spreadsheets_runs_nothing(viewer, make_product, measure):
    measure(make_product(), value("site.bias", -1.5, site="=HYPERLINK(1)", no_uncertainty="@SUM(A1)"))
    response = viewer.get("/trends/site.bias/values/?format=csv")
    assert 'filename="bias.csv"' in response["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(text(response)))
    assert (row["site"], row["no_uncertainty"], row["value"]) == ("'=HYPERLINK(1)", "'@SUM(A1)", "-1.5")


# --- Beside other pages -------------------------------------------------------------------------------------------
def test_a_product_shows_what_was_measured_of_it(viewer, mission):
    page = text(viewer.get(mission[0].get_absolute_url()))
    assert "Measurements of this product" in page
    measurement = Measurement.objects.get(product=mission[0], series__band="B02")
    assert f"{REFLECTANCE}?level=L1C&amp;band=B02&amp;mark={measurement.pk}" in page
    assert "0.1000 ± 0.0020" in page


def test_a_product_without_measurements_has_no_panel(viewer, make_product):
    assert "Measurements of this product" not in text(viewer.get(make_product().get_absolute_url()))


def test_a_run_shows_what_it_measured_and_whether_it_was_superseded(viewer, make_product, measure):
    product = make_product()
    first = measure(product, value(number=1.0), value("a.b"))
    second = measure(product, value(number=2.0))
    assert "1 of these values were superseded" in text(viewer.get(first.get_absolute_url()))
    page = text(viewer.get(second.get_absolute_url()))
    assert "Measurements of this run" in page
    assert "superseded" not in page


def test_search_finds_metrics_by_code_and_name(viewer, mission):
    assert viewer.get("/search/?q=image.mean").status_code == 200
    assert REFLECTANCE in text(viewer.get("/search/?q=mean+image"))
    assert REFLECTANCE not in text(viewer.get("/search/?q=mean+nothing"))


# --- What a page asks of the database -----------------------------------------------------------------------------
@pytest.fixture
def frame(viewer, django_assert_max_num_queries) -> int:
    """What the frame of every page asks: session, account, roles, navigation, workers."""
    with django_assert_max_num_queries(20) as asked:
        viewer.get("/search/")
    return len(asked.captured_queries)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("/trends/", 3),  # saved filters, count, metrics with what their series keep
        # metric, series, archived months, points, limits twice, events, changes, other metrics, saved filters
        (REFLECTANCE, 10),
        (f"{REFLECTANCE}?unit=S2A&status=PASSED", 10),
        (f"{REFLECTANCE}?tile=T33UUU", 11),  # and the products of the tile
        # metric, series, archived months, points, limits for their count and as lines, events, changes
        (f"{REFLECTANCE}data.json", 8),
        (f"{REFLECTANCE}values/", 7),  # metric, series, bound, count, keys, values, saved filters
    ],
)
def test_pages_cost_a_fixed_number_of_queries(
    viewer, frame, mission, make_product, measure, django_assert_max_num_queries, address, own
):
    viewer.get(address)
    with django_assert_max_num_queries(frame + own) as before:
        viewer.get(address)
    for day in range(5, 15):
        product = make_product("S2C", day)
        bands = [value("image.mean_reflectance", band=f"B{n:02d}", unit="S2C") for n in range(1, 9)]
        measure(product, *bands, *(value(f"many.m{n}", unit="S2C") for n in range(5)))
    with django_assert_max_num_queries(len(before.captured_queries)):
        viewer.get(address)


def test_a_plot_asks_for_the_account_and_eight_things(viewer, mission, django_assert_num_queries):
    # session, account, roles; metric, series, archived months, points, limits twice, events, changes
    with django_assert_num_queries(11):
        viewer.get(f"{REFLECTANCE}data.json")


def test_the_catalogue_does_not_touch_the_measurements(viewer, mission, django_assert_max_num_queries):
    with django_assert_max_num_queries(20) as asked:
        viewer.get("/trends/")
    statements = " ".join(query["sql"] for query in asked.captured_queries)
    assert Series._meta.db_table in statements
    assert Measurement._meta.db_table not in statements
