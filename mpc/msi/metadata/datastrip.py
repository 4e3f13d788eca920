"""Reader of datastrip metadata (``MTD_DS.xml``, ``S2B_OPER_MTD_L1C_DS_..xml``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpc.msi.metadata.common import Facts
from mpc.msi.records import REFINED, REFINING_FAILED, REFINING_NOT_TRIED, DatastripMetadata, PacketLoss
from mpc.msi.xmlio import local_name

_PROCESSING_FLAGS = (
    "SWIR_REARRANGEMENT_PROC",
    "CROSSTALK_OPTICAL_PROC",
    "CROSSTALK_ELECTRONIC_PROC",
    "REMOVE_BLIND_PIXELS_PROC",
    "DEFECTIVE_PIXELS_PROC",
    "BINNING_PROC",
    "PIXELS_NO_DATA_PROC",
    "SATURATED_PIXELS_PROC",
)
_RESIDUALS = ("X_MEAN", "Y_MEAN", "X_STDV", "Y_STDV")
_MAX_KEYS = 1000


def read_datastrip_metadata(
    data: bytes, *, problems: list[str] | None = None, what: str = "datastrip metadata"
) -> DatastripMetadata:
    """The facts of a datastrip, L0 to L2A.

    They stand in ``General_Info``, ``Image_Data_Info`` (granules or tiles, configuration, radiometry, refining),
    ``Quality_Indicators_Info`` and ``Auxiliary_Data_Info``; the gains of the bands in ``Image_Data_Info/
    Sensor_Configuration``. Time series of the satellite are not read here.

    Args:
        data: the file.
        problems: gets a line for each value that cannot be true.
        what: name of the file for messages.

    Raises:
        XmlProblem: not XML, or refused.
        MetadataProblem: the root is not ``Level-.._DataStrip_ID``.
    """
    facts = Facts(data, what=what, kind="datastrip", suffix="DataStrip_ID", problems=problems)
    info = facts.find("General_Info")
    info = facts.root.makeelement("absent") if info is None else info
    datatake_id, absolute_orbit = facts.datatake(facts.find("Datatake_Info", base=info))
    sensor = facts.find("Image_Data_Info/Sensor_Configuration")
    auxiliary = facts.find("Auxiliary_Data_Info")
    parameters = _refining_parameters(facts, info)
    residuals = _residuals(facts)
    return DatastripMetadata(
        root=facts.name,
        namespace=facts.namespace,
        datastrip_id=facts.text("DATASTRIP_ID", "DATASTRIP_ID_2A", base=info) or "",
        level=facts.level,
        baseline=facts.baseline("Processing_Info/PROCESSING_BASELINE", base=info),
        spacecraft=facts.text("Datatake_Info/SPACECRAFT_NAME", base=info),
        datatake_id=datatake_id,
        datatake_type=facts.text("Datatake_Info/DATATAKE_TYPE", base=info),
        datatake_start=facts.time("Datatake_Info/DATATAKE_SENSING_START", base=info),
        relative_orbit=facts.integer("Datatake_Info/SENSING_ORBIT_NUMBER", base=info, low=1, high=143),
        absolute_orbit=absolute_orbit,
        sensing_start=facts.time("Datastrip_Time_Info/DATASTRIP_SENSING_START", base=info),
        sensing_stop=facts.time("Datastrip_Time_Info/DATASTRIP_SENSING_STOP", base=info),
        generation_time=facts.time("Processing_Info/UTC_DATE_TIME", base=info),
        reception_station=facts.text("Downlink_Info/RECEPTION_STATION", base=info),
        processing_center=facts.text("Processing_Info/PROCESSING_CENTER", base=info),
        radiometry=facts.radiometry(facts.find("Image_Data_Info/Radiometric_Info"), sensor),
        packets=_packets(facts, sensor),
        refining=_refining(facts, parameters, residuals),
        refining_parameters=parameters,
        configuration=dict(_configuration(facts, sensor)),
        degraded_anc=facts.percentage("Quality_Indicators_Info/DEGRADED_ANC_DATA_PERCENTAGE"),
        gipps=facts.gipps(auxiliary),
        auxiliary=facts.auxiliary(auxiliary),
        granule_ids=tuple(_granule_ids(facts)),
        refining_residuals=residuals,
        refined_corrections=dict(_corrections(facts)),
    )


def _packets(facts: Facts, sensor: Any | None) -> PacketLoss:
    summary = None if sensor is None else facts.find("Source_Packet_Description/Degradation_Summary", base=sensor)
    if summary is None:
        return PacketLoss(None, None, None, None)
    percentage = facts.attribute(summary, "degradationPercentage")
    return PacketLoss(
        lost=facts.integer("NUMBER_OF_LOST_PACKETS", base=summary),
        too_degraded=facts.integer("NUMBER_OF_TOO_DEGRADED_PACKETS", base=summary),
        kept_degraded=facts.integer("NUMBER_OF_KEPT_DEGRADED_PACKETS", base=summary),
        degradation_percentage=facts.judge(
            "Degradation_Summary/@degradationPercentage", percentage, low=0, high=100, unit="%"
        ),
    )


def _refining_parameters(facts: Facts, info: Any) -> dict[str, str]:
    """``key=value;`` pairs in an element inside one of the same name; what is not of the refining is left out."""
    values: dict[str, str] = {}
    for item in facts.all(".//PROCESSING_SPECIFIC_PARAMETERS", info):
        for pair in (item.text or "").split(";")[:_MAX_KEYS]:
            key, sign, value = pair.strip().partition("=")
            if sign and key.startswith("REF_") and len(pair) < 200:
                values.setdefault(key, value.strip())
    return values


def _residuals(facts: Facts) -> dict[str, float]:
    path = "Quality_Indicators_Info/Geometric_Info/Geometric_Refining_Quality/Image_Refining/Correlation_Quality"
    element = facts.find(f"{path}/Global_Residual")
    if element is None:
        return {}
    values = {name: facts.number(name, base=element, low=-1e5, high=1e5, unit="m") for name in _RESIDUALS}
    return {name: value for name, value in values.items() if value is not None}


def _refining(facts: Facts, parameters: dict[str, str], residuals: dict[str, float]) -> str | None:
    """The flag says whether; figures of the attempt say whether anybody tried. Up to 02.06 there was no flag."""
    geometric = facts.find("Image_Data_Info/Geometric_Info")
    if geometric is None:
        return None
    element = facts.find("Image_Refining", base=geometric)
    flag = None if element is None else facts.attribute(element, "flag")
    if flag == "REFINED":
        return REFINED
    if flag not in (None, "NOT_REFINED"):
        facts.doubt("Image_Refining/@flag", flag, "neither REFINED nor NOT_REFINED")
        return None
    if element is not None and flag is None:
        return None
    return REFINING_FAILED if parameters or residuals else REFINING_NOT_TRIED


def _corrections(facts: Facts) -> Iterator[tuple[str, str]]:
    """Coefficients of the polynomials by their place, ("MSI_State/Rotation/X", "2.9e-06 -3.9e-08")."""
    refined = facts.find("Image_Data_Info/Geometric_Info/Refined_Corrections_List/Refined_Corrections")
    if refined is None:
        return
    for item in refined.iter("{*}COEFFICIENTS"):
        text = facts.text_of(item)
        if text is None:
            continue
        names: list[str] = []
        around = item.getparent()
        while around is not None and around is not refined:
            focal_plane = around.get("focalPlaneId")
            names.append(local_name(around) + (f"[{focal_plane[:20]}]" if focal_plane else ""))
            around = around.getparent()
        yield "/".join(reversed(names)), text


def _configuration(facts: Facts, sensor: Any | None) -> Iterator[tuple[str, str]]:
    if sensor is not None:
        for name in ("COMPRESS_MODE", "EQUALIZATION_MODE", "NUC_TABLE_ID"):
            yield from _stated(facts, name, f"Acquisition_Configuration/{name}", sensor)
        for item in facts.all("Acquisition_Configuration/TDI_Configuration_List/TDI_CONFIGURATION", sensor):
            band, text = facts.band(item), facts.text_of(item)
            if band and text:
                yield f"TDI_CONFIGURATION {band}", text
        for item in facts.all("Acquisition_Configuration/Spectral_Band_Info/Spectral_Band_Information", sensor):
            if band := facts.band(item):
                for name in ("COMPRESSION_RATE", "INTEGRATION_TIME"):
                    yield from _stated(facts, f"{name} {band}", name, item)
        yield from _stated(facts, "LINE_PERIOD", "Time_Stamp/LINE_PERIOD", sensor)
        yield from _stated(facts, "GPS_SYNC", "Time_Stamp/GPS_SYNC", sensor)
    radiometric = facts.find("Image_Data_Info/Radiometric_Info")
    if radiometric is not None:
        for name in _PROCESSING_FLAGS:
            yield from _stated(facts, name, name, radiometric)
        for name in ("Equalization", "Restoration"):
            element = facts.find(name, base=radiometric)
            processed = None if element is None else facts.attribute(element, "processed")
            if processed:
                yield f"{name}/@processed", processed
    yield from _stated(facts, "RGM", "Image_Data_Info/Geometric_Info/RGM", facts.root)


def _stated(facts: Facts, key: str, path: str, base: Any) -> Iterator[tuple[str, str]]:
    text = facts.text(path, base=base)
    if text is not None:
        yield key, text


def _granule_ids(facts: Facts) -> Iterator[str]:
    for path, attribute in (
        ("Image_Data_Info/Granules_Information/Detector_List/Detector/Granule_List/Granule", "granuleId"),
        ("Image_Data_Info/Tiles_Information/Tile_List/Tile", "tileId"),
    ):
        for item in facts.all(path):
            text = facts.attribute(item, attribute)
            if text:
                yield text
