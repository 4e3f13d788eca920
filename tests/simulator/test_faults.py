"""Each planted fault is there, is declared, and leaves the rest of the product alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import rasterio
from lxml import etree

from processors.simulator import instrument
from processors.simulator.products import (
    DELIVERY_FAULTS,
    Fault,
    ProductSpec,
    WrittenProduct,
    write_datastrip,
    write_product,
)
from tests.simulator.conftest import only

Write = Callable[..., WrittenProduct]


@pytest.fixture
def faulty(tmp_path) -> Write:
    def write(*faults: Fault, **values: object) -> WrittenProduct:
        spec = ProductSpec(**({"size_10m": 120, "baseline": "05.09", "faults": faults} | values))
        return write_product(spec, tmp_path)

    return write


def manifest_complaints(path: Path) -> dict[str, str]:
    """Files that the manifest describes wrongly: missing, size, checksum."""
    complaints = {}
    for entry in etree.parse(path / "manifest.safe").iterfind(".//dataObject"):
        href = entry.find(".//fileLocation").get("href").removeprefix("./")
        file = path / href
        if not file.exists():
            complaints[href] = "missing"
        elif file.stat().st_size != int(entry.find("byteStream").get("size")):
            complaints[href] = "size"
        elif hashlib.sha3_256(file.read_bytes()).hexdigest() != entry.find(".//checksum").text.lower():
            complaints[href] = "checksum"
    return complaints


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_is_declared_and_only_delivery_faults_show_in_the_manifest(faulty, fault):
    level = "L2A" if fault is Fault.SUN_TOO_LOW else "L1C"
    written = faulty(fault, level=level)
    (planted,) = written.truth.faults
    assert planted.fault is fault
    assert planted.detail
    complaints = manifest_complaints(written.path)
    if fault in DELIVERY_FAULTS and fault is not Fault.WRONG_NAME:
        kind = {Fault.MISSING_FILE: "missing", Fault.CORRUPT_CHECKSUM: "checksum"}.get(fault, "size")
        assert complaints == {planted.file: kind}
    else:
        assert complaints == {}


@pytest.mark.parametrize("fault", list(Fault))
def test_faults_apply_to_gml_products_too_or_say_why_not(tmp_path, fault):
    spec = ProductSpec(unit="S2A", size_10m=60, baseline="02.06", faults=(fault,))
    if fault is Fault.WRONG_OFFSET:
        with pytest.raises(ValueError, match="no offsets"):
            write_product(spec, tmp_path)
    else:
        assert [planted.fault for planted in write_product(spec, tmp_path).truth.faults] == [fault]


def product_metadata(written: WrittenProduct) -> etree._ElementTree:
    return etree.parse(only(written.path, "MTD_MSI*.xml"))


def tile_metadata(written: WrittenProduct) -> etree._ElementTree:
    return etree.parse(only(written.path, "GRANULE/*/MTD_TL.xml"))


def test_truncated_band_opens_but_is_cut(faulty):
    written = faulty(Fault.TRUNCATED_BAND)
    file = written.path / written.truth.faults[0].file
    assert file.name.endswith("_B04.jp2")
    with rasterio.open(file) as image:
        assert image.shape == (120, 120)
    assert not file.read_bytes().endswith(b"\xff\xd9")


def test_corrupt_checksum_leaves_size_and_pixels(faulty):
    written = faulty(Fault.CORRUPT_CHECKSUM)
    with rasterio.open(written.path / written.truth.faults[0].file) as image:
        pixels = image.read(1)
    truth = written.truth.bands["B12", 20, None]
    assert int(pixels[pixels != 0].sum()) == truth.total


def test_malformed_xml_does_not_parse(faulty):
    written = faulty(Fault.MALFORMED_XML)
    with pytest.raises(etree.XMLSyntaxError):
        tile_metadata(written)


def test_wrong_name_disagrees_with_the_metadata(faulty):
    written = faulty(Fault.WRONG_NAME)
    assert written.path.name == written.name != written.spec.name
    assert product_metadata(written).find(".//PRODUCT_URI").text == written.spec.name
    assert f"_T{written.spec.tile.name}_" not in written.name


def test_wrong_u_is_one_percent_too_large(faulty):
    written = faulty(Fault.WRONG_U)
    u = float(product_metadata(written).find(".//U").text)
    assert u == pytest.approx(1.01 * instrument.sun_distance_correction(written.spec.start), rel=1e-9)
    assert written.truth.u == instrument.sun_distance_correction(written.spec.start)


def test_wrong_offset_has_none(faulty):
    assert product_metadata(faulty(Fault.WRONG_OFFSET)).find(".//RADIO_ADD_OFFSET") is None


@pytest.mark.parametrize(("level", "limit"), [("L1C", 82.0), ("L2A", 70.0)])
def test_low_sun_fails_its_report_and_the_flag(faulty, level, limit):
    written = faulty(Fault.SUN_TOO_LOW, level=level)
    assert float(tile_metadata(written).find(".//Mean_Sun_Angle/ZENITH_ANGLE").text) > limit
    report = etree.parse(only(written.path, "GRANULE/*/QI_DATA/GENERAL_QUALITY.xml"))
    assert report.find(".//{*}report").get("globalStatus") == "FAILED"
    (failed,) = [e for e in report.iterfind(".//{*}inspection") if e.get("status") == "FAILED"]
    assert failed.get("id") == "Solar_Angle_Zenith"
    root = product_metadata(written)
    assert root.find(".//quality_check[@checkType='GENERAL_QUALITY']").text == "FAILED"
    assert root.find(".//Granule_Report/REPORT_FILENAME").text == "GENERAL_QUALITY.xml"


def test_wrong_relative_orbit_is_the_same_everywhere(faulty):
    written = faulty(Fault.WRONG_RELATIVE_ORBIT)
    orbit = int(product_metadata(written).find(".//SENSING_ORBIT_NUMBER").text)
    assert f"_R{orbit:03d}_" in written.name
    right = instrument.relative_orbit(written.spec.unit, written.spec.absolute_orbit, written.spec.start)
    assert orbit != right


def test_lost_packets_stand_in_metadata_and_fail_the_report(faulty):
    written = faulty(Fault.LOST_PACKETS)
    summary = etree.parse(only(written.path, "DATASTRIP/*/MTD_DS.xml")).find(".//Degradation_Summary")
    assert [int(e.text) for e in summary] == [37, 5, 2]
    assert float(summary.get("degradationPercentage")) > 0
    report = etree.parse(only(written.path, "DATASTRIP/*/QI_DATA/GENERAL_QUALITY.xml"))
    failed = {e.get("id") for e in report.iterfind(".//{*}inspection") if e.get("status") == "FAILED"}
    assert failed == {"Lost_Packets", "Degraded_Packets"}


def test_degraded_msi_is_in_the_tile_metadata(faulty):
    text = tile_metadata(faulty(Fault.DEGRADED_MSI)).find(".//DEGRADED_MSI_DATA_PERCENTAGE").text
    assert float(text) == pytest.approx(3.2187)


def test_failed_olqc_is_declared_by_the_product(faulty):
    written = faulty(Fault.FAILED_OLQC)
    report = etree.parse(only(written.path, "DATASTRIP/*/QI_DATA/GEOMETRIC_QUALITY.xml"))
    assert report.find(".//{*}report").get("globalStatus") == "FAILED"
    root = product_metadata(written)
    assert root.find(".//quality_check[@checkType='GEOMETRIC_QUALITY']").text == "FAILED"
    assert root.find(".//Datastrip_Report/REPORT_FILENAME").text == "GEOMETRIC_QUALITY.xml"


def test_missing_olqc_is_not_listed_either(faulty):
    written = faulty(Fault.MISSING_OLQC)
    assert not list(written.path.glob("DATASTRIP/*/QI_DATA/SENSOR_QUALITY.xml"))
    assert len(list(written.path.glob("DATASTRIP/*/QI_DATA/*.xml"))) == 4


@pytest.mark.parametrize(
    ("fault", "pattern", "schema", "clean"),
    [
        (Fault.SCHEMA_VIOLATION, "MTD_MSIL1C.xml", "S2_User_Product_Level-1C_Metadata.xsd", False),
        (Fault.BAD_OLQC_SCHEMA, "GRANULE/*/QI_DATA/GENERAL_QUALITY.xml", "OLQC_Report.xsd", False),
        (Fault.FAILED_OLQC, "MTD_MSIL1C.xml", "S2_User_Product_Level-1C_Metadata.xsd", True),
        (Fault.INCOMPLETE_GIPP, "MTD_MSIL1C.xml", "S2_User_Product_Level-1C_Metadata.xsd", True),
        (Fault.LOST_PACKETS, "DATASTRIP/*/MTD_DS.xml", "S2_PDI_Level-1C_Datastrip_Metadata.xsd", True),
        (Fault.WRONG_EPSG, "GRANULE/*/MTD_TL.xml", "S2_PDI_Level-1C_Tile_Metadata.xsd", True),
    ],
)
def test_only_schema_faults_break_the_schema(faulty, realdata, fault, pattern, schema, clean):
    file = only(faulty(fault).path, pattern)
    compiled = etree.XMLSchema(etree.parse(realdata / "xsd" / "psd" / "psd-14.8" / schema))
    assert compiled.validate(etree.parse(file)) is clean


def test_footprint_holds_detector_17(faulty):
    written = faulty(Fault.DETFOO_OUT_OF_RANGE)
    with rasterio.open(written.path / written.truth.faults[0].file) as image:
        assert int((image.read(1) == 17).sum()) == 100


def test_wrong_epsg_and_size_differ_from_the_images(faulty, tmp_path):
    epsg = tile_metadata(faulty(Fault.WRONG_EPSG)).find(".//HORIZONTAL_CS_CODE").text
    assert epsg == "EPSG:32633"
    written = write_product(ProductSpec(size_10m=120, baseline="05.10", faults=(Fault.WRONG_SIZE,)), tmp_path)
    assert tile_metadata(written).find(".//Size[@resolution='20']/NROWS").text == "59"


def test_incomplete_gipp_lacks_two_entries(faulty):
    entries = product_metadata(faulty(Fault.INCOMPLETE_GIPP)).findall(".//GIPP_FILENAME")
    assert len(entries) == 133
    assert "GIP_R2ABCA" not in {entry.get("type") for entry in entries}


def test_striped_band_stands_out_against_its_neighbours(faulty, tmp_path):
    striped = faulty(Fault.STRIPED_BAND, cloud_cover=0.0)
    plain = write_product(ProductSpec(size_10m=120, baseline="05.09", cloud_cover=0.0), tmp_path / "plain")
    key = next(iter(striped.spec.gain_steps))
    ratio = (striped.truth.bands["B05", 20, key[1]].mean - 1000) / (plain.truth.bands["B05", 20, key[1]].mean - 1000)
    assert ratio == pytest.approx(1.02, rel=2e-3)


def test_datastrip_takes_the_faults_that_it_can_have(tmp_path):
    written = write_datastrip(ProductSpec(faults=(Fault.LOST_PACKETS, Fault.FAILED_OLQC)), tmp_path)
    assert [planted.fault for planted in written.truth.faults] == [Fault.LOST_PACKETS, Fault.FAILED_OLQC]
    with pytest.raises(ValueError, match="cannot have the fault"):
        write_datastrip(ProductSpec(faults=(Fault.TRUNCATED_BAND,)), tmp_path / "other")
