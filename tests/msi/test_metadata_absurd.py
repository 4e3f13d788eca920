"""Metadata that cannot be true: each such fact is None and told, and nothing breaks a reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc.msi.metadata import MetadataProblem, read_datastrip_metadata, read_product_metadata, read_tile_metadata
from mpc.msi.metadata.common import MAX_PROBLEMS
from mpc.msi.records import Gipp
from mpc.msi.xmlio import XmlProblem
from tests.msi import documents
from tests.msi.documents import datastrip, product, swapped, tile

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
