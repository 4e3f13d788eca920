"""MTD_DS.xml: metadata of the datastrip (L1C, L2A), in a product or stand-alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from lxml import etree

from mpc.msi.bands import BANDS, DETECTORS
from processors.simulator import instrument
from processors.simulator.instrument import BAND_ID, BAND_NAMES, GSD
from processors.simulator.products import auxiliary
from processors.simulator.products.ancillary import add_ancillary, gps
from processors.simulator.products.pixels import QUANTIFICATION
from processors.simulator.products.product_metadata import DOI, add_datatake
from processors.simulator.products.radiometry import (
    add_display_order,
    add_offsets,
    add_reflectance_conversion,
    add_spectral_information,
)
from processors.simulator.products.spec import ProductSpec, iso_ms, iso_us
from processors.simulator.products.xmltree import add, add_all, psd_root, section, to_bytes

EPHEMERIS_QUALITY = 3
SCENE_SECONDS = 3.608
"""Length of one on-board scene; a 10 m band has 2304 lines, hence 144 packets of 16 lines."""


@dataclass(frozen=True)
class Packets:
    """Counts of the degradation summary."""

    lost: int = 0
    too_degraded: int = 0
    kept_degraded: int = 0


def datastrip_metadata(spec: ProductSpec, tile_ids: Sequence[str], packets: Packets) -> bytes:
    """The metadata file of the datastrip that holds the tiles named."""
    level = spec.level
    root = psd_root(f"Level-{level[1:]}_DataStrip_ID", spec.era.namespace("datastrip", level))
    _add_general(section(root, "General_Info"), spec)
    _add_image_data(section(root, "Image_Data_Info"), spec, tile_ids, packets)
    add_ancillary(section(root, "Satellite_Ancillary_Data_Info"), spec)
    _add_quality(section(root, "Quality_Indicators_Info", metadataLevel="Brief"), spec)
    _add_auxiliary(section(root, "Auxiliary_Data_Info", metadataLevel="Standard"), spec)
    return to_bytes(root)


def source_packets(spec: ProductSpec, band: str) -> int:
    """Source packets of a detector in a band: in proportion 6 : 3 : 1 for 10, 20 and 60 m."""
    seconds = (spec.datastrip_stop - spec.datastrip_start).total_seconds()
    scenes = max(1, round(seconds / SCENE_SECONDS))
    return scenes * {10: 144, 20: 72, 60: 24}[GSD[band]]


def is_refined(spec: ProductSpec) -> bool:
    """Geometric refining came into use with the global reference image."""
    return spec.baseline >= "05.00"


def _add_general(parent: etree._Element, spec: ProductSpec) -> None:
    expertise, standard, brief = ({"metadataLevel": level} for level in ("Expertise", "Standard", "Brief"))
    add_datatake(parent, "Datatake_Info", spec, **brief)
    times = add(parent, "Datastrip_Time_Info", None, brief)
    add(times, "DATASTRIP_SENSING_START", iso_ms(spec.datastrip_start))
    add(times, "DATASTRIP_SENSING_STOP", iso_ms(spec.datastrip_stop))
    processing = add(parent, "Processing_Info", None, expertise)
    add(processing, "PROCESSING_BASELINE", spec.baseline)
    if spec.era.has_offsets:
        add(processing, "PRODUCT_DOI", DOI[spec.level])
    add(processing, "PROCESSING_CENTER", spec.site)
    add(processing, "UTC_DATE_TIME", spec.generated.strftime("%Y-%m-%dT%H:%M:%SZ"))
    downlink = add(parent, "Downlink_Info", None, standard)
    add_all(
        downlink,
        [("RECEPTION_STATION", spec.reception_station), ("DOWNLINK_ORBIT_NUMBER", spec.absolute_orbit + 1)],
    )
    archived = iso_us(spec.generated + timedelta(minutes=31, microseconds=130_285))
    add_all(
        add(parent, "Archiving_Info", None, expertise), [("ARCHIVING_CENTRE", spec.site), ("ARCHIVING_TIME", archived)]
    )
    outer = add(parent, "PROCESSING_SPECIFIC_PARAMETERS", None, expertise)
    add(outer, "PROCESSING_SPECIFIC_PARAMETERS", _specific_parameters(spec))


def _specific_parameters(spec: ProductSpec) -> str:
    """``key=value;`` text; the REF_ keys tell how refining went, where it was tried."""
    pairs: list[tuple[str, object]] = []
    if is_refined(spec):
        pairs += [
            ("REF_MASKED_AREA_RATIO", 0.0409088),
            ("REF_USED_ZONE_RATIO", 0.8083333),
            ("REF_TOTAL_NUMBER_ZONE", 120),
            ("REF_NUMBER_VALID_ZONE", 97),
        ]
    pairs += [("BINNING", "true"), ("DATABLOCK_POSITION_DB1", 1)]
    return "".join(f"{key}={value};" for key, value in pairs)


def _add_image_data(parent: etree._Element, spec: ProductSpec, tile_ids: Sequence[str], packets: Packets) -> None:
    tiles = add(add(parent, "Tiles_Information", None, {"metadataLevel": "Standard"}), "Tile_List")
    for tile_id in tile_ids:
        add(tiles, "Tile", None, {"tileId": tile_id})
    sensor = add(parent, "Sensor_Configuration")
    _add_acquisition(sensor, spec)
    _add_packets(sensor, spec, packets)
    _add_time_stamps(sensor, spec)
    radiometric = add(parent, "Radiometric_Info", None, {"metadataLevel": "Standard"})
    add_all(radiometric, [("SWIR_REARRANGEMENT_PROC", "false"), ("SATURATED_PIXELS_PROC", "true")])
    add_spectral_information(radiometric, spec)
    add_display_order(radiometric)
    if spec.level == "L1C":
        add(radiometric, "QUANTIFICATION_VALUE", QUANTIFICATION, {"unit": "none"})
        if spec.era.has_offsets:
            add_offsets(radiometric, "Radiometric_Offset_List", "RADIO_ADD_OFFSET")
    else:
        values = add(radiometric, "QUANTIFICATION_VALUES_LIST")
        add(values, "BOA_QUANTIFICATION_VALUE", QUANTIFICATION, {"unit": "none"})
        add(values, "AOT_QUANTIFICATION_VALUE", "1000.0", {"unit": "none"})
        add(values, "WVP_QUANTIFICATION_VALUE", "1000.0", {"unit": "cm"})
        add_offsets(radiometric, "BOA_ADD_OFFSET_VALUES_LIST", "BOA_ADD_OFFSET")
    add_reflectance_conversion(radiometric, spec)
    geometric = add(parent, "Geometric_Info", None, {"metadataLevel": "Standard"})
    add(geometric, "RGM", "COMPUTED")
    if is_refined(spec):
        _add_refining(geometric)
    elif spec.era.has_offsets:
        add(geometric, "Image_Refining", None, {"flag": "NOT_REFINED"})


def _add_acquisition(parent: etree._Element, spec: ProductSpec) -> None:
    expertise = {"metadataLevel": "Expertise"}
    acquisition = add(parent, "Acquisition_Configuration")
    for name, value in (("COMPRESS_MODE", "true"), ("EQUALIZATION_MODE", "true"), ("NUC_TABLE_ID", 3)):
        add(acquisition, name, value, expertise)
    active = add(acquisition, "Active_Detectors_List", None, expertise)
    for detector in DETECTORS:
        add(active, "ACTIVE_DETECTOR", f"{detector:02d}")
    delays = add(acquisition, "TDI_Configuration_List", None, {"metadataLevel": "Standard"})
    for band in instrument.TDI_BANDS:
        add(delays, "TDI_CONFIGURATION", "APPLIED", {"bandId": str(BAND_ID[band])})
    table = add(acquisition, "Spectral_Band_Info")
    gains, times = instrument.physical_gains(spec.unit), instrument.integration_time(spec.unit)
    for band in BAND_NAMES:
        row = add(table, "Spectral_Band_Information", None, {"bandId": str(BAND_ID[band])})
        gain = f"{gains[band]:.8f}".rstrip("0")
        add(row, "PHYSICAL_GAINS", gain, {"geometry": "FULL_RESOLUTION", "metadataLevel": "Standard"})
        add(row, "COMPRESSION_RATE", instrument.COMPRESSION_RATE[band], expertise)
        add(row, "INTEGRATION_TIME", times[band], {"metadataLevel": "Expertise", "unit": "ms"})


def _add_packets(parent: etree._Element, spec: ProductSpec, packets: Packets) -> None:
    description = add(parent, "Source_Packet_Description")
    detectors = add(add(description, "Source_Packet_Counters_List"), "Detector_List")
    total = 0
    for detector in DETECTORS:
        bands = add(add(detectors, "Detector", None, {"detectorId": f"{detector:02d}"}), "Band_List")
        for band in BANDS:
            count = source_packets(spec, band.name)
            total += count
            row = add(bands, "Band", None, {"bandId": str(band.band_id)})
            add_all(row, [("DATA_STRIP_START", 1), ("SCENE_POSITION", 1), ("NB_OF_SOURCE_PACKETS", count)])
    share = 100 * (packets.lost + packets.too_degraded) / total
    summary = add(description, "Degradation_Summary", None, {"degradationPercentage": f"{share:.6g}"})
    add_all(
        summary,
        [
            ("NUMBER_OF_LOST_PACKETS", packets.lost),
            ("NUMBER_OF_TOO_DEGRADED_PACKETS", packets.too_degraded),
            ("NUMBER_OF_KEPT_DEGRADED_PACKETS", packets.kept_degraded),
        ],
    )


def _add_time_stamps(parent: etree._Element, spec: ProductSpec) -> None:
    stamps = add(parent, "Time_Stamp", None, {"metadataLevel": "Standard", "usedModel": "EXOGENEOUS"})
    add(stamps, "LINE_PERIOD", instrument.LINE_PERIOD_MS, {"unit": "ms"})
    for band in BANDS:
        row = add(stamps, "Band_Time_Stamp", None, {"bandId": str(band.band_id)})
        for detector in DETECTORS:
            entry = add(row, "Detector", None, {"detectorId": f"{detector:02d}"})
            # odd and even detectors look backward and forward: they see the same ground seconds apart
            delay = 0.9 + 0.21 * band.band_id if detector % 2 else 3.4 - 0.21 * band.band_id
            first_line = spec.datastrip_start + timedelta(seconds=round(delay + 0.004 * detector, 6))
            add_all(entry, [("REFERENCE_LINE", 1), ("GPS_TIME", gps(spec, first_line))])
    add(stamps, "GPS_SYNC", "true")


def _add_refining(parent: etree._Element) -> None:
    """A refined datastrip: small rotations of the instrument's frame (rad) and of its focal length."""
    refining = add(parent, "Image_Refining", None, {"flag": "REFINED"})
    characteristics = add(refining, "Refining_Characteristics")
    add_all(characteristics, [("REFERENCE_BAND", 3), ("Reference_Image_List", None)])
    corrections = add(add(parent, "Refined_Corrections_List"), "Refined_Corrections")
    add(corrections, "Spacecraft_Position")
    state = add(corrections, "MSI_State")
    rotation = add(state, "Rotation")
    for axis, value in (("X", "-1.2e-06 3.1e-09"), ("Y", "8.4e-07 -1.7e-09"), ("Z", "4.9e-06 1.1e-09")):
        add_all(add(rotation, axis), [("DEGREE", 1), ("COEFFICIENTS", value)])
    add_all(add(add(state, "Homothety"), "Z"), [("DEGREE", 0), ("COEFFICIENTS", "-2.4e-06")])
    for focal_plane in ("VNIR", "SWIR"):
        add(corrections, "Focal_Plane_State", None, {"focalPlaneId": focal_plane})


def refining_residuals(spec: ProductSpec) -> dict[str, float]:
    """Means and standard deviations of the refining residuals in m, as the metadata and the OLQC report state them."""
    rng = np.random.default_rng([13, *spec.datastrip_id.encode()])
    x_mean, y_mean = rng.normal(0, 0.08, 2)
    x_spread, y_spread = rng.normal(4.6, 0.4, 2)
    names = ("X_MEAN", "Y_MEAN", "X_STDV", "Y_STDV")
    return {
        name: round(float(value), 6) for name, value in zip(names, (x_mean, y_mean, x_spread, y_spread), strict=True)
    }


def _add_refining_quality(parent: etree._Element, spec: ProductSpec, measured: str) -> None:
    refining = add(parent, "Image_Refining")
    correlation = add(refining, "Correlation_Quality")
    residuals = refining_residuals(spec)
    overall = add(correlation, "Global_Residual")
    zone = add(add(correlation, "Local_Residual_List"), "Local_Residual")
    add(zone, "ZONE_NUMBER", 1)
    add(zone, "X_CENTER_POSITION", spec.tile.ulx + spec.extent / 2, {"unit": "m"})
    add(zone, "Y_CENTER_POSITION", spec.tile.uly - spec.extent / 2, {"unit": "m"})
    for element in (overall, zone):
        for name, value in residuals.items():
            add(element, name, f"{value:.6f}", {"unit": "m"})
    performance = add(refining, "Performance_Indicators")
    _add_indicator(add(performance, "Multi_Temporal_Registration"), 1.43, measured)
    spectral = add(performance, "Multi_Spectral_Registration")
    for name, value in (("Band_10m", 3), ("Band_20m", 8), ("Band_60m", 20)):
        _add_indicator(add(spectral, name), value, "2015-06-22T00:00:00.0")
    _add_indicator(add(performance, "Reference_Geolocation"), 12.5, measured)


def _add_indicator(parent: etree._Element, value: float, measured: str) -> None:
    add(parent, "VALUE", value, {"unit": "m"})
    add(parent, "MEASUREMENT_DATE", measured)


def _add_quality(parent: etree._Element, spec: ProductSpec) -> None:
    measured = (spec.start - timedelta(days=200)).strftime("%Y-%m-%dT00:15:00")
    geometric = add(parent, "Geometric_Info")
    indicators = add(geometric, "Geometric_QI")
    _add_indicator(add(indicators, "Absolute_Location"), 20, measured)
    stability = add(indicators, "Planimetric_Stability")
    add_all(stability, [("VALUE", 3), ("MEASUREMENT_DATE", measured)])
    add_all(indicators, [("EPHEMERIS_QUALITY", EPHEMERIS_QUALITY), ("ANCILLARY_QUALITY", 2)])
    refining = add(geometric, "Geometric_Refining_Quality")
    if is_refined(spec):
        _add_refining_quality(refining, spec, measured)
    update = add(geometric, "Update_Absolute_Location")
    _add_indicator(update, 12 if is_refined(spec) else 20, measured)
    table = add(add(parent, "Radiometric_Info"), "Radiometric_Quality_List")
    for band in BAND_NAMES:
        alpha, beta = instrument.NOISE_MODEL[band]
        row = add(table, "Radiometric_Quality", None, {"bandId": str(BAND_ID[band])})
        add_all(add(row, "Noise_Model"), [("ALPHA", alpha), ("BETA", f"{beta:.5f}")])
        add_all(
            row,
            [
                ("ABSOLUTE_CALIBRATION_ACCURACY", 5),
                ("CROSS_BAND_CALIBRATION_ACCURACY", 3),
                ("MULTI_TEMPORAL_CALIBRATION_ACCURACY", 1),
            ],
        )
    add(parent, "DEGRADED_ANC_DATA_PERCENTAGE", 0)


def _add_auxiliary(parent: etree._Element, spec: ProductSpec) -> None:
    bulletin = add(parent, "IERS_Bulletin")
    leap = instrument.leap_seconds(spec.start)
    for name, value, unit in (
        ("UT1_UTC", -0.00511, "s"),
        ("GPS_TIME_UTC", leap, "s"),
        ("GPS_TIME_TAI", -19, "s"),
        ("POLE_U_ANGLE", 0.2641, "arcsec"),
        ("POLE_V_ANGLE", 0.2402, "arcsec"),
    ):
        add(bulletin, name, value, {"unit": unit})
    auxiliary.add_gipp_list(parent, auxiliary.gipp_list(spec, with_l2a=False))
    add(parent, "ECMWF_DATA_REF", auxiliary.ecmwf_data(spec))
    if spec.era.has_offsets:
        add(parent, "CAMS_DATA_REF", auxiliary.cams_data(spec), {"type": "FORECAST"})
    add(parent, "PRODUCTION_DEM_TYPE", auxiliary.DEM)
    add(parent, "IERS_BULLETIN_FILENAME", auxiliary.iers_bulletin(spec))
    auxiliary.add_gri(parent, spec)
    if spec.level == "L2A":
        auxiliary.add_l2a_sources(parent)
