"""Names of all conventions, and what is said of those that follow none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mpc.msi.names import (
    InvalidName,
    parse_datastrip_folder,
    parse_datastrip_id,
    parse_datatake_id,
    parse_gipp_name,
    parse_granule_folder,
    parse_product_name,
    parse_tile_id,
    strip_suffix,
)


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


COMPACT = "S2B_MSIL2A_20230823T095559_N0509_R122_T34UCF_20230823T120234"


@pytest.mark.parametrize("around", ["{}", "{}.SAFE", "{}.zip", "{}.SAFE.zip", "/data/{}.SAFE/", "C:\\data\\{}.SAFE"])
def test_compact_name(around: str) -> None:
    name = parse_product_name(around.format(COMPACT))
    assert (name.name, name.unit, name.level, name.kind, name.compact) == (COMPACT, "S2B", "L2A", "product", True)
    assert (name.start, name.discriminator) == (at("20230823T095559"), at("20230823T120234"))
    assert (name.baseline, name.relative_orbit, name.tile) == ("05.09", 122, "34UCF")
    assert name.generation is None


def test_old_product_name() -> None:
    name = parse_product_name("S2A_OPER_PRD_MSIL1C_PDMC_20160929T181535_R065_V20160929T102022_20160929T102344.SAFE")
    assert (name.unit, name.level, name.kind, name.compact, name.site) == ("S2A", "L1C", "product", False, "PDMC")
    assert (name.relative_orbit, name.tile, name.baseline) == (65, None, None)
    assert (name.generation, name.sensing_start, name.sensing_stop) == (
        at("20160929T181535"),
        at("20160929T102022"),
        at("20160929T102344"),
    )


@pytest.mark.parametrize(
    ("text", "kind", "facts"),
    [
        (
            "S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_N04.00",
            "datastrip",
            {"level": "L1C", "site": "REFS", "sensing_start": at("20221011T064025"), "baseline": "04.00"},
        ),
        (
            "S2B_OPER_MTD_L1C_DS_REFS_20221124T170956_S20221011T064025.xml",
            "datastrip",
            {"generation": at("20221124T170956"), "baseline": None},
        ),
        (
            "S2A_OPER_MSI_L1C_TL_SGS__20160929T154211_A006640_T32TQM_N02.04",
            "tile",
            {"tile": "32TQM", "absolute_orbit": 6640, "site": "SGS", "baseline": "02.04"},
        ),
        (
            "S2A_OPER_MSI_L1B_GR_DPRM_20140630T140000_S20200816T120222_D02_N05.00",
            "granule",
            {"detector": 2, "level": "L1B", "sensing_start": at("20200816T120222")},
        ),
    ],
)
def test_identifiers_of_datastrips_tiles_and_granules(text: str, kind: str, facts: dict[str, object]) -> None:
    name = parse_product_name(text)
    assert (name.kind, name.compact) == (kind, False)
    assert {key: getattr(name, key) for key in facts} == facts


def test_a_tile_is_no_datastrip() -> None:
    with pytest.raises(InvalidName, match="datastrip"):
        parse_datastrip_id("S2A_OPER_MSI_L1C_TL_SGS__20160929T154211_A006640_T32TQM_N02.04")
    with pytest.raises(InvalidName, match="tile"):
        parse_tile_id(COMPACT)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("LC08_L1TP_193024", "does not begin with S2A_"),
        ("", "does not begin with S2A_"),
        ("S2E_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234", "does not begin with S2A_"),
        ("S2B_MSIL1C_20230823T095559_N0509_R122_20230823T120234_x", "'20230823T120234' is not a T and tile"),
        ("S2B_MSIL1C_20230823T095559_N059_R122_T34UCF_20230823T120234", "'N059' is not a N and baseline"),
        ("S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF", "has 6 parts"),
        ("S2B_MSIL1C_20231341T095559_N0509_R122_T34UCF_20230823T120234", "'20231341T095559' is not a date"),
        ("S2B_MSIL1C_20230823T095559_N0509_R144_T34UCF_20230823T120234", "R144 is outside 1..143"),
        ("S2B_MSIL1C_20230823T095559_N0509_R000_T34UCF_20230823T120234", "R000 is outside 1..143"),
        ("S2B_MSIL3X_20230823T095559_N0509_R122_T34UCF_20230823T120234", "no level 'L3X'"),
        ("S2B_OPER_AUX_something", "follows no naming convention"),
    ],
)
def test_a_wrong_name_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(InvalidName, match=says):
        parse_product_name(text)


def test_datatake_identifier() -> None:
    datatake = parse_datatake_id("GS2A_20180629T000241_015757_N02.06")
    assert (datatake.unit, datatake.start, datatake.absolute_orbit, datatake.baseline) == (
        "S2A",
        at("20180629T000241"),
        15757,
        "02.06",
    )
    with pytest.raises(InvalidName, match="GS2A_20180629T000241_015757_N02.06"):
        parse_datatake_id("GS2A_20180629T000241_15757")


def test_folders_of_compact_products() -> None:
    folder = parse_granule_folder("L1C_T56JMM_A015757_20180629T000241")
    assert (folder.level, folder.tile, folder.absolute_orbit, folder.time) == (
        "L1C",
        "56JMM",
        15757,
        at("20180629T000241"),
    )
    datastrip = parse_datastrip_folder("DS_SGS__20170226T171842_S20170226T102458")
    assert (datastrip.site, datastrip.sensing_start) == ("SGS", at("20170226T102458"))


@pytest.mark.parametrize(
    ("text", "type_", "stop", "stop_text", "band"),
    [
        (
            "S2A_OPER_GIP_VIEDIR_MPC__20151117T131050_V20150703T000000_21000101T000000_B11.TGZ",
            "VIEDIR",
            at("21000101T000000"),
            "21000101T000000",
            "B11",
        ),
        (
            "S2A_OPER_GIP_R2ABCA_MPC__20170206T103039_V20170101T000000_99999999T999999_B00",
            "R2ABCA",
            None,
            "99999999T999999",
            "B00",
        ),
        (
            "S2B_OPER_GIP_R2EQOG_MPC__20200608T092759_V20200608T092759_20200706T034536_B8A.xml",
            "R2EQOG",
            at("20200706T034536"),
            "20200706T034536",
            "B8A",
        ),
        (
            "S2__OPER_AUX_UT1UTC_PDMC_20220407T000000_V20220408T000000_20230407T000000.HDR",
            "UT1UTC",
            at("20230407T000000"),
            "20230407T000000",
            "",
        ),
        ("S2__OPER_DEM_GEOIDF_MPC__20200112T130120_S20190507T000000", "GEOIDF", None, "", ""),
    ],
)
def test_gipp_names(text: str, type_: str, stop: datetime | None, stop_text: str, band: str) -> None:
    name = parse_gipp_name(text)
    assert (name.type, name.stop, name.stop_text, name.band, name.file_class) == (type_, stop, stop_text, band, "OPER")


@pytest.mark.parametrize("text", ["S2A_OPER_GIP_VIEDIR", "README.md", "S2A_OPER_GIP_VIEDIR_MPC__2015_V2015_B00"])
def test_what_is_no_gipp_is_refused(text: str) -> None:
    with pytest.raises(InvalidName, match="GIPP"):
        parse_gipp_name(text)


def test_every_real_gipp_name_is_understood(realdata) -> None:
    files = [path.name for path in (realdata / "gipp").rglob("*") if path.is_file() and "_OPER_" in path.name]
    assert len(files) > 20
    assert {parse_gipp_name(name).mission for name in files} >= {"S2A", "S2B", "S2C", "S2_"}


def test_suffixes_alone_are_kept() -> None:
    assert strip_suffix(".SAFE") == ".SAFE"
    assert strip_suffix("x.SAFE.zip") == "x"
