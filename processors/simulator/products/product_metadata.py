"""MTD_MSIL1C.xml and MTD_MSIL2A.xml: metadata of the user product in the format of each era."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lxml import etree
from rasterio.warp import transform

from processors.simulator import instrument
from processors.simulator.instrument import BAND_ID, BAND_NAMES
from processors.simulator.products import auxiliary
from processors.simulator.products.detectors import detector_layout
from processors.simulator.products.layout import image_members
from processors.simulator.products.pixels import QUANTIFICATION, SCENE_CLASSES
from processors.simulator.products.radiometry import (
    add_display_order,
    add_offsets,
    add_reflectance_conversion,
    add_spectral_information,
)
from processors.simulator.products.spec import ProductSpec, iso_ms, iso_us
from processors.simulator.products.truth import NODATA, SATURATED
from processors.simulator.products.xmltree import add, add_all, psd_root, section, to_bytes

DOI = {"L1C": "https://doi.org/10.5270/S2_-742ikth", "L2A": "https://doi.org/10.5270/S2_-znk9xsj"}
CHECK_TYPES = ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", "RADIOMETRIC_QUALITY", "SENSOR_QUALITY")


@dataclass(frozen=True)
class QualityFacts:
    """What the product metadata say of quality: percentages, statuses by report type, names of failed reports."""

    cloud: float
    snow: float
    flags: dict[str, str]
    failed_datastrip_reports: tuple[str, ...] = ()
    failed_granule_reports: tuple[str, ...] = ()
    content: Sequence[tuple[str, str]] = ()


def product_metadata(spec: ProductSpec, quality: QualityFacts) -> bytes:
    """The metadata file; ``quality.content`` is the L2A ``Image_Content_QI`` list."""
    root = psd_root(f"Level-{spec.level[1:]}_User_Product", spec.era.namespace("product", spec.level))
    general = section(root, "General_Info")
    _add_product_info(general, spec)
    _add_image_characteristics(general, spec)
    _add_geometric_info(section(root, "Geometric_Info"), spec)
    _add_auxiliary(section(root, "Auxiliary_Data_Info"), spec)
    _add_quality(section(root, "Quality_Indicators_Info"), spec, quality)
    return to_bytes(root)


def _add_product_info(parent: etree._Element, spec: ProductSpec) -> None:
    info = add(parent, "Product_Info")
    add_all(
        info,
        [
            ("PRODUCT_START_TIME", iso_ms(spec.start)),
            ("PRODUCT_STOP_TIME", iso_ms(spec.start)),
            ("PRODUCT_URI", spec.name),
            ("PROCESSING_LEVEL", f"Level-{spec.level[1:]}"),
            ("PRODUCT_TYPE", f"S2MSI{spec.level[1:]}"),
            ("PROCESSING_BASELINE", spec.baseline),
        ],
    )
    if spec.era.has_offsets:
        add(info, "PRODUCT_DOI", DOI[spec.level])
    add_all(
        info,
        [
            ("GENERATION_TIME", iso_us(spec.generated)),
            ("PREVIEW_IMAGE_URL", "Not applicable"),
            ("PREVIEW_GEO_INFO", "Not applicable"),
        ],
    )
    add_datatake(info, "Datatake", spec)
    add(add(info, "Query_Options", None, {"completeSingleTile": "true"}), "PRODUCT_FORMAT", "SAFE_COMPACT")
    granules = add(add(info, "Product_Organisation"), "Granule_List")
    granule = add(
        granules,
        "Granule",
        None,
        {
            "datastripIdentifier": spec.datastrip_id,
            "granuleIdentifier": spec.tile_id,
            "imageFormat": "JPEG2000",
        },
    )
    for image in image_members(spec):
        add(granule, "IMAGE_FILE", image.removesuffix(".jp2"))


def add_datatake(parent: etree._Element, name: str, spec: ProductSpec, **attributes: str) -> None:
    """``Datatake`` or ``Datatake_Info``: SENSING_ORBIT_NUMBER is the relative orbit, the absolute one is in the id."""
    datatake = add(parent, name, None, {"datatakeIdentifier": spec.datatake_id, **attributes})
    add_all(
        datatake,
        [
            ("SPACECRAFT_NAME", instrument.SPACECRAFT[spec.unit]),
            ("DATATAKE_TYPE", "INS-NOBS"),
            ("DATATAKE_SENSING_START", iso_ms(spec.start)),
            ("SENSING_ORBIT_NUMBER", spec.orbit),
            ("SENSING_ORBIT_DIRECTION", "DESCENDING"),
        ],
    )


def _add_image_characteristics(parent: etree._Element, spec: ProductSpec) -> None:
    image = add(parent, "Product_Image_Characteristics")
    for text, value in (("NODATA", NODATA), ("SATURATED", SATURATED)):
        special = add(image, "Special_Values")
        add_all(special, [("SPECIAL_VALUE_TEXT", text), ("SPECIAL_VALUE_INDEX", value)])
    add_display_order(image)
    if spec.level == "L1C":
        add(image, "QUANTIFICATION_VALUE", QUANTIFICATION, {"unit": "none"})
        if spec.era.has_offsets:
            add_offsets(image, "Radiometric_Offset_List", "RADIO_ADD_OFFSET")
    else:
        quantification = add(image, "QUANTIFICATION_VALUES_LIST")
        add(quantification, "BOA_QUANTIFICATION_VALUE", QUANTIFICATION, {"unit": "none"})
        add(quantification, "AOT_QUANTIFICATION_VALUE", "1000.0", {"unit": "none"})
        add(quantification, "WVP_QUANTIFICATION_VALUE", "1000.0", {"unit": "cm"})
        add_offsets(image, "BOA_ADD_OFFSET_VALUES_LIST", "BOA_ADD_OFFSET")
    add_reflectance_conversion(image, spec)
    add_spectral_information(image, spec)
    gains = instrument.physical_gains(spec.unit)
    for band in BAND_NAMES:
        add(image, "PHYSICAL_GAINS", f"{gains[band]:.8f}".rstrip("0"), {"bandId": str(BAND_ID[band])})
    if spec.level == "L2A":
        add(image, "REFERENCE_BAND", 3)
        classes = add(image, "Scene_Classification_List")
        for index, text in enumerate(scene_class_names(spec)):
            row = add(classes, "Scene_Classification_ID")
            add_all(row, [("SCENE_CLASSIFICATION_TEXT", text), ("SCENE_CLASSIFICATION_INDEX", index)])


def scene_class_names(spec: ProductSpec) -> list[str]:
    names = list(SCENE_CLASSES)
    if spec.era.has_cast_shadow:
        names[2] = "SC_CAST_SHADOW"
    return names


def footprint(spec: ProductSpec) -> list[tuple[float, float]]:
    """Closed ring of (latitude, longitude) around what the swath covers of the tile."""
    size = float(spec.extent)
    layout = detector_layout(spec, "B02")
    rings = [ring for ring in (layout.polygon(number) for number in range(1, 13)) if ring is not None]
    west_top = min(ring[ring[:, 1] == 0][:, 0].min() for ring in rings if (ring[:, 1] == 0).any())
    west_bottom = min(ring[ring[:, 1] == size][:, 0].min() for ring in rings if (ring[:, 1] == size).any())
    corners = np.array([(west_top, 0), (size, 0), (size, size), (west_bottom, size), (west_top, 0)])
    longitudes, latitudes = transform(
        f"EPSG:{spec.tile.epsg}", "EPSG:4326", spec.tile.ulx + corners[:, 0], spec.tile.uly - corners[:, 1]
    )
    return [(round(lat, 9), round(lon, 9)) for lat, lon in zip(latitudes, longitudes, strict=True)]


def _add_geometric_info(parent: etree._Element, spec: ProductSpec) -> None:
    outer = add(parent, "Product_Footprint")
    ring = " ".join(f"{lat:.9f} {lon:.9f}" for lat, lon in footprint(spec))
    add(add(add(outer, "Product_Footprint"), "Global_Footprint"), "EXT_POS_LIST", ring + " ")
    add_all(outer, [("RASTER_CS_TYPE", "POINT"), ("PIXEL_ORIGIN", 1)])
    system = add(parent, "Coordinate_Reference_System")
    add(system, "GEO_TABLES", "EPSG", {"version": "1"})
    add(system, "HORIZONTAL_CS_TYPE", "GEOGRAPHIC")


def _add_auxiliary(parent: etree._Element, spec: ProductSpec) -> None:
    auxiliary.add_gipp_list(parent, auxiliary.gipp_list(spec, with_l2a=spec.level == "L2A"))
    add(parent, "PRODUCTION_DEM_TYPE", auxiliary.DEM if spec.level == "L1C" else "CopernicusDEM90")
    add(parent, "IERS_BULLETIN_FILENAME", auxiliary.iers_bulletin(spec))
    auxiliary.add_gri(parent, spec)
    add(parent, "ECMWF_DATA_REF", auxiliary.ecmwf_data(spec))
    if spec.level == "L2A":
        auxiliary.add_l2a_sources(parent)


def _add_quality(parent: etree._Element, spec: ProductSpec, quality: QualityFacts) -> None:
    add(parent, "Cloud_Coverage_Assessment", f"{quality.cloud:.6f}")
    if spec.era.has_offsets and spec.level == "L1C":
        add(parent, "Snow_Coverage_Assessment", f"{quality.snow:.6f}")
    technical = add(parent, "Technical_Quality_Assessment")
    # the product's own percentages are rounded away; the tile's are the ones to read
    add_all(technical, [("DEGRADED_ANC_DATA_PERCENTAGE", "0.0"), ("DEGRADED_MSI_DATA_PERCENTAGE", 0)])
    checks = add(parent, "Quality_Control_Checks")
    inspections = add(checks, "Quality_Inspections")
    if spec.era.has_check_attributes:
        for name, status in quality.flags.items():
            add(inspections, "quality_check", status, {"checkType": name})
    else:
        for name in ("SENSOR_QUALITY", "GEOMETRIC_QUALITY", "GENERAL_QUALITY"):
            add(inspections, f"{name}_FLAG", quality.flags[name])
        add(inspections, "FORMAT_CORRECTNESS_FLAG", quality.flags["FORMAT_CORRECTNESS"])
        add(inspections, "RADIOMETRIC_QUALITY_FLAG", quality.flags["RADIOMETRIC_QUALITY"])
    failed = add(checks, "Failed_Inspections")
    if quality.failed_datastrip_reports:
        reports = add(failed, "Datastrip_Report", None, {"datastripId": spec.datastrip_id})
        for name in quality.failed_datastrip_reports:
            add(reports, "REPORT_FILENAME", name)
    if quality.failed_granule_reports:
        reports = add(failed, "Granule_Report", None, {"granuleId": spec.tile_id})
        for name in quality.failed_granule_reports:
            add(reports, "REPORT_FILENAME", name)
    if spec.level == "L2A":
        add_all(add(parent, "Image_Content_QI"), quality.content)
