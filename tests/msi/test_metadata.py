"""Metadata as records: exact facts of real products, and what becomes of absurd ones."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc.msi.metadata import (
    MetadataProblem,
    read_datastrip_metadata,
    read_product_metadata,
    read_tile_metadata,
    read_time,
)
from mpc.msi.metadata.common import MAX_PROBLEMS
from mpc.msi.records import (
    DatastripMetadata,
    Gipp,
    Grid,
    PacketLoss,
    ProductMetadata,
    QualityFlag,
    TileMetadata,
    ViewAngles,
    unit_of,
)
from mpc.msi.xmlio import XmlProblem
from tests.msi import documents

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
MINUS_1000 = dict.fromkeys(BANDS, -1000.0)


def product(text: str = documents.PRODUCT, problems: list[str] | None = None) -> ProductMetadata:
    return read_product_metadata(text.encode(), problems=problems)


def tile(text: str = documents.TILE, problems: list[str] | None = None) -> TileMetadata:
    return read_tile_metadata(text.encode(), problems=problems)


def datastrip(text: str = documents.DATASTRIP, problems: list[str] | None = None) -> DatastripMetadata:
    return read_datastrip_metadata(text.encode(), problems=problems)


def swapped(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in the document"
    return text.replace(old, new)


# -- small documents ---------------------------------------------------------------------------------------------------


def test_facts_of_a_product() -> None:
    problems: list[str] = []
    facts = product(problems=problems)
    assert problems == []
    assert (facts.root, facts.level, facts.baseline) == ("Level-1C_User_Product", "L1C", "05.09")
    assert facts.namespace == documents.PRODUCT_NAMESPACE
    assert facts.product_uri == "S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234.SAFE"
    assert (facts.spacecraft, facts.unit) == ("Sentinel-2B", "S2B")
    assert (facts.datatake_id, facts.absolute_orbit) == ("GS2B_20230823T095559_033753_N05.09", 33753)
    assert (facts.relative_orbit, facts.orbit_direction) == (122, "DESCENDING")
    assert facts.datatake_start == datetime(2023, 8, 23, 9, 55, 59, 24000, UTC)
    assert [name[-3:] for name in facts.image_files] == ["B01", "B02"]
    assert facts.footprint == ((17.8, 55.0), (19.5, 55.0), (19.6, 54.0), (17.9, 54.0), (17.8, 55.0))
    assert (facts.cloud_cover, facts.snow_cover, facts.degraded_anc, facts.degraded_msi) == (3.34, 0.01, 0.0, 0.0)
    assert facts.quality_flags == (QualityFlag("SENSOR_QUALITY", "PASSED"), QualityFlag("GEOMETRIC_QUALITY", "FAILED"))
    assert facts.failed_reports == ("GEOMETRIC_QUALITY.xml",)
    assert facts.gipps[1] == Gipp("S2B_OPER_GIP_OLQCPA_MPC__20220715", "GIP_OLQCPA", "0000")
    assert facts.auxiliary["GRI_FILENAME"] == "GRI_A GRI_B"
    assert "ECMWF_DATA_REF" not in facts.auxiliary


def test_bands_go_by_number_and_come_in_their_order() -> None:
    radiometry = product().radiometry
    assert list(radiometry.offsets.items()) == [("B01", -1000.0), ("B8A", -900.0), ("B09", -1000.0)]
    assert radiometry.solar_irradiance == {"B8A": 953.93}
    assert radiometry.physical_gains == {"B8A": 5.7604695}
    assert (radiometry.quantification, radiometry.u) == (10000.0, 0.97659423426857)
    assert radiometry.special_values == {"NODATA": 0}


@pytest.mark.parametrize("organisation", ["Product_Organisation", "Product_Organization"])
def test_an_old_product_with_several_granules(organisation: str) -> None:
    facts = product(documents.OLD_PRODUCT.format(organisation=organisation))
    assert facts.product_uri == "S2A_OPER_PRD_MSIL1C_PDMC_20150818T101451_R022_V20150813T102406_20150813T102406"
    assert facts.granule_ids == ("TL_1", "TL_2", "TL_3")
    assert facts.datastrip_ids == ("DS_1", "DS_2")
    assert facts.image_files == ("TL_1_B01", "TL_1_B02", "TL_2_B01")
    assert facts.quality_flags == (QualityFlag("SENSOR_QUALITY", "PASSED"), QualityFlag("FORMAT_CORRECTNESS", "FAILED"))
    assert facts.radiometry.offsets == {}
    assert (facts.cloud_cover, facts.unit, facts.datatake_id, facts.footprint) == (None, None, None, ())


def test_the_first_l2a_products_have_names_of_their_own() -> None:
    problems: list[str] = []
    facts = product(documents.FIRST_L2A_PRODUCT, problems)
    assert (facts.level, facts.baseline) == ("L2A", "02.05")
    assert facts.product_uri.startswith("S2A_MSIL2A_2017")
    assert facts.image_files == ("T32TNM_B02_10m",)
    radiometry = facts.radiometry
    assert (radiometry.quantification, radiometry.aot_quantification, radiometry.wvp_quantification) == (
        1000,
        1000,
        1000,
    )
    assert problems == []


def test_an_l2a_product_takes_its_own_offsets() -> None:
    text = documents.PRODUCT.replace("Level-1C", "Level-2A").replace("RADIO_ADD_OFFSET", "BOA_ADD_OFFSET")
    assert product(text).radiometry.offsets == {"B01": -1000.0, "B8A": -900.0, "B09": -1000.0}
    assert product(documents.PRODUCT.replace("Level-1C", "Level-2A")).radiometry.offsets == {}


def test_facts_of_a_tile() -> None:
    problems: list[str] = []
    facts = tile(problems=problems)
    assert facts.tile_id == "S2B_OPER_MSI_L1C_TL_2BPS_20230823T120234_A033753_T34UCF_N05.09"
    assert (facts.level, facts.epsg, facts.downlink_priority) == ("L1C", 32634, "NOMINAL")
    assert facts.sensing_time == datetime(2023, 8, 23, 10, 5, 35, 271949, UTC)
    assert facts.grids == {
        10: Grid(10, 10980, 10980, 300000.0, 6100020.0, 10.0, -10.0),
        60: Grid(60, 1830, 1830, 300000.0, 6100020.0, 60.0, -60.0),
    }
    assert (facts.sun_zenith, facts.sun_azimuth) == (44.5, 163.2)
    assert list(facts.view_angles.items()) == [("B8A", ViewAngles(8.8, 108.8)), ("B09", ViewAngles(9.9, 109.9))]
    assert facts.detectors == {"B01": (9,), "B8A": (6, 7)}
    assert (facts.cloud_percentage, facts.snow_percentage, facts.degraded_msi) == (3.34, 0.01, 0.0019)
    assert facts.nodata_percentage is None
    assert [kind for kind, _ in facts.mask_files] == ["MSK_DETFOO", "MSK_CLASSI"]
    assert problems == [
        "ZENITH_ANGLE: value 'NaN' is not a finite number",
        "AZIMUTH_ANGLE: value 'NaN' is not a finite number",
    ]


def test_facts_of_a_datastrip() -> None:
    problems: list[str] = []
    facts = datastrip(problems=problems)
    assert problems == []
    assert (facts.datastrip_id, facts.level, facts.baseline, facts.unit) == ("", "L1C", "04.00", "S2B")
    assert (facts.absolute_orbit, facts.relative_orbit) == (29232, 34)
    assert facts.sensing_start == datetime(2022, 10, 11, 6, 40, 25, 456000, UTC)
    assert (facts.reception_station, facts.processing_center) == ("SGS_", "REFS")
    assert facts.packets == PacketLoss(lost=3, too_degraded=2, kept_degraded=1, degradation_percentage=0.5)
    assert facts.radiometry.physical_gains == {"B8A": 5.76}
    assert (facts.radiometry.quantification, facts.radiometry.offsets) == (10000.0, {"B01": -1000.0})
    assert facts.degraded_anc == 0.25
    assert facts.granule_ids == ("TL_1", "TL_2")
    assert facts.gipps == (Gipp("S2B_GIP_ATMIMA", "GIP_ATMIMA", "0001"),)
    assert facts.auxiliary == {"GPS_TIME_UTC": "18", "CAMS_DATA_REF": "S2__OPER_AUX_CAMSFO_ADG__20221010T120000"}
    assert facts.configuration == {
        "COMPRESS_MODE": "true",
        "NUC_TABLE_ID": "2",
        "TDI_CONFIGURATION B03": "APPLIED",
        "INTEGRATION_TIME B8A": "3.3",
        "SATURATED_PIXELS_PROC": "true",
        "RGM": "COMPUTED",
    }


FIGURES = "REF_TOTAL_NUMBER_ZONE=120;REF_NUMBER_VALID_ZONE=2;"
FLAG = '<Image_Refining flag="NOT_REFINED"/>'
RESIDUAL = """<Geometric_Info><Geometric_Refining_Quality><Image_Refining><Correlation_Quality><Global_Residual>
<X_MEAN unit="m">-0.13</X_MEAN><Y_STDV>4.3</Y_STDV></Global_Residual></Correlation_Quality></Image_Refining>
</Geometric_Refining_Quality></Geometric_Info><DEGRADED_ANC_DATA_PERCENTAGE>"""


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "failed"),
        ({FIGURES: ""}, "not_tried"),
        ({FLAG: '<Image_Refining flag="REFINED"/>'}, "refined"),
        ({FLAG: "", FIGURES: ""}, "not_tried"),
        ({FLAG: ""}, "failed"),
        ({FIGURES: "", "<DEGRADED_ANC_DATA_PERCENTAGE>": RESIDUAL}, "failed"),
        ({FLAG: '<Image_Refining flag="PERHAPS"/>'}, None),
        ({FLAG: "<Image_Refining/>"}, None),
        ({f"<Geometric_Info><RGM>COMPUTED</RGM>{FLAG}</Geometric_Info>": ""}, None),
    ],
)
def test_the_states_of_refining(changes: dict[str, str], state: str | None) -> None:
    text = documents.DATASTRIP
    for old, new in changes.items():
        text = swapped(text, old, new)
    assert datastrip(text).refining == state


def test_figures_of_refining() -> None:
    assert datastrip().refining_parameters == {"REF_TOTAL_NUMBER_ZONE": "120", "REF_NUMBER_VALID_ZONE": "2"}
    facts = datastrip(swapped(documents.DATASTRIP, "<DEGRADED_ANC_DATA_PERCENTAGE>", RESIDUAL))
    assert facts.refining_residuals == {"X_MEAN": -0.13, "Y_STDV": 4.3}


# -- what cannot be true -----------------------------------------------------------------------------------------------

HUGE = "9" * 1_000_000

ABSURD: list[tuple[Callable[..., Any], str, str, str, Callable[[Any], Any], str]] = [
    (product, documents.PRODUCT, ">3.34<", f">{value}<", lambda facts: facts.cloud_cover, "Cloud_Coverage_Assessment")
    for value in ("nan", "NaN", "inf", "-inf", "1e400", "-0.1", "100.01", "1_0", "\u0663", "12,5", "cloudy", HUGE)
]
ABSURD += [
    (product, documents.PRODUCT, ">122<", f">{value}<", lambda facts: facts.relative_orbit, "SENSING_ORBIT_NUMBER")
    for value in ("0", "144", "999", "-1", "1.5", "1e2", "x", HUGE)
]
ABSURD += [
    (
        product,
        documents.PRODUCT,
        "2023-08-23T12:02:34.000000Z",
        value,
        lambda facts: facts.generation_time,
        "GENERATION_TIME",
    )
    for value in (
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1999-01-01T00:00:00Z",
        "2100-01-01T00:00:00Z",
        "2023-02-30T00:00:00Z",
        "2023-08-23T25:00:00Z",
        "2023-08-23T23:59:61Z",
        "2023-08-23",
        "yesterday",
        "2023" * 100_000,
    )
]
ABSURD += [
    (
        product,
        documents.PRODUCT,
        '"GS2B_20230823T095559_033753_N05.09"',
        f'"{value}"',
        lambda facts: facts.absolute_orbit,
        "datatake",
    )
    for value in ("GS2B", "GS2B_20230823T095559_33753_N05.09", "GS2Z_20230823T095559_033753_N05.09", "G" * 10_000)
]
ABSURD += [
    (product, documents.PRODUCT, ">05.09<", ">5.9<", lambda facts: facts.baseline, "PROCESSING_BASELINE"),
    (product, documents.PRODUCT, ">0.97659423426857<", ">0<", lambda facts: facts.radiometry.u, "U: value '0'"),
    (
        product,
        documents.PRODUCT,
        ">10000<",
        ">0<",
        lambda facts: facts.radiometry.quantification,
        "QUANTIFICATION_VALUE",
    ),
    (
        product,
        documents.PRODUCT,
        ">-900<",
        ">nan<",
        lambda facts: facts.radiometry.offsets.get("B8A"),
        "RADIO_ADD_OFFSET",
    ),
    (
        product,
        documents.PRODUCT,
        'band_id="8"',
        'band_id="13"',
        lambda facts: facts.radiometry.offsets.get("B8A"),
        "'13'",
    ),
    (product, documents.PRODUCT, 'band_id="8"', "", lambda facts: facts.radiometry.offsets.get("B8A"), "missing"),
    (
        product,
        documents.PRODUCT,
        "55.0 17.8 55.0 19.5",
        "95.0 17.8 55.0 19.5",
        lambda facts: facts.footprint or None,
        "'95.0'",
    ),
    (
        product,
        documents.PRODUCT,
        "55.0 17.8 55.0 19.5",
        "17.8 55.0 19.5",
        lambda facts: facts.footprint or None,
        "EXT_POS_LIST",
    ),
    (
        product,
        documents.PRODUCT,
        "S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234.SAFE",
        "x" * 501,
        lambda facts: facts.product_uri or None,
        "longer than 500",
    ),
    (tile, documents.TILE, "EPSG:32634", "EPSG:4326", lambda facts: facts.epsg, "HORIZONTAL_CS_CODE"),
    (tile, documents.TILE, "EPSG:32634", "EPSG:32661", lambda facts: facts.epsg, "HORIZONTAL_CS_CODE"),
    (tile, documents.TILE, "<NROWS>1830<", "<NROWS>0<", lambda facts: facts.grids.get(60), "NROWS"),
    (tile, documents.TILE, ">60</XDIM>", ">inf</XDIM>", lambda facts: facts.grids.get(60), "XDIM"),
    (
        tile,
        documents.TILE,
        '<Size resolution="60">',
        '<Size resolution="61">',
        lambda facts: facts.grids.get(60),
        "'61'",
    ),
    (tile, documents.TILE, '<Size resolution="60">', "<Size>", lambda facts: facts.grids.get(60), "missing"),
    (tile, documents.TILE, ">44.5<", ">181<", lambda facts: facts.sun_zenith, "ZENITH_ANGLE"),
    (tile, documents.TILE, ">0.0019<", ">101<", lambda facts: facts.degraded_msi, "DEGRADED_MSI_DATA_PERCENTAGE"),
    (
        tile,
        documents.TILE,
        'bandId="0" detectorId="9"',
        'bandId="0" detectorId="13"',
        lambda facts: facts.detectors.get("B01"),
        "'13'",
    ),
    (
        datastrip,
        documents.DATASTRIP,
        'degradationPercentage="0.5"',
        'degradationPercentage="-5"',
        lambda facts: facts.packets.degradation_percentage,
        "@degradationPercentage",
    ),
    (
        datastrip,
        documents.DATASTRIP,
        'degradationPercentage="0.5"',
        "",
        lambda facts: facts.packets.degradation_percentage,
        "missing",
    ),
    (
        datastrip,
        documents.DATASTRIP,
        ">3</NUMBER_OF_LOST",
        ">-3</NUMBER_OF_LOST",
        lambda facts: facts.packets.lost,
        "NUMBER_OF_LOST_PACKETS",
    ),
    (
        datastrip,
        documents.DATASTRIP,
        '<Tile tileId="TL_2"/>',
        "<Tile/>",
        lambda facts: None if len(facts.granule_ids) == 1 else 1,
        "missing",
    ),
]


@pytest.mark.parametrize(
    ("read", "document", "old", "new", "fact", "words"),
    ABSURD,
    ids=[f"{case[0].__name__}-{case[5][:20]}-{case[3].strip('<>')[:24]}" for case in ABSURD],
)
def test_an_absurd_value_is_none_and_told(
    read: Callable[..., Any], document: str, old: str, new: str, fact: Callable[[Any], Any], words: str
) -> None:
    before: list[str] = []
    assert fact(read(document, before)) is not None or "granule_ids" in str(fact.__code__.co_names)
    problems: list[str] = []
    assert fact(read(swapped(document, old, new), problems)) is None
    told = [line for line in problems if line not in before]
    assert any(words in line for line in told), told
    assert all(len(line) < 500 for line in told)


def test_a_gipp_without_type_stays_in_the_list() -> None:
    problems: list[str] = []
    facts = product(swapped(documents.PRODUCT, ' type="GIP_OLQCPA"', ""), problems)
    assert facts.gipps[1] == Gipp("S2B_OPER_GIP_OLQCPA_MPC__20220715", "", "0000")
    assert problems == ["GIPP_FILENAME/@type: value '' is missing"]


def test_of_two_values_for_a_band_the_first_counts() -> None:
    problems: list[str] = []
    facts = product(swapped(documents.PRODUCT, 'band_id="9">-1000', 'band_id="0">-5'), problems)
    assert facts.radiometry.offsets == {"B01": -5.0, "B8A": -900.0}
    assert problems == ["RADIO_ADD_OFFSET: value '-1000' is a second one for B01"]


def test_a_level_that_contradicts_the_root_is_told() -> None:
    problems: list[str] = []
    assert product(swapped(documents.PRODUCT, ">Level-1C<", ">Level-2A<"), problems).level == "L1C"
    assert problems == [
        "PROCESSING_LEVEL: value 'Level-2A' is not the level of the root element (Level-1C_User_Product)"
    ]


def test_problems_are_not_told_without_end() -> None:
    problems: list[str] = []
    product(documents.PRODUCT.replace("<Granule ", "<Granule/>" * 1000 + "<Granule "), problems)
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1] == "further problems of this file are not listed"


def test_nothing_but_a_root_gives_nothing() -> None:
    problems: list[str] = []
    facts = product('<n:Level-1C_User_Product xmlns:n="urn:x"/>', problems)
    assert (facts.product_uri, facts.baseline, facts.datatake_id, facts.gipps) == ("", None, None, ())
    assert tile('<n:Level-2A_Tile_ID xmlns:n="urn:x"/>', problems).grids == {}
    strip = datastrip("<Level-1A_DataStrip_ID/>", problems)
    assert (strip.level, strip.refining, strip.packets.lost) == ("L1A", None, None)
    assert problems == []


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (product, documents.TILE),
        (product, documents.DATASTRIP),
        (product, documents.REPORT),
        (product, "<html/>"),
        (product, "<Level-9Z_User_Product/>"),
        (tile, documents.PRODUCT),
        (tile, "<Level-1B_Granule_ID/>"),
        (datastrip, documents.TILE),
    ],
)
def test_other_metadata_are_refused(read: Callable[..., Any], text: str) -> None:
    with pytest.raises(MetadataProblem, match="its root element is"):
        read(text)


@pytest.mark.parametrize("read", [product, tile, datastrip])
def test_what_is_no_xml_is_refused(read: Callable[..., Any]) -> None:
    for text in ("", "<a>", "<!DOCTYPE a><Level-1C_User_Product/>"):
        with pytest.raises(XmlProblem):
            read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2018-06-29T00:02:41.024Z", datetime(2018, 6, 29, 0, 2, 41, 24000, UTC)),
        ("2018-06-29T00:02:41", datetime(2018, 6, 29, 0, 2, 41, 0, UTC)),
        ("UTC=2018-06-29T00:02:41", datetime(2018, 6, 29, 0, 2, 41, 0, UTC)),
        ("2018-06-29T00:02:41.123456789Z", datetime(2018, 6, 29, 0, 2, 41, 123456, UTC)),
        ("2018-06-29T02:02:41+02:00", datetime(2018, 6, 29, 0, 2, 41, 0, UTC)),
        ("2018-06-28T23:32:41-00:30", datetime(2018, 6, 29, 0, 2, 41, 0, UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, 0, 0, 0, 0, UTC)),
    ],
)
def test_times(text: str, value: datetime) -> None:
    assert read_time(text) == (value, "")


def test_units_of_spacecraft() -> None:
    assert [unit_of(name) for name in ("Sentinel-2A", "Sentinel-2D", "Sentinel-2E", "S2A", None)] == [
        "S2A",
        "S2D",
        None,
        None,
        None,
    ]


VALUE = re.compile(r'(?<=>)[^<>]+(?=<)|(?<=")[^"<>]*(?=")')
ODD = st.one_of(
    st.sampled_from(
        ["", "nan", "inf", "1e400", "-1", "999999999", "0001-01-01T00:00:00Z", "9" * 5000, "1e-400", "٣", ";;=;"]
    ),
    st.text(alphabet=st.characters(exclude_characters='<>&"', exclude_categories=["Cs", "Cc"]), max_size=30),
    st.floats().map(str),
    st.integers().map(str),
    st.datetimes().map(lambda when: when.isoformat() + "Z"),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [
            (read_product_metadata, documents.PRODUCT),
            (read_product_metadata, documents.OLD_PRODUCT.format(organisation="Product_Organisation")),
            (read_tile_metadata, documents.TILE),
            (read_datastrip_metadata, documents.DATASTRIP),
        ]
    ),
    st.data(),
)
def test_no_value_breaks_a_reader(case: tuple[Callable[..., Any], str], data: st.DataObject) -> None:
    read, text = case
    spots = list(VALUE.finditer(text))
    chosen = data.draw(st.lists(st.sampled_from(range(len(spots))), min_size=1, max_size=8, unique=True))
    for index in sorted(chosen, reverse=True):
        start, end = spots[index].span()
        text = text[:start] + data.draw(ODD) + text[end:]
    problems: list[str] = []
    try:
        facts = read(text.encode(), problems=problems)
    except (XmlProblem, MetadataProblem):
        return
    assert re.fullmatch(r"\d\d\.\d\d", getattr(facts, "baseline", None) or "00.00")
    for name in ("cloud_cover", "cloud_percentage", "degraded_anc", "degraded_msi"):
        value = getattr(facts, name, None)
        assert value is None or 0 <= value <= 100
    assert all(isinstance(line, str) and len(line) < 500 for line in problems)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([documents.PRODUCT, documents.TILE, documents.DATASTRIP]), st.data())
def test_no_missing_part_breaks_a_reader(text: str, data: st.DataObject) -> None:
    lines = text.splitlines()
    start = data.draw(st.integers(1, len(lines) - 2))
    count = data.draw(st.integers(1, 6))
    content = "\n".join(lines[:start] + lines[start + count :]).encode()
    for read in (read_product_metadata, read_tile_metadata, read_datastrip_metadata):
        try:
            facts = read(content, problems=[])
        except (XmlProblem, MetadataProblem):
            continue
        assert facts.level == "L1C"


# -- real products -----------------------------------------------------------------------------------------------------

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
