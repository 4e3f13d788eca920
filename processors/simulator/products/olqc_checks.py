"""Checks of the on-line quality control: what real checklists of each level and time look at, with their words.

Identifiers, names and messages follow reports of L1C 02.06, 05.09 and L2A 04.00. Limits belong to the checklist:
the Sun's zenith was checked against 180 degrees in 2018 (in GEOMETRIC_QUALITY), against 82 (L1C) and 70 (L2A) since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from processors.simulator.products.datastrip_metadata import (
    EPHEMERIS_QUALITY,
    Packets,
    is_refined,
    refining_residuals,
)
from processors.simulator.products.faults import Fault
from processors.simulator.products.spec import ProductSpec, iso_ms, iso_us

SUN_ZENITH_LIMIT_L2A = 70.0


@dataclass(frozen=True)
class Check:
    """One inspection; ``on_metadata`` tells whether it looked at the metadata file or at the whole folder."""

    id: str
    name: str
    message: str
    values: tuple[tuple[str, object], ...] = ()
    passed: bool = True
    on_metadata: bool = False


@dataclass(frozen=True)
class Report:
    """A report by its type, e.g. "GENERAL_QUALITY", for the datastrip or the tile."""

    type: str
    scope: str
    checks: tuple[Check, ...]

    @property
    def status(self) -> str:
        return "PASSED" if all(check.passed for check in self.checks) else "FAILED"


# -- what the checklists look at

_CHECK_METADATA = Check("checkMetadata", "Metadata file check. ", "Metadata file is present.")

_NO_INDEX = "No Index classification in product."

# (id, what is checked, message); {what} is the kind of the item in the manifest's terms
_STRUCTURE = (
    ("qualityInformationCategory", "Quality Information Category is correctly defined", _NO_INDEX),
    ("gridReferenceClassification", "Grid Reference Classification is correctly defined", _NO_INDEX),
    ("informationCategory", "Information Category is correctly defined",
     "Category ok for : S2_Level-1C_{what}_Information"),
    ("indexCategory", "Index Category is correctly defined", _NO_INDEX),
    ("informationClassification", "Information Classification is correctly defined",
     "Classification ok for : S2_Level-1C_{what}_Information"),
    ("frameSetClassification", "MeasurementFrameSet Classification is correctly defined",
     "Classification ok for : measurementFrameSet"),
    ("schemaCategory", "Schema Category is correctly defined",
     "Category ok for : S2_Level-1C_{what}_Schema, Inventory_Metadata_Schema, OLQC_Report_Schema"),
    ("acquisitionPeriodClassification", "Acquisition Period Classification is correctly defined",
     "Acquisition Period Classification is Ok."),
    ("processingCategory", "Processing Category is correctly defined", "Processing Category is Ok."),
    ("idReferences", "all the Id References defined in the product are valid",
     "All the Id References defined in the product are valid."),
    ("orbitReferenceCategory", "Orbit Reference Category is correctly defined",
     "Category ok for : measurementOrbitReference"),
    ("frameSetCategory", "MeasurementFrameSet Category is correctly defined", "Category ok for : measurementFrameSet"),
    ("qualityInformationClassification", "Quality Information Classification is correctly defined",
     _NO_INDEX),
    ("processingExists", "Processing metadata is present", "Processing exists."),
    ("acquisitionPeriodExists", "Acquisition Period is present", "Acquisition Period exists."),
    ("orbitReferenceClassification", "Orbit Reference Classification is correctly defined",
     "Classification ok for : measurementOrbitReference"),
    ("platformCategory", "Platform Category is correctly defined", "Platform Category is Ok."),
    ("gridReferenceCategory", "Grid Reference Category is correctly defined", _NO_INDEX),
    ("platformClassification", "Platform Classification is correctly defined", "Platform Classification is Ok."),
    ("annotationClassification", "Annotation Classification is correctly defined", _NO_INDEX),
    ("schemaClassification", "Schema Classification is correctly defined",
     "Classification ok for : S2_Level-1C_{what}_Schema, Inventory_Metadata_Schema, OLQC_Report_Schema"),
    ("indexClassification", "Index Classification is correctly defined", _NO_INDEX),
    ("extraData", "Extra Files are present in product directory", "No Extra Files found in product directory."),
    ("acquisitionPeriodCategory", "Acquisition Period Category is correctly defined",
     "Acquisition Period Category is Ok."),
    ("annotationCategory", "Annotation Category is correctly defined", _NO_INDEX),
    ("hrefExist", "all external references are present in the product directory",
     "All external references are present in the product directory."),
    ("processingClassification", "Processing Classification is correctly defined", "Processing Classification is Ok."),
)  # fmt: skip


def _structure(what: str) -> Iterator[Check]:
    for check_id, subject, message in _STRUCTURE:
        yield Check(check_id, f"Checks if {subject}. ", message.format(what=what))
    yield Check("checkSafeManifest", "Safe Manifest check. ", "Safe manifest present.")


def _metadata_check(check_id: str, name: str, message: str, *values: tuple[str, object], passed: bool = True) -> Check:
    return Check(check_id, name, message, values, passed, on_metadata=True)


def _schema_check() -> Check:
    return _metadata_check("schemaXmlValidator", "Schema Validator. ", "The schema validation passed successfully.")


# -- datastrip


def datastrip_reports(spec: ProductSpec, packets: Packets) -> list[Report]:
    """The five reports of the datastrip."""
    makers = (
        ("FORMAT_CORRECTNESS", _datastrip_format(spec)),
        ("GENERAL_QUALITY", _datastrip_general(spec, packets)),
        ("GEOMETRIC_QUALITY", _datastrip_geometric(spec)),
        ("RADIOMETRIC_QUALITY", _datastrip_radiometric(spec)),
        ("SENSOR_QUALITY", _datastrip_sensor(spec)),
    )
    return [Report(name, "datastrip", tuple(checks)) for name, checks in makers]


def _datastrip_format(spec: ProductSpec) -> Iterator[Check]:
    if spec.level == "L1C":
        yield from _structure("Datastrip")
    yield _metadata_check(
        "Start_Stop_Time",
        "Check start/stop time validity. ",
        "Sensing period is valid. ",
        ("SENSING_START", iso_ms(spec.datastrip_start)),
        ("SENSING_STOP", iso_ms(spec.datastrip_stop)),
    )
    if spec.level == "L2A":
        yield _schema_check()
    yield _CHECK_METADATA


def _packet_check(check_id: str, name: str, field: str, count: int) -> Check:
    passed = count == 0
    verdict = "does not exceed" if passed else "exceeds"
    message = f"{field} value {count} {verdict} the threshold (0) "
    return _metadata_check(check_id, name, message, (field, count), passed=passed)


def _datastrip_general(spec: ProductSpec, packets: Packets) -> Iterator[Check]:
    if spec.level == "L1C":
        yield _metadata_check(
            "List_Fake_Decompressed_Source_Frames",
            "Check list of fake decompressed sources frames  ",
            "Fake decompressed source frames are valid. ",
        )
    downlink = spec.absolute_orbit + 1
    recent = spec.era.has_offsets
    yield _metadata_check(
        "Orbit_Number_DOWNLINK" if recent else "Relative_Orbit_Number_DOWNLINK",
        "Check the consistency of downlink orbit number. ",
        f"Downlink Orbit number ({downlink}) is in range [{1 if recent else 0},99999] ",
        ("DOWNLINK_ORBIT_NUMBER", downlink),
    )
    yield _packet_check(
        "Degraded_Packets",
        "Check the number of degraded packets ",
        "NUMBER_OF_TOO_DEGRADED_PACKETS",
        packets.too_degraded,
    )
    if spec.level == "L1C":
        yield _metadata_check(
            "Processor_Version",
            "Check the processor version. ",
            f"Processor version is valid ({spec.baseline}) ",
            ("PROCESSOR_VERSION", spec.baseline),
        )
    yield _metadata_check(
        "Relative_Orbit_Number_SENSING",
        "Check the consistency of relative imaging orbit number. ",
        f"Sensing orbit number ({spec.orbit}) is in range {'[1,143]' if recent else '[0,99999]'} ",
        ("SENSING_ORBIT_NUMBER", spec.orbit),
    )
    yield _packet_check("Lost_Packets", "Check the number of lost packets ", "NUMBER_OF_LOST_PACKETS", packets.lost)
    yield _CHECK_METADATA


def _limit_check(check_id: str, name: str, what: str, value: float, limit: float, relation: str) -> Check:
    message = f"{what} is valid ({value}{relation}{limit}) "
    return _metadata_check(check_id, name, message, ("VALUE", value), ("EXPECTED", limit))


def _datastrip_geometric(spec: ProductSpec) -> Iterator[Check]:
    yield _limit_check(
        "Planimetric_Stability", "Check the planimetric stability value  ", "Planimetric stability", 3.0, 5.0, "<"
    )
    yield _limit_check(
        "Ephemeris_Quality",
        "Check the ephemeris quality value. ",
        "Ephemeris quality",
        float(EPHEMERIS_QUALITY),
        20.0 if spec.era.has_offsets else 9.0,
        "<=",
    )
    refining = "Check of the correctness of the Geometric Refining: "
    yield _metadata_check(
        "Geometric_Refining_Vnir_Swir_Registration",
        f"{refining}VNIR/SWIR Registration. ",
        "VNIR / SWIR bands have not been registered.",
    )
    yield _metadata_check(
        "Attitude_Quality_Indicator_Raw",
        "Check the admissibility of Raw Attitude Quality Indicator. ",
        "No wrong raw attitude indicators were found.",
    )
    yield _metadata_check(
        "Geometric_Refining_Spatio_Residual_Histograms",
        f"{refining}Spatio Residual Histograms. ",
        "Geometric Spatio Residual Histograms not computed.",
    )
    yield _limit_check(
        "Absolute_Location_Value", "Check the absolute Location value. ", "Absolute location", 20.0, 30.0, "<"
    )
    residuals = refining_residuals(spec).items() if is_refined(spec) else ()
    yield _metadata_check(
        "Geometric_Refining_Image_Refining",
        f"{refining}Image Refining. ",
        "Geometric image refining is correct." if is_refined(spec) else "Geometry of image has not been refined.",
        *((name, f"{value:.6f}") for name, value in residuals),
    )
    failed = Fault.FAILED_OLQC in spec.faults
    yield _metadata_check(
        "Attitude_Quality_Indicator_Corrected",
        "Check the admissibility of Corrected Attitude Quality Indicator. ",
        "3 wrong corrected attitude indicators were found." if failed else
        "No wrong corrected attitude indicators were found.",
        passed=not failed,
    )  # fmt: skip


def _datastrip_radiometric(spec: ProductSpec) -> Iterator[Check]:
    yield _metadata_check("EqualizationFlag", "Check EQUALIZATION_MODE ", "Equalization Mode is set to TRUE")
    if spec.level == "L1C":
        yield _metadata_check("SolarRadiance", "Check Solar Radiance ", "SOLAR RADIANCE is OK")
        yield _metadata_check("QuantificationValue", "Check QUANTIFICATION_VALUE ", "QUANTIFICATION_VALUE is OK")
    else:
        for kind in ("BOA", "AOT", "WVP"):
            subject = f"{kind} QUANTIFICATION_VALUE"
            yield _metadata_check(f"QuantificationValue{kind}", f"Check {subject} ", f"{subject} is OK")
    for check_id, subject in (
        ("Multi_Temporal", "Multi-Temporal Calibration Accuracy"),
        ("Cross_Band", "Cross Band Calibration Accuracy"),
        ("Absolute", "Absolute Calibration Accuracy"),
    ):
        yield _metadata_check(
            f"Radiometric_Quality_Indicators_{check_id}",
            f"Check on the Radiometric Quality Indicators : {subject}. ",
            f"{subject.capitalize()} is correct.",
        )
    yield _metadata_check("IntegrationTime", "Check INTEGRATION_TIME ", "INTEGRATION_TIME is OK")


def _datastrip_sensor(spec: ProductSpec) -> Iterator[Check]:
    yield _metadata_check("Degraded_SAD", "Check the consistency of relative orbit. ", "No Degraded SAD")
    model = "Check the correctness of the Datation model with"
    yield _metadata_check("Datation_Model_GPS_SYNC", f"{model} GPS_SYNC. ", "GPS is synchronized.")
    yield _metadata_check("Datation_Model_RMOY", f"{model} RMOY. ", "RMOY not found in dataset")
    yield _CHECK_METADATA


# -- tile


def tile_reports(spec: ProductSpec) -> list[Report]:
    """The four reports of the tile (L2A_QUALITY is made elsewhere)."""
    makers = (
        ("FORMAT_CORRECTNESS", _tile_format(spec)),
        ("GENERAL_QUALITY", _tile_general(spec)),
        ("GEOMETRIC_QUALITY", _tile_geometric(spec)),
        ("SENSOR_QUALITY", _tile_sensor(spec)),
    )
    return [Report(name, "granule", tuple(checks)) for name, checks in makers]


def _tile_format(spec: ProductSpec) -> Iterator[Check]:
    if spec.level == "L1C":
        yield from _structure("Tile")
    else:
        yield _schema_check()
    position = "Check of consistency of Tile Position by"
    yield _metadata_check("Tile_Position_Size", f"{position} Size. ", _size_message(spec))
    frame = [
        (f"{name}({gsd})", value)
        for gsd in (10, 20, 60)
        for name, value in (("ULX", spec.tile.ulx), ("ULY", spec.tile.uly), ("XDIM", gsd), ("YDIM", -gsd))
    ]
    yield _metadata_check(
        "Tile_Position_Geoposition", f"{position} Geoposition. ", "Tile geoposition is valid.", *frame
    )
    yield _CHECK_METADATA
    if spec.level == "L2A":
        yield Check("checkL2AMasks", "L2A Masks availability check. ", "All elements in QI_DATA are present.")
        yield Check("checkL2AImages", "L2A images availability check. ", "All bands are present.")
    elif spec.era.has_jp2_masks:
        yield Check("checkL1CMasks", "Masks availability check. ", "All elements in QI_DATA are present.")
    else:
        for kind in ("NoData", "Defect"):
            name = f"Check {kind.upper()} Mask for format correctness. "
            yield Check(f"Check{kind}MaskFormat", name, f"{kind.upper()} mask format is correct.")
    if spec.era.has_offsets:
        yield Check("Aux_Cams", "AUX_CAMS data conformity and completeness check  ", "AUX_CAMS file is present.")
    yield Check("Ecmwf", "ECMWF data conformity and completeness check  ", "ECMWF file is present.")
    if spec.level == "L1C":
        yield Check("PVI_and_TCI", "Check of consistency of PVI  ", "PVI file is consistent.")


def _size_message(spec: ProductSpec) -> str:
    if spec.is_full_size:
        return "Tile image size is between [90000.0,110000.0]."
    return f"Tile image size {spec.extent}.0 is that of a reduced simulated tile."


def _sun_zenith_check(spec: ProductSpec) -> Check:
    limit = SUN_ZENITH_LIMIT_L2A if spec.level == "L2A" else spec.era.sun_zenith_limit_l1c
    passed = spec.sun_zenith <= limit
    recent = spec.era.has_offsets
    relation = ("is within the threshold limit" if passed else "exceeds the threshold limit") if recent else (
        "is in the limit of the threshold" if passed else "is out of the limit of the threshold"
    )  # fmt: skip
    return _metadata_check(
        "Solar_Angle_Zenith",
        "Check the zenith solar angle. ",
        f"Zenith solar angle ({spec.sun_zenith}) {relation} ({limit}) ",
        ("EXPECTED", limit),
        ("SOLAR_ZENITH_ANGLE", spec.sun_zenith),
        passed=passed,
    )


def _tile_general(spec: ProductSpec) -> Iterator[Check]:
    yield _CHECK_METADATA
    if spec.era.has_offsets:
        yield _sun_zenith_check(spec)
    yield Check("Data_Loss", "Check TECQUA for data loss ", "No data loss in this tile.")


def _tile_geometric(spec: ProductSpec) -> Iterator[Check]:
    if not spec.era.has_offsets:
        yield _sun_zenith_check(spec)
    yield _metadata_check(
        "Solar_Angle_Azimuth",
        "Check the azimuth solar angle. ",
        f"Azimuth solar angle ({spec.sun_azimuth}) is in the limit of the threshold (360.0) ",
        ("EXPECTED", 360.0),
        ("SOLAR_AZIMUTH_ANGLE", spec.sun_azimuth),
    )
    for gsd in (60, 20, 10):
        yield Check(
            f"Granule_Dimensions_{gsd}m",
            f"Check the {gsd}m consistency of granules/tiles. ",
            f"{gsd}m resolution granules/tiles dimensions are correct.",
        )


def _tile_sensor(spec: ProductSpec) -> Iterator[Check]:
    yield _CHECK_METADATA
    if spec.level == "L1C":
        yield _metadata_check(
            "Missing_Lines", "Check the number of missing lines. ", "No missing lines ", ("MISSING_LINES", 0)
        )
    sensed = iso_us(spec.sensing_time) if spec.era.has_tile_sensing_time else iso_ms(spec.datastrip_start)
    yield _metadata_check(
        "Sensing_Time",
        "Check the consistency of the sensing time. ",
        "Sensing time is valid ",
        ("SENSING_TIME", sensed),
    )
    if spec.level == "L1C":
        yield _metadata_check(
            "Corrupted_ISP", "Check the consistency of the granules. ", "No Error detected. ", ("CORRUPTED_ISP", 0)
        )
