"""Files of the on-line quality control reports of datastrip and tile, in the OLQC schema."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from processors.simulator.products import auxiliary
from processors.simulator.products.olqc_checks import Report
from processors.simulator.products.spec import ProductSpec, iso_ms
from processors.simulator.products.xmltree import to_bytes

NAMESPACE = "http://gs2.esa.int/DATA_STRUCTURE/olqcReport"


@dataclass(frozen=True)
class ReportItem:
    """What a report is about: the PDI's id, its metadata file, and the report's own path in the product."""

    pdi: str
    metadata_file: str
    path: str


def report_bytes(spec: ProductSpec, report: Report, item: ReportItem) -> bytes:
    """The report as an Earth Explorer file; every element stands in the namespace."""
    made = spec.generated + timedelta(minutes=38, milliseconds=27 * len(report.type))
    root = etree.Element(_name("Earth_Explorer_File"), nsmap={None: NAMESPACE})
    _add_header(root, spec, item.path, made)
    block = _add(root, "Data_Block", type="xml")
    body = _add(block, "report", date=iso_ms(made), gippVersion="1.0", globalStatus=report.status)
    checklist = _add(body, "checkList")
    _add(checklist, "parentID", auxiliary.olqc_parameters(spec))
    _add(checklist, "name", report.type)
    _add(checklist, "version", "1.0")
    kind = "Datastrip" if report.scope == "datastrip" else "Tile"
    folder = f"/pdi/{item.pdi}/"
    _add(
        checklist,
        "item",
        **{
            "class": f"http://www.esa.int/s2#pdi_level_{spec.level[1:].lower()}_{kind.lower()}_container",
            "className": f"PDI Level {spec.level[1:]} {kind} Folder",
            "name": item.pdi,
            "url": folder,
        },
    )
    for index, check in enumerate(report.checks):
        looked = made + timedelta(milliseconds=40 * index)
        element = _add(checklist, "check")
        _add(
            element,
            "inspection",
            creation=iso_ms(looked),
            duration=str(3 + 17 * index % 41),
            execution=iso_ms(looked + timedelta(milliseconds=9)),
            id=check.id,
            item=item.metadata_file if check.on_metadata else item.pdi,
            itemURL=folder + (item.metadata_file if check.on_metadata else ""),
            name=check.name,
            priority="5",
            processingStatus="done",
            status="PASSED" if check.passed else "FAILED",
        )
        _add(element, "message", check.message, contentType="text/plain")
        if check.values:
            extra = _add(element, "extraValues")
            for name, value in check.values:
                _add(extra, "value", str(value), name=name)
    return to_bytes(root)


def _add_header(root: etree._Element, spec: ProductSpec, path: str, made: datetime) -> None:
    header = _add(_add(root, "Earth_Explorer_Header"), "Fixed_Header")
    _add(header, "File_Name", path)
    _add(header, "File_Description", "Report produced by OLQC-SC")
    _add(header, "Notes")
    _add(header, "Mission", spec.unit)
    _add(header, "File_Class", "OPER")
    _add(header, "File_Type", "REP_OLQCPA")
    validity = _add(header, "Validity_Period")
    start = datetime.strptime(auxiliary.olqc_parameters(spec).rsplit("_V", 1)[1], "%Y%m%dT%H%M%S")
    _add(validity, "Validity_Start", start.strftime("UTC=%Y-%m-%dT%H:%M:%S"))
    _add(validity, "Validity_Stop", "UTC=2100-01-01T00:00:00")
    _add(header, "File_Version", "2")
    source = _add(header, "Source")
    _add(source, "System", "OLQC-SC")
    _add(source, "Creator", "OLQC-SC")
    _add(source, "Creator_Version", "06.01.00")
    _add(source, "Creation_Date", made.strftime("UTC=%Y-%m-%dT%H:%M:%S"))


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"


def _add(parent: etree._Element, tag: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, _name(tag), attributes)
    child.text = text
    return child
