"""Metrics, series and measurements over REST."""

from __future__ import annotations

import pytest

from tests.monitoring.conftest import value

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("part", ["metrics", "series", "measurements"])
def test_rest_takes_a_role_and_writes_nothing(client, stranger, viewer, mission, part):
    address = f"/api/v1/{part}/"
    assert client.get(address).status_code == 401
    assert stranger.get(address).status_code == 403
    assert viewer.get(address).status_code == 200
    assert viewer.post(address, {}).status_code in (403, 405)
    assert viewer.delete(address).status_code in (403, 405)


def test_metrics_say_what_they_are_and_hold(viewer, mission):
    found = viewer.get("/api/v1/metrics/").json()
    assert [(m["code"], m["series"], m["values"]) for m in found["results"]] == [
        ("image.mean_reflectance", 4, 16),
        ("image.saturated_share", 2, 8),
    ]
    one = viewer.get("/api/v1/metrics/image.mean_reflectance/").json()
    assert (one["code"], one["last_time"]) == ("image.mean_reflectance", "2026-09-04T10:10:11Z")


def test_series_are_narrowed_by_their_parts(viewer, mission):
    found = viewer.get("/api/v1/series/?metric=image.mean_reflectance&unit=S2A&band=B8A").json()
    (series,) = found["results"]
    assert (series["unit"], series["band"], series["level"], series["values"]) == ("S2A", "B8A", "L1C", 4)
    assert (series["first_time"], series["last_time"]) == ("2026-09-01T10:10:11Z", "2026-09-04T10:10:11Z")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 24),
        ("metric=image.saturated_share", 8),
        ("unit=S2B&band=B02", 4),
        ("detector=07", 0),
        ("level=L1C&baseline=05.11", 24),
        ("baseline=05.12", 0),
        ("metric=image.mean_reflectance&since=2026-09-03", 8),
        ("metric=image.mean_reflectance&until=2026-09-02T00:00:00Z", 4),
        ("product=S2A_MSIL1C_20260901T101011_N0511_R022_T33UUU_20260901T235959", 3),
        ("product=S2A", 0),
    ],
)
def test_measurements_are_narrowed(viewer, mission, query, count):
    response = viewer.get(f"/api/v1/measurements/?{query}")
    assert response.status_code == 200, response.content
    assert len(response.json()["results"]) == count


def test_a_measurement_says_of_what_how_well_and_from_where(viewer, mission):
    address = "/api/v1/measurements/?metric=image.mean_reflectance&unit=S2B&band=B02&until=2026-09-02T00:00:00Z"
    (found,) = viewer.get(address).json()["results"]
    product = mission[1]
    expected = {
        "metric": "image.mean_reflectance",
        "unit": "S2B",
        "band": "B02",
        "detector": "",
        "time": "2026-09-01T10:10:11Z",
        "uncertainty": 0.002,
        "no_uncertainty": "",
        "samples": 100,
        "product": product.name,
        "run": product.runs.get().pk,
        "job_kind": "qc.product",
    }
    assert {key: found[key] for key in expected} == expected
    assert found["value"] == pytest.approx(0.11)
    assert viewer.get(f"/api/v1/measurements/{found['id']}/").json() == found


def test_a_cursor_leads_through_all_measurements_once(viewer, mission, django_assert_max_num_queries):
    address: str | None = "/api/v1/measurements/?page_size=7"
    seen: list[int] = []
    while address:
        with django_assert_max_num_queries(4):  # session, account, roles, the page
            page = viewer.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 24
    assert seen == sorted(seen, reverse=True)


def test_superseded_values_are_not_served(viewer, make_product, measure):
    product = make_product()
    measure(product, value(number=1.0))
    measure(product, value(number=2.0))
    assert [row["value"] for row in viewer.get("/api/v1/measurements/").json()["results"]] == [2.0]


@pytest.mark.parametrize("query", ["since=yesterday", "series=x", "run=x"])
def test_a_filter_that_cannot_be_read_is_an_error(viewer, mission, query):
    response = viewer.get(f"/api/v1/measurements/?{query}")
    assert response.status_code == 400
    assert query.partition("=")[0] in response.json()


def test_the_schema_describes_the_measurements(viewer):
    schema = viewer.get("/api/schema/?format=json")
    assert schema.status_code == 200
    paths = schema.content.decode()
    for part in ("metrics", "series", "measurements"):
        assert f"/api/v1/{part}/" in paths
