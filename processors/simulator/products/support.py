"""The small files around a product: INSPIRE metadata, HTML presentation, schema stubs, auxiliary data, inventory."""

from __future__ import annotations

from lxml import etree

from processors.simulator.products.layout import granule_path
from processors.simulator.products.pixels import Pixels
from processors.simulator.products.product_metadata import footprint
from processors.simulator.products.spec import ProductSpec
from processors.simulator.products.xmltree import add_all, to_bytes

GMD = "http://www.isotc211.org/2005/gmd"
GCO = "http://www.isotc211.org/2005/gco"


def simulation_note(spec: ProductSpec) -> str:
    """One sentence that says what a reader of the product must know."""
    size = "a full tile" if spec.is_full_size else f"reduced to {spec.extent} m a side at true ground sampling"
    return f"Simulated Sentinel-2 product ({size}); its scene is invented and shows no place on Earth."


def inspire(spec: ProductSpec) -> bytes:
    """INSPIRE.xml with title, note on the simulation, time and bounding box."""
    root = etree.Element(f"{{{GMD}}}MD_Metadata", nsmap={"gmd": GMD, "gco": GCO})
    _text(root, "fileIdentifier", spec.name)
    _text(root, "metadataStandardName", "ISO19115")
    _text(root, "metadataStandardVersion", "2003/Cor.1:2006")
    identification = _gmd(_gmd(root, "identificationInfo"), "MD_DataIdentification")
    citation = _gmd(_gmd(identification, "citation"), "CI_Citation")
    _text(citation, "title", spec.name)
    _text(identification, "abstract", simulation_note(spec))
    extent = _gmd(_gmd(identification, "extent"), "EX_Extent")
    box = _gmd(_gmd(extent, "geographicElement"), "EX_GeographicBoundingBox")
    latitudes, longitudes = zip(*footprint(spec), strict=True)
    for name, value in (
        ("westBoundLongitude", min(longitudes)),
        ("eastBoundLongitude", max(longitudes)),
        ("southBoundLatitude", min(latitudes)),
        ("northBoundLatitude", max(latitudes)),
    ):
        etree.SubElement(_gmd(box, name), f"{{{GCO}}}Decimal").text = str(value)
    return to_bytes(root)


def _gmd(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{GMD}}}{name}")


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(_gmd(parent, name), f"{{{GCO}}}CharacterString").text = text


def support_files(pixels: Pixels) -> dict[str, bytes]:
    """Files that the manifest lists but that carry no measurement, by path."""
    spec = pixels.spec
    title = f"<title>{spec.name}</title>"
    page = f"<!DOCTYPE html>\n<html>\n<head>{title}</head>\n<body><p>{simulation_note(spec)}</p></body>\n</html>\n"
    style = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">\n'
        '  <xsl:template match="/"><html><body><xsl:value-of select="."/></body></html></xsl:template>\n'
        "</xsl:stylesheet>\n"
    )
    files = {
        "INSPIRE.xml": inspire(spec),
        "HTML/UserProduct_index.html": page.encode(),
        "HTML/UserProduct_index.xsl": style.encode(),
        f"{granule_path(spec)}/AUX_DATA/AUX_ECMWFT": _grib(spec, 810 if not spec.era.has_offsets else 1104),
    }
    if spec.era.has_offsets:
        files[f"{granule_path(spec)}/AUX_DATA/AUX_CAMSFO"] = _grib(spec, 2024)
    return files


def _grib(spec: ProductSpec, size: int) -> bytes:
    """The frame of a GRIB 1 message (indicator and end section) around filling: not meant to be decoded."""
    text = f"{spec.name} ".encode()
    body = (text * (size // len(text) + 1))[: size - 12]
    return b"GRIB" + size.to_bytes(3, "big") + b"\x01" + body + b"7777"


def schema_stubs(spec: ProductSpec) -> dict[str, bytes]:
    """``rep_info``: stubs that import dictionaries which no product brings along."""
    level = spec.level[1:]
    names = {f"S2_User_Product_Level-{level}_Metadata.xsd": (spec.era.namespace("product", spec.level), "User_Product")}
    if spec.level == "L2A":
        for kind, root in (("Datastrip", "DataStrip_ID"), ("Tile", "Tile_ID")):
            namespace = spec.era.namespace(kind.lower(), spec.level)
            names[f"S2_PDI_Level-{level}_{kind}_Metadata.xsd"] = (namespace, root)
    return {
        f"rep_info/{name}": schema_stub(spec, namespace, f"Level-{level}_{root}")
        for name, (namespace, root) in names.items()
    }


def schema_stub(spec: ProductSpec, namespace: str, root_name: str) -> bytes:
    """A schema that names the root element and imports a dictionary by a path that leads nowhere."""
    dictionary = f"https://psd-{spec.era.user}.sentinel2.eo.esa.int/DICO/EUP-V{spec.era.user}/PDGS/dimap/"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{namespace}" xmlns:dimap="{dictionary}"\n'
        f'    targetNamespace="{namespace}" elementFormDefault="qualified" version="{spec.era.user}">\n'
        f'  <xs:import namespace="{dictionary}" schemaLocation="DICO/EUP-V{spec.era.user}/PDGS/dimap/dimap.xsd"/>\n'
        f'  <xs:element name="{root_name}"/>\n'
        "</xs:schema>\n"
    ).encode()


def inventory(spec: ProductSpec, data_size: int) -> bytes:
    """Inventory_Metadata.xml of a stand-alone datastrip; every element stands in the namespace."""
    version = "15" if spec.era.psd == "15.0" else "12"
    namespace = f"https://psd-{version}.sentinel2.eo.esa.int/PSD/Inventory_Metadata.xsd"
    root = etree.Element(f"{{{namespace}}}Inventory_Metadata", nsmap={None: namespace})
    started, stopped = (t.strftime("UTC=%Y-%m-%dT%H:%M:%S.%f") for t in (spec.datastrip_start, spec.datastrip_stop))
    head: list[tuple[str, object]] = [
        ("File_ID", spec.datastrip_id),
        ("Group_ID", spec.datatake_id),
        ("File_Name", spec.datastrip_id),
        ("File_Version", spec.baseline),
        ("System", "S2PDGS-DPC"),
        ("Source", "L1C_Processor"),
        ("Source_Sw_Version", "6.1.0"),
        ("Generation_Time", spec.generated.strftime("UTC=%Y-%m-%dT%H:%M:%S.%f")),
        ("Validity_Start", started),
        ("Validity_Stop", stopped),
        ("Start_Orbit_Number", f"{spec.absolute_orbit:06d}"),
        ("Stop_Orbit_Number", f"{spec.absolute_orbit:06d}"),
    ]
    add_all(root, ((f"{{{namespace}}}{name}", text) for name, text in head))
    place = etree.SubElement(root, f"{{{namespace}}}Geographic_Localization")
    ring = footprint(spec)
    add_all(place, [(f"{{{namespace}}}GEO_TYPE", "Polygon")])
    points = etree.SubElement(place, f"{{{namespace}}}List_Of_Geo_Pnt", count=str(len(ring)))
    for latitude, longitude in ring:
        point = etree.SubElement(points, f"{{{namespace}}}Geo_Pnt")
        add_all(point, [(f"{{{namespace}}}LATITUDE", latitude), (f"{{{namespace}}}LONGITUDE", longitude)])
    tail: list[tuple[str, object]] = [
        ("Quality_Info", "100.0"),
        ("Data_Size", data_size),
        ("File_Type", f"MSI_{spec.level}_DS"),
        ("File_Class", "NOM"),
        ("Sensor_Code", "MSI"),
        ("Sensor_Mode", "NOM"),
        ("Acquisition_Station", spec.reception_station),
        ("Processing_Station", spec.site),
        ("Satellite_Code", spec.unit),
        ("Ascending_Flag", "false"),
        ("CloudPercentage", 0),
    ]
    add_all(root, ((f"{{{namespace}}}{name}", text) for name, text in tail))
    return to_bytes(root)
