"""How faults are planted: in the specification, in the written files before the manifest, or after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lxml import etree

from processors.simulator import instrument
from processors.simulator.products.datastrip_metadata import Packets
from processors.simulator.products.detectors import detector_layout
from processors.simulator.products.faults import DELIVERY_FAULTS, Fault, PlantedFault
from processors.simulator.products.layout import datastrip_path, granule_path, image_member, product_file
from processors.simulator.products.masks import OUT_OF_RANGE_BAND, OUT_OF_RANGE_DETECTOR
from processors.simulator.products.spec import ProductSpec

STRIPED_BAND, STRIPE_GAIN = "B05", 1.02
LOST = Packets(lost=37, too_degraded=5, kept_degraded=2)


def faulty_spec(spec: ProductSpec) -> ProductSpec:
    """The specification with those faults worked in that are a matter of values."""
    if Fault.SUN_TOO_LOW in spec.faults:
        spec = replace(spec, sun_zenith=max(spec.sun_zenith, 72.0 if spec.level == "L2A" else 84.0))
    if Fault.WRONG_RELATIVE_ORBIT in spec.faults:
        spec = replace(spec, relative_orbit=(spec.orbit + 16) % 143 + 1)
    if Fault.STRIPED_BAND in spec.faults:
        spec = replace(spec, gain_steps={**spec.gain_steps, (STRIPED_BAND, striped_detector(spec)): STRIPE_GAIN})
    return spec


def striped_detector(spec: ProductSpec) -> int:
    """The detector that STRIPED_BAND makes too bright: the middle one of those in the tile."""
    present = detector_layout(spec, STRIPED_BAND).present()
    return present[len(present) // 2]


def packets_of(spec: ProductSpec) -> Packets:
    return LOST if Fault.LOST_PACKETS in spec.faults else Packets()


def plant_in_content(spec: ProductSpec, folder: Path) -> list[PlantedFault]:
    """Edit the written files for the content faults; the manifest is made afterwards."""
    planted = []
    for fault in spec.faults:
        if fault in DELIVERY_FAULTS:
            continue
        edit = _CONTENT_EDITS.get(fault)
        file, detail = edit(spec, folder) if edit else _ALREADY_DONE[fault](spec)
        planted.append(PlantedFault(fault, file, detail))
    return planted


def plant_in_delivery(spec: ProductSpec, folder: Path) -> list[PlantedFault]:
    """Hurt the whole product, whose manifest is written; WRONG_NAME is left to :func:`delivered_name`."""
    planted = []
    for fault in spec.faults:
        if fault in _DELIVERY_EDITS:
            file, detail = _DELIVERY_EDITS[fault](spec, folder)
            planted.append(PlantedFault(fault, file, detail))
        elif fault is Fault.WRONG_NAME:
            planted.append(PlantedFault(fault, "", f"the folder is called {delivered_name(spec)}, not {spec.name}"))
    return planted


def delivered_name(spec: ProductSpec) -> str:
    """Name under which the product is delivered: its own, or with WRONG_NAME one of another tile and orbit."""
    if Fault.WRONG_NAME not in spec.faults:
        return spec.name
    other_tile = f"{spec.tile.name[:4]}{'X' if spec.tile.name[4] != 'X' else 'W'}"
    other_orbit = spec.orbit % 143 + 1
    return spec.name.replace(f"_R{spec.orbit:03d}_T{spec.tile.name}_", f"_R{other_orbit:03d}_T{other_tile}_")


# -- content

_Edit = Callable[[ProductSpec, Path], tuple[str, str]]


def _parse(path: Path) -> etree._ElementTree:
    return etree.parse(path, etree.XMLParser(remove_blank_text=False))


def _save(tree: etree._ElementTree, path: Path) -> None:
    tree.write(path, xml_declaration=True, encoding="UTF-8", standalone=False)


def _wrong_offset(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = product_file(spec)
    tree = _parse(folder / file)
    name = "Radiometric_Offset_List" if spec.level == "L1C" else "BOA_ADD_OFFSET_VALUES_LIST"
    found = tree.find(f".//{name}")
    if found is None:
        raise ValueError(f"WRONG_OFFSET has nothing to take away: baseline {spec.baseline} has no offsets")
    found.getparent().remove(found)
    _save(tree, folder / file)
    return file, f"{name} is missing"


def _wrong_u(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = product_file(spec)
    tree = _parse(folder / file)
    true = instrument.sun_distance_correction(spec.start)
    tree.find(".//Reflectance_Conversion/U").text = f"{true * 1.01:.15g}"
    _save(tree, folder / file)
    return file, f"U is {true * 1.01:.6f} where {true:.6f} is right"


def _wrong_epsg(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = f"{granule_path(spec)}/MTD_TL.xml"
    tree = _parse(folder / file)
    wrong = spec.tile.epsg + 1
    tree.find(".//HORIZONTAL_CS_CODE").text = f"EPSG:{wrong}"
    _save(tree, folder / file)
    return file, f"HORIZONTAL_CS_CODE is EPSG:{wrong}; images lie in EPSG:{spec.tile.epsg}"


def _wrong_size(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = f"{granule_path(spec)}/MTD_TL.xml"
    tree = _parse(folder / file)
    rows = tree.find(".//Size[@resolution='20']/NROWS")
    rows.text = str(spec.pixels(20) - 1)
    _save(tree, folder / file)
    return file, f"NROWS at 20 m is {rows.text}; images have {spec.pixels(20)}"


def _incomplete_gipp(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = product_file(spec)
    tree = _parse(folder / file)
    entries = tree.find(".//GIPP_List")
    for entry in list(entries):
        if entry.get("type") == "GIP_R2ABCA" or (entry.get("type") == "GIP_R2EQOG" and entry.text.endswith("_B8A")):
            entries.remove(entry)
    _save(tree, folder / file)
    return file, "GIP_R2ABCA and GIP_R2EQOG of B8A are not listed"


def _schema_violation(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = product_file(spec)
    tree = _parse(folder / file)
    etree.SubElement(tree.find(".//Product_Info"), "PRODUCT_COLOUR").text = "blue"
    _save(tree, folder / file)
    return file, "Product_Info holds PRODUCT_COLOUR, which the schema does not know"


def _missing_olqc(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = f"{datastrip_path(spec)}/QI_DATA/SENSOR_QUALITY.xml"
    (folder / file).unlink()
    return file, "the report was never made"


def _bad_olqc(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = f"{granule_path(spec)}/QI_DATA/GENERAL_QUALITY.xml"
    tree = _parse(folder / file)
    tree.find(".//{*}report").set("globalStatus", "PROBABLY")
    inspection = tree.find(".//{*}inspection")
    del inspection.attrib["status"]
    _save(tree, folder / file)
    return file, f"globalStatus is PROBABLY and inspection {inspection.get('id')} has no status"


_CONTENT_EDITS: dict[Fault, _Edit] = {
    Fault.WRONG_OFFSET: _wrong_offset,
    Fault.WRONG_U: _wrong_u,
    Fault.WRONG_EPSG: _wrong_epsg,
    Fault.WRONG_SIZE: _wrong_size,
    Fault.INCOMPLETE_GIPP: _incomplete_gipp,
    Fault.SCHEMA_VIOLATION: _schema_violation,
    Fault.MISSING_OLQC: _missing_olqc,
    Fault.BAD_OLQC_SCHEMA: _bad_olqc,
}


def _tile_file(spec: ProductSpec) -> str:
    return f"{granule_path(spec)}/MTD_TL.xml"


# faults that the builders worked in while writing: only their record is made here
_ALREADY_DONE: dict[Fault, Callable[[ProductSpec], tuple[str, str]]] = {
    Fault.SUN_TOO_LOW: lambda spec: (_tile_file(spec), f"the Sun's mean zenith angle is {spec.sun_zenith:g} degrees"),
    Fault.WRONG_RELATIVE_ORBIT: lambda spec: (
        product_file(spec),
        f"relative orbit {spec.orbit}; absolute orbit {spec.absolute_orbit} belongs to "
        f"{instrument.relative_orbit(spec.unit, spec.absolute_orbit, spec.start)}",
    ),
    Fault.LOST_PACKETS: lambda spec: (
        f"{datastrip_path(spec)}/MTD_DS.xml",
        f"{LOST.lost} packets lost, {LOST.too_degraded} too degraded",
    ),
    Fault.DEGRADED_MSI: lambda spec: (_tile_file(spec), "DEGRADED_MSI_DATA_PERCENTAGE is 3.2187"),
    Fault.FAILED_OLQC: lambda spec: (
        f"{datastrip_path(spec)}/QI_DATA/GEOMETRIC_QUALITY.xml",
        "Attitude_Quality_Indicator_Corrected failed",
    ),
    Fault.DETFOO_OUT_OF_RANGE: lambda spec: (
        f"{granule_path(spec)}/QI_DATA/MSK_DETFOO_{OUT_OF_RANGE_BAND}.{'jp2' if spec.era.has_jp2_masks else 'gml'}",
        f"detector {OUT_OF_RANGE_DETECTOR}",
    ),
    Fault.STRIPED_BAND: lambda spec: (
        image_member(spec, STRIPED_BAND, 20),
        f"detector {striped_detector(spec)} of {STRIPED_BAND} is 2 % too bright",
    ),
}


# -- delivery


def _truncated_band(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = image_member(spec, "B04", 10)
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[: len(data) * 55 // 100])
    return file, f"{len(data) * 55 // 100} of {len(data)} bytes"


def _zero_byte_band(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = image_member(spec, "B03", 10)
    (folder / file).write_bytes(b"")
    return file, "an empty file"


def _missing_file(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = image_member(spec, "B8A", 20)
    (folder / file).unlink()
    return file, "listed in the manifest, not there"


def _corrupt_checksum(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = image_member(spec, "B12", 20)
    data = bytearray((folder / file).read_bytes())
    comment = data.find(b"\xff\x64")  # COM marker of the main header: text that no decoder uses
    if comment < 0:
        raise ValueError(f"{file} has no comment marker to change")
    data[comment + 6 : comment + 10] = b"XXXX"
    (folder / file).write_bytes(bytes(data))
    return file, f"4 bytes changed at {comment + 6}, size and pixels as before"


def _malformed_xml(spec: ProductSpec, folder: Path) -> tuple[str, str]:
    file = _tile_file(spec)
    data = (folder / file).read_bytes()
    (folder / file).write_bytes(data[: len(data) * 2 // 3])
    return file, "the file ends in the middle of an element"


_DELIVERY_EDITS: dict[Fault, _Edit] = {
    Fault.TRUNCATED_BAND: _truncated_band,
    Fault.ZERO_BYTE_BAND: _zero_byte_band,
    Fault.MISSING_FILE: _missing_file,
    Fault.CORRUPT_CHECKSUM: _corrupt_checksum,
    Fault.MALFORMED_XML: _malformed_xml,
}
