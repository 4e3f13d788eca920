"""Metadata of real products: exact facts, read from the files by hand."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mpc.msi.metadata import MetadataProblem, read_datastrip_metadata, read_product_metadata, read_tile_metadata
from mpc.msi.records import Grid, PacketLoss
from mpc.msi.xmlio import XmlProblem

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
MINUS_1000 = dict.fromkeys(BANDS, -1000.0)

PRODUCTS = {
    "T56JMM": {
        "level": "L1C",
        "baseline": "02.06",
        "unit": "S2A",
        "datatake_id": "GS2A_20180629T000241_015757_N02.06",
        "absolute_orbit": 15757,
        "relative_orbit": 30,
        "orbit_direction": "DESCENDING",
        "generation_time": datetime(2018, 6, 29, 1, 20, 42, 0, UTC),
        "datatake_start": datetime(2018, 6, 29, 0, 2, 41, 24000, UTC),
        "cloud_cover": 0.0,
        "snow_cover": None,
        "doi": None,
        "datastrip_ids": ("S2A_OPER_MSI_L1C_DS_EPAE_20180629T012042_S20180629T000241_N02.06",),
        "granule_ids": ("S2A_OPER_MSI_L1C_TL_EPAE_20180629T012042_A015757_T56JMM_N02.06",),
    },
    "T55JEJ": {
        "level": "L1C",
        "baseline": "02.06",
        "absolute_orbit": 12840,
        "relative_orbit": 116,
        "datatake_start": datetime(2017, 12, 7, 0, 20, 51, 26000, UTC),
        "cloud_cover": 0.0,
    },
    "T32TNM": {
        "level": "L1C",
        "baseline": "02.04",
        "absolute_orbit": 8785,
        "relative_orbit": 65,
        "cloud_cover": 0.1491,
    },
    "T30TXR": {
        "level": "L1C",
        "baseline": "05.00",
        "absolute_orbit": 26117,
        "relative_orbit": 94,
        "orbit_direction": "ASCENDING",
        "snow_cover": 0.159903251814028,
        "doi": "https://doi.org/10.5270/S2_-742ikth",
    },
    "T29UNU": {
        "level": "L2A",
        "baseline": "04.00",
        "absolute_orbit": 38058,
        "relative_orbit": 23,
        "cloud_cover": 59.769726,
    },
    "T34UCF": {
        "level": "L1C",
        "baseline": "05.09",
        "unit": "S2B",
        "absolute_orbit": 33753,
        "relative_orbit": 122,
        "cloud_cover": 3.34127623995939,
        "snow_cover": 0.00958523694347398,
    },
}
# tile: offsets, U, irradiance of B01, gain of B8A, number of GIPPs, of image files, first corner
RADIOMETRY = {
    "T56JMM": ({}, 0.967798898595979, 1884.69, 5.12505693, 134, 14, (152.91582530574115, -29.82977371763171)),
    "T55JEJ": ({}, 1.02945457689196, 1913.57, 5.13124675, 134, 14, (148.125789543754, -28.879064341218076)),
    "T32TNM": ({}, 1.02186151634506, 1913.57, 5.14776482, 134, 14, (9.975430158966422, 42.4470105948154)),
    "T30TXR": (MINUS_1000, 0.968530426877244, 1884.69, 5.11235537, 135, 14, (-1.707467964166699, 46.046265456303395)),
    "T29UNU": (MINUS_1000, 0.998456468000941, 1884.69, 5.1160038, 138, 36, (-7.7604675, 53.24107326120979)),
    "T34UCF": (MINUS_1000, 0.97659423426857, 1874.3, 5.7604695, 135, 14, (17.87240396241576, 55.00678356187177)),
}
TILES = {
    "T56JMM": (32756, 399960.0, 6700000.0, 59.5161129280706, 8.86277189674952, (9, 10, 11, 12), 66, 0.0, None),
    "T55JEJ": (32755, 499980.0, 6900040.0, 22.4880527964554, None, (7, 8, 9, 10, 11, 12), 66, 0.0, None),
    "T32TNM": (32632, 499980.0, 4700040.0, 52.6712175837424, 9.28091072018539, (9, 10, 11, 12), 66, 0.0, None),
    "T30TXR": (32630, 600000.0, 5100000.0, 25.0026349326874, 3.09793609963822, (3, 4, 5, 6, 7, 8, 9), 4, 0.0001, None),
    "T29UNU": (32629, 499980.0, 5900040.0, 57.820574357679, 9.29720722278376, (9, 10, 11, 12), 31, 0.0264, 40.419397),
    "T34UCF": (32634, 300000.0, 6100020.0, None, None, None, 27, 0.0019, None),
}


def member(realdata: Path, tile_name: str, ending: str) -> bytes:
    """A metadata file of a real product, folder or zip."""
    (path,) = (realdata / "products").glob(f"*_{tile_name}_*")
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            (name,) = (name for name in archive.namelist() if re.search(ending, name))
            return archive.read(name)
    (found,) = (item for item in path.rglob("*.xml") if re.search(ending, item.as_posix()))
    return found.read_bytes()


@pytest.mark.parametrize("name", PRODUCTS)
def test_real_products(realdata: Path, name: str) -> None:
    problems: list[str] = []
    facts = read_product_metadata(member(realdata, name, r"/MTD_MSIL..\.xml$"), problems=problems)
    assert problems == []
    assert {key: getattr(facts, key) for key in PRODUCTS[name]} == PRODUCTS[name]
    assert f"_{name}_" in facts.product_uri
    assert facts.product_uri.endswith(".SAFE")
    offsets, u, irradiance, gain, gipps, images, corner = RADIOMETRY[name]
    radiometry = facts.radiometry
    assert (radiometry.offsets, radiometry.u, radiometry.quantification) == (offsets, u, 10000.0)
    assert (radiometry.solar_irradiance["B01"], radiometry.physical_gains["B8A"]) == (irradiance, gain)
    assert tuple(radiometry.solar_irradiance) == tuple(radiometry.physical_gains) == BANDS
    assert radiometry.special_values == {"NODATA": 0, "SATURATED": 65535}
    assert (len(facts.gipps), len(facts.image_files), facts.footprint[0]) == (gipps, images, corner)
    assert facts.footprint[0] == facts.footprint[-1]
    assert all(re.fullmatch(r"GIP_\w{6}", gipp.type) and re.fullmatch(r"\d{3,5}", gipp.version) for gipp in facts.gipps)
    flags = {flag.name: flag.status for flag in facts.quality_flags}
    assert len(flags) == (6 if facts.level == "L2A" else 5)
    assert set(flags.values()) == {"PASSED"}
    assert {"IERS_BULLETIN_FILENAME", "PRODUCTION_DEM_TYPE", "ECMWF_DATA_REF"} <= facts.auxiliary.keys()


def test_the_real_l2a_product_has_quantifications_and_contents(realdata: Path) -> None:
    facts = read_product_metadata(member(realdata, "T29UNU", r"MTD_MSIL2A\.xml$"))
    assert (facts.radiometry.aot_quantification, facts.radiometry.wvp_quantification) == (1000.0, 1000.0)
    assert facts.content["NODATA_PIXEL_PERCENTAGE"] == 40.419397
    assert facts.content["SNOW_ICE_PERCENTAGE"] == 6.46e-4
    assert facts.auxiliary["SNOW_CLIMATOLOGY_MAP"] == "GlobalSnowMap.tiff"


@pytest.mark.parametrize("name", TILES)
def test_real_tiles(realdata: Path, name: str) -> None:
    problems: list[str] = []
    facts = read_tile_metadata(member(realdata, name, r"/MTD_TL\.xml$"), problems=problems)
    assert problems == []
    epsg, ulx, uly, sun_zenith, zenith, detectors, masks, degraded, nodata = TILES[name]
    assert facts.tile_id.split("_")[-2] == name
    assert facts.epsg == epsg
    assert facts.grids == {
        size: Grid(size, rows, rows, ulx, uly, size, -size) for size, rows in ((10, 10980), (20, 5490), (60, 1830))
    }
    assert (facts.sun_zenith, facts.detectors.get("B02")) == (sun_zenith, detectors)
    assert len(facts.view_angles) == (13 if sun_zenith else 0)
    if zenith:
        assert facts.view_angles["B8A"].zenith == zenith
    assert (len(facts.mask_files), facts.degraded_msi, facts.nodata_percentage) == (masks, degraded, nodata)
    assert facts.pvi_file is not None
    assert facts.pvi_file.endswith("_PVI.jp2")


def test_real_sensing_times_of_tiles(realdata: Path) -> None:
    """Up to 02.06 the time is that of the datastrip's start, later the tile's own."""
    old = read_tile_metadata(member(realdata, "T56JMM", r"/MTD_TL\.xml$"))
    strip = read_datastrip_metadata(member(realdata, "T56JMM", r"/MTD_DS\.xml$"))
    assert old.sensing_time == strip.sensing_start == datetime(2018, 6, 29, 0, 2, 41, 461000, UTC)
    new = read_tile_metadata(member(realdata, "T34UCF", r"/MTD_TL\.xml$"))
    assert new.sensing_time == datetime(2023, 8, 23, 10, 5, 35, 271949, UTC)


STRIPS = {
    # path: level, baseline, orbit, start, refining, REF_ figures, GIPPs, granules, gain of B01, NUC table
    "products/*T56JMM*/DATASTRIP/*/MTD_DS.xml": (
        "L1C", "02.06", 15757, datetime(2018, 6, 29, 0, 2, 41, 461000, UTC), "not_tried", 0, 134, 123, 4.11320743, "2",
    ),
    "datastrips/S2B*N04.00/S2B_OPER_MTD*.xml": (
        "L1C", "04.00", 29232, datetime(2022, 10, 11, 6, 40, 25, 456000, UTC), "failed", 6, 135, 18, 3.96299867, "2",
    ),
    "datastrips/l1b_tds1/DATASTRIP/*/*.xml": (
        "L1B", "05.00", 26904, datetime(2020, 8, 16, 12, 2, 20, 458000, UTC), "refined", 15, 130, 72, 4.10907633, "3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("pattern", STRIPS)
def test_real_datastrips(realdata: Path, pattern: str) -> None:
    (path,) = realdata.glob(pattern)
    problems: list[str] = []
    facts = read_datastrip_metadata(path.read_bytes(), problems=problems)
    assert problems == []
    assert (
        facts.level,
        facts.baseline,
        facts.absolute_orbit,
        facts.sensing_start,
        facts.refining,
        len(facts.refining_parameters),
        len(facts.gipps),
        len(facts.granule_ids),
        facts.radiometry.physical_gains["B01"],
        facts.configuration["NUC_TABLE_ID"],
    ) == STRIPS[pattern]
    assert facts.packets == PacketLoss(0, 0, 0, 0.0)
    assert facts.degraded_anc == 0.0
    assert tuple(facts.radiometry.physical_gains) == BANDS
    assert facts.auxiliary["GPS_TIME_UTC"] == "18"
    assert facts.configuration["LINE_PERIOD"] == "1.565873622"


def test_the_real_zipped_datastrip(realdata: Path) -> None:
    facts = read_datastrip_metadata(member(realdata, "T55JEJ", r"/MTD_DS\.xml$"))
    assert (facts.refining, len(facts.gipps), len(facts.granule_ids)) == ("not_tried", 134, 105)
    assert facts.radiometry.u == 1.02945457689196


def test_the_real_refined_l1b_datastrip(realdata: Path) -> None:
    (path,) = realdata.glob("datastrips/l1b_tds1/DATASTRIP/*/*.xml")
    facts = read_datastrip_metadata(path.read_bytes())
    assert facts.refining_residuals == {"X_MEAN": -0.134731, "Y_MEAN": 0.04803, "X_STDV": 5.018905, "Y_STDV": 4.286021}
    assert facts.refining_parameters["REF_NB_GCP"] == "24"
    assert facts.refined_corrections["MSI_State/Rotation/X"] == "2.95053743505789e-06 -3.97553724884445e-08"
    assert facts.refined_corrections["MSI_State/Homothety/Z"] == "-2.53929601479642e-06"
    assert facts.radiometry.offsets == dict.fromkeys(BANDS, -100.0)
    assert (facts.radiometry.quantification, facts.radiometry.u) == (None, None)
    assert facts.configuration["DEFECTIVE_PIXELS_PROC"] == "true"
    assert facts.configuration["Equalization/@processed"] == "true"
    assert facts.configuration["CROSSTALK_OPTICAL_PROC"] == "false"


def test_the_real_l1c_datastrip_names_cams(realdata: Path) -> None:
    (path,) = realdata.glob("datastrips/S2B*N04.00/S2B_OPER_MTD*.xml")
    facts = read_datastrip_metadata(path.read_bytes())
    assert facts.auxiliary["CAMS_DATA_REF"].startswith("S2__OPER_AUX_CAMSFO_ADG__20221010T120000_V")
    assert "DEFECTIVE_PIXELS_PROC" not in facts.configuration


def test_the_real_empty_datastrip_is_no_metadata(realdata: Path) -> None:
    with pytest.raises(XmlProblem) as caught:
        read_datastrip_metadata(member(realdata, "T32TNM", r"/MTD_DS\.xml$"), what="MTD_DS.xml")
    assert caught.value.kind == "empty"


def test_real_granules_are_no_tiles(realdata: Path) -> None:
    (path,) = realdata.glob("datastrips/l1b_tds1/GRANULE/*_D02_*/*.xml")
    with pytest.raises(MetadataProblem, match="Level-1B_Granule_ID"):
        read_tile_metadata(path.read_bytes())
