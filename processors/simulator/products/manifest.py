"""manifest.safe: the list of all files of a product with size and checksum, as XFDU."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from lxml import etree

from mpc.msi.bands import BANDS
from processors.simulator.instrument import NSSDC
from processors.simulator.products.layout import datastrip_path, product_file
from processors.simulator.products.product_metadata import footprint
from processors.simulator.products.spec import ProductSpec, iso_ms
from processors.simulator.products.xmltree import add, to_bytes

XFDU = "urn:ccsds:schema:xfdu:1"
SAFE = "http://www.esa.int/safe/sentinel/1.1"
GML = "http://www.opengis.net/gml"
_MASK_NAMES = {
    "MSK_DETFOO": "DetectorFootprintMask",
    "MSK_QUALIT": "QualitPixelsMask",
    "MSK_CLASSI": "ClassiPixelsMask",
    "MSK_DEFECT": "DefectivePixelsMask",
    "MSK_NODATA": "NodataPixelsMask",
    "MSK_SATURA": "SaturatedPixelsMask",
    "MSK_TECQUA": "TechnicalQualityMask",
    "MSK_CLOUDS": "FineCloudMask",
    "MSK_CLDPRB": "CloudPrbMask",
    "MSK_SNWPRB": "SnowPrbMask",
}


def product_manifest(spec: ProductSpec, folder: Path, members: Iterable[str]) -> bytes:
    """The manifest of a user product; ``members`` are paths relative to ``folder`` in the order of the list."""
    return _manifest(spec, folder, members, f"SENTINEL-2 MSI Level-{spec.level[1:]} User Product", "user_product")


def datastrip_manifest(spec: ProductSpec, folder: Path, members: Iterable[str]) -> bytes:
    """The manifest of a stand-alone datastrip."""
    return _manifest(spec, folder, members, f"SENTINEL-2 MSI Level-{spec.level[1:]}_Datastrip PDI", "datastrip")


def file_checksum(path: Path, algorithm: str) -> str:
    """Hex digest of a file by the manifest's name of the algorithm ("MD5", "SHA3-256")."""
    name = {"MD5": "md5", "SHA3-256": "sha3_256"}[algorithm]
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(name, usedforsecurity=False)).hexdigest()


def _manifest(spec: ProductSpec, folder: Path, members: Iterable[str], text: str, kind: str) -> bytes:
    names = list(members)
    ids = _object_ids(spec, names)
    root = etree.Element(f"{{{XFDU}}}XFDU", nsmap={"xfdu": XFDU, "safe": SAFE, "gml": GML})
    root.set("version", f"esa/safe/sentinel/1.1/sentinel-2/msi/archive_{spec.level.lower()}_{kind}")
    package = add(root, "informationPackageMap")
    unit = add(
        package,
        f"{{{XFDU}}}contentUnit",
        None,
        {
            "dmdID": "acquisitionPeriod platform",
            "pdiID": "processing",
            "textInfo": text,
            "unitType": f"Product_Level-{spec.level[1:]}",
        },
    )
    for name in names:
        part = add(unit, f"{{{XFDU}}}contentUnit", None, {"ID": f"{ids[name]}_Unit", "unitType": _unit_type(name)})
        add(part, "dataObjectPointer", None, {"dataObjectID": ids[name]})
    _add_metadata_section(root, spec, [ids[name] for name in names if _unit_type(name) == "Metadata Unit"])
    objects = add(root, "dataObjectSection")
    for name in names:
        _add_object(objects, spec, folder, name, ids[name])
    return to_bytes(root)


def _unit_type(member: str) -> str:
    if member.startswith("HTML/"):
        return "Data Unit"
    plain = member.rsplit("/", 1)[-1]
    return "Metadata Unit" if plain.startswith(("MTD_", "INSPIRE")) or "_MTD_" in plain else "Measurement Data Unit"


def _add_object(parent: etree._Element, spec: ProductSpec, folder: Path, member: str, object_id: str) -> None:
    path = folder / member
    digest = file_checksum(path, spec.era.checksum)
    if "/IMG_DATA/" in member and spec.era.checksum == "SHA3-256":
        digest = digest.upper()  # as in real manifests, where the images' digests come from another tool
    data = add(parent, "dataObject", None, {"ID": object_id})
    stream = add(data, "byteStream", None, {"mimeType": _mime_type(member), "size": str(path.stat().st_size)})
    add(stream, "fileLocation", None, {"href": f"./{member}", "locatorType": "URL"})
    add(stream, "checksum", digest, {"checksumName": spec.era.checksum})


def _mime_type(member: str) -> str:
    if member.startswith("HTML/"):
        return "octet"
    return "application/xml" if member.endswith(".xml") else "application/octet-stream"


def _add_metadata_section(root: etree._Element, spec: ProductSpec, metadata_ids: list[str]) -> None:
    section = add(root, "metadataSection")
    period = _wrapped(section, "acquisitionPeriod", "DMD", "DESCRIPTION")
    _safe(_safe(period, "acquisitionPeriod"), "startTime", iso_ms(spec.start))
    orbit = _safe(_wrapped(section, "measurementOrbitReference", "DMD", "DESCRIPTION"), "orbitReference")
    _safe(orbit, "orbitNumber", spec.absolute_orbit, {"type": "start"})
    _safe(orbit, "relativeOrbitNumber", spec.orbit, {"type": "start"})
    platform = _safe(_wrapped(section, "platform", "DMD", "DESCRIPTION"), "platform")
    _safe(platform, "nssdcIdentifier", NSSDC[spec.unit])
    _safe(platform, "familyName", "SENTINEL")
    _safe(platform, "number", spec.unit[1:])
    instrument = _safe(platform, "instrument")
    _safe(instrument, "familyName", "Multi-Spectral Instrument", {"abbreviation": "MSI"})
    _safe(instrument, "mode", None, {"identifier": "INS-NOBS"})
    processing = _safe(_wrapped(section, "processing", "PDI", "PROVENANCE"), "processing")
    processing.set("name", f"Generation of Level-{spec.level[1:]} product")
    processing.set("stop", iso_ms(spec.generated))
    facility = _safe(processing, "facility", None, {"name": spec.site, "organisation": "simulator"})
    _safe(facility, "software", None, {"name": "processors.simulator", "version": spec.baseline})
    frames = _safe(_wrapped(section, "measurementFrameSet", "DMD", "DESCRIPTION"), "frameSet")
    frame = _safe(_safe(frames, "frame"), "footPrint", None, {"srsName": f"{GML}/srs/epsg.xml#4326"})
    add(frame, f"{{{GML}}}coordinates", " ".join(f"{lat},{lon}" for lat, lon in footprint(spec)))
    for object_id in metadata_ids:
        entry = add(
            section,
            "metadataObject",
            None,
            {"ID": f"{object_id}_Information", "category": "DMD", "classification": "DESCRIPTION"},
        )
        add(entry, "dataObjectPointer", None, {"dataObjectID": object_id})


def _wrapped(section: etree._Element, object_id: str, category: str, classification: str) -> etree._Element:
    entry = add(
        section, "metadataObject", None, {"ID": object_id, "category": category, "classification": classification}
    )
    wrap = add(entry, "metadataWrap", None, {"mimeType": "text/xml", "vocabularyName": "SAFE", "textInfo": object_id})
    return add(wrap, "xmlData")


def _safe(
    parent: etree._Element, name: str, text: object = None, attributes: dict[str, str] | None = None
) -> etree._Element:
    return add(parent, f"{{{SAFE}}}{name}", text, attributes)


# -- identifiers of the data objects


def _object_ids(spec: ProductSpec, members: list[str]) -> dict[str, str]:
    """Identifiers in the manner of real manifests; numbers make them unique."""
    ids: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for member in members:
        base = _object_id(spec, member)
        seen[base] += 1
        ids[member] = base if seen[base] == 1 else f"{base}_{seen[base]}"
    return ids


def _object_id(spec: ProductSpec, member: str) -> str:
    level = f"S2_Level-{spec.level[1:]}"
    fixed = {
        product_file(spec): f"{level}_Product_Metadata",
        "INSPIRE.xml": "INSPIRE_Metadata",
        "HTML/UserProduct_index.html": "HTML_Presentation",
        "HTML/UserProduct_index.xsl": "HTML_Presentation_Stylesheet",
        f"{datastrip_path(spec)}/MTD_DS.xml": f"{level}_Datastrip1_Metadata",
    }
    if member in fixed:
        return fixed[member]
    plain = member.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    owner = "Tile1" if member.startswith("GRANULE/") else "Datastrip1"
    if plain == "MTD_TL":
        return f"{level}_Tile1_Metadata"
    if "_MTD_" in plain:
        return f"{level}_Datastrip_Metadata"
    if plain.endswith("_report"):
        plain = "_".join(plain.split("_")[-3:-1])
    if plain == "L2A_QUALITY":
        return "L2A_QUALITY_OLQC_Report_Tile1_InformationData"
    if plain.endswith(("_QUALITY", "_CORRECTNESS")):
        return f"{plain.split('_')[0].capitalize()}_OLQC_Report_{owner}_InformationData"
    if plain.startswith("AUX_"):
        return f"{plain[4:].removesuffix('FO').removesuffix('T')}_Tile1_Data"
    if plain.endswith("_PVI"):
        return "Preview_0_Tile1_Data"
    if "/IMG_DATA/" in member:
        return f"IMG_DATA_Band_{plain.split('_', 2)[2]}_Tile1_Data"
    if plain.startswith("MSK_"):
        kind, _, band = plain[4:].partition("_")
        gsd = next((item.gsd for item in BANDS if item.name == band), 0)
        return f"{_MASK_NAMES[f'MSK_{kind}']}_Band_{gsd:02d}m_{band}_Tile1_Data"
    return plain
