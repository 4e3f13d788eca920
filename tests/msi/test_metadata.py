"""Metadata of small documents as records."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mpc.msi.metadata import read_time
from mpc.msi.records import Gipp, Grid, PacketLoss, QualityFlag, ViewAngles, unit_of
from tests.msi import documents
from tests.msi.documents import datastrip, product, swapped, tile


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
