"""L2A_QUALITY.xml: Sen2Cor's own report. It has a root of its own, three checklists, and checks without inspections."""

from __future__ import annotations

from lxml import etree

from processors.simulator.products import content
from processors.simulator.products.pixels import Pixels
from processors.simulator.products.xmltree import XSI, to_bytes

NAMESPACE = "http://gs2.esa.int/DATA_STRUCTURE/l2aqiReport"
_VERSION = "2.12"
# (message, [(name, value)]) of a check
_Check = tuple[str, list[tuple[str, str]]]


def l2a_quality(pixels: Pixels) -> bytes:
    """The report; its percentages are those of the metadata, its date is fixed as in real ones."""
    spec = pixels.spec
    root = etree.Element(_name("L2A_Quality_File"), nsmap={None: NAMESPACE, "xsi": XSI})
    root.set(f"{{{XSI}}}schemaLocation", f"{NAMESPACE} L2A_QUALITY.xsd")
    header = _add(_add(root, "L2A_Quality_Header"), "Fixed_Header")
    _add(header, "File_Name", "L2A_QUALITY")
    _add(header, "File_Description", "Quality information obtained from Sen2Cor")
    _add(header, "Notes")
    _add(header, "Mission", spec.unit)
    _add(header, "File_Class", "OPER")
    _add(header, "File_Type", "L2A_QLINFO")
    validity = _add(header, "Validity_Period")
    _add(validity, "Validity_Start", "UTC=2015-06-22T00:00:00")
    _add(validity, "Validity_Stop", "UTC=2100-01-01T00:00:00")
    _add(header, "File_Version", "1")
    source = _add(header, "Source")
    _add(source, "System", "Sen2Cor")
    _add(source, "Creator", "Sen2Cor")
    _add(source, "Creator_Version", _VERSION)
    _add(source, "Creation_Date", spec.generated.strftime("UTC=%Y-%m-%dT%H:%M:%S"))
    block = _add(root, "Data_Block", type="xml")
    report = _add(block, "report", gippVersion="02.12.00", globalStatus="PASSED", date="2021-12-13T00:00:00Z")
    for parent, name, checks in (
        ("L2A_SC", "SCENE_CLASS_QUALITY", _scene_class_checks(pixels)),
        ("L2A_AC", "ATMOSPHERIC_CORRECTION_QUALITY", _correction_checks(pixels)),
        ("L2A_AUX", "AUX_DATA_QUALITY", _auxiliary_checks(pixels)),
    ):
        _add_checklist(report, spec.tile_id, parent, name, checks)
    return to_bytes(root)


def _scene_class_checks(pixels: Pixels) -> list[_Check]:
    values = [(name, text) for name, text in content.tile_content(pixels) if name.endswith("_PERCENTAGE")]
    return [('"Percentage of classified pixels"', values)]


def _correction_checks(pixels: Pixels) -> list[_Check]:
    values = [
        ("AOT_RETRIEVAL_ACCURACY", "0.000000"),
        ("GRANULE_MEAN_AOT", f"{content.MEAN_AOT:.6f}"),
        ("WV_RETRIEVAL_ACCURACY", "0.000000"),
        ("GRANULE_MEAN_WV", f"{content.MEAN_WATER_VAPOUR:.6f}"),
        ("OZONE_VALUE", f"{content.OZONE:.6f}"),
        ("START_VISIBILITY_KM", "40.000000"),
        ("VISIBILITY_FROM_DDV_KM", "62.970000"),
        ("FINAL_VISIBILITY_KM", "62.970000"),
        ("AVERAGE_SOLAR_ZENITH_ANGLE", f"{pixels.spec.sun_zenith:.6f}"),
        ("DDV_PIXEL_PERCENTAGE", "4.285885"),
        ("DDV_REFLECTANCE_RANGE", "0.050000"),
        ("BLUE_PATH_RADIANCE_RESCALING_FACTOR", "1.000000"),
    ]
    control = [
        ("WV_RETRIEVAL_METHOD", "SEN2COR_APDA"),
        ("AOT_RETRIEVAL_METHOD", "SEN2COR_DDV"),
        ("VISIBILITY_LESS_THAN_5_KM", "False"),
        ("AOT_ABOVE_1", "False"),
        ("GRANULE_WV_ABOVE_5_CM", "False"),
    ]
    bands = ("B01", "B02", "B03", "B04", "B06", "B07", "B08", "B8A", "B11", "B12")
    return [
        ("Atmospheric correction quality values", values),
        ("Atmospheric correction quality control", control),
        ("Percentage of negative BOA pixels", [(band, "0.000000") for band in bands]),
        ("Look up table file list", [("LUT_DATA_FILES", "['h99000_wv20_rura.atm']")]),
    ]


def _auxiliary_checks(pixels: Pixels) -> list[_Check]:
    parameters = [
        ("DEM_TYPE", "COPERNICUS_90"),
        ("DEM_MEAN_ALTITUDE_KM", "0.092304"),
        ("DEM_MEAN_SLOPE", "2.38907"),
        ("GROUND_ELEVATION_ABOVE_3_KM", "False"),
        ("SOLAR_ZENITH_ANGLE_ABOVE_70_DEG", str(pixels.spec.sun_zenith > 70)),
        ("OZONE_SOURCE", "AUX_ECMWFT"),
    ]
    return [
        ("AUX related parameters", parameters),
        ("AUX data file list", [("AUX_DATA_FILES", "['e008_n42.dt1', 'e009_n42.dt1']")]),
    ]


def _add_checklist(report: etree._Element, pdi: str, parent: str, name: str, checks: list[_Check]) -> None:
    checklist = _add(report, "checkList")
    _add(checklist, "parentID", parent)
    _add(checklist, "name", name)
    _add(checklist, "version", _VERSION)
    _add(
        checklist,
        "item",
        **{
            "class": "http://www.esa.int/s2#pdi_level_2a_tile_container",
            "className": "PDI Level 2A Tile Folder",
            "name": pdi,
            "url": f"/pdi/{pdi}/AUX_DATA",
        },
    )
    for message, values in checks:
        check = _add(checklist, "check")
        _add(check, "message", message, contentType="text/plain")
        extra = _add(check, "extraValues")
        for value_name, text in values:
            _add(extra, "value", text, name=value_name)


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"


def _add(parent: etree._Element, tag: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, _name(tag), attributes)
    child.text = text
    return child
