"""The bands by the Products Specification Document."""

from __future__ import annotations

import pytest

from mpc.msi.bands import BANDS, DETECTORS, GSDS, TILE_PIXELS, band_by_id, band_by_name


@pytest.mark.parametrize(
    ("name", "band_id", "gsd"),
    [("B01", 0, 60), ("B02", 1, 10), ("B08", 7, 10), ("B8A", 8, 20), ("B09", 9, 60), ("B10", 10, 60), ("B12", 12, 20)],
)
def test_band_numbers_and_distances(name: str, band_id: int, gsd: int) -> None:
    band = band_by_name(name)
    assert (band.name, band.key, band.band_id, band.gsd) == (name, name, band_id, gsd)
    assert band_by_id(band_id) is band


def test_thirteen_bands_in_the_order_of_their_ids() -> None:
    assert [band.band_id for band in BANDS] == list(range(13))
    assert sum(band.gsd == 10 for band in BANDS) == 4
    assert sum(band.gsd == 20 for band in BANDS) == 6
    assert sum(band.gsd == 60 for band in BANDS) == 3


@pytest.mark.parametrize(("text", "name"), [("B1", "B01"), ("b8a", "B8A"), (" B12 ", "B12"), ("B9", "B09")])
def test_short_names_are_understood(text: str, name: str) -> None:
    assert band_by_name(text).name == name


@pytest.mark.parametrize("text", ["B13", "", "B00", "8A", "TCI"])
def test_unknown_name_says_which_there_are(text: str) -> None:
    with pytest.raises(KeyError, match="B8A"):
        band_by_name(text)


@pytest.mark.parametrize("band_id", [-1, 13])
def test_unknown_number_is_refused(band_id: int) -> None:
    with pytest.raises(KeyError, match="0 to 12"):
        band_by_id(band_id)


def test_a_tile_is_109_8_km_wide_at_every_distance() -> None:
    assert {gsd * TILE_PIXELS[gsd] for gsd in GSDS} == {109_800}
    assert (DETECTORS[0], DETECTORS[-1], len(DETECTORS)) == (1, 12, 12)
