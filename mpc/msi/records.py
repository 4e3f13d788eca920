"""What the metadata of a product says, as plain records.

``None`` means that the file does not say; it never means zero. Angles are degrees, times are aware (UTC).
Where each fact stands in the files is told in the docstrings of :mod:`mpc.msi.metadata`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

REFINED = "refined"
REFINING_FAILED = "failed"
REFINING_NOT_TRIED = "not_tried"
REFINING_STATES = (REFINED, REFINING_FAILED, REFINING_NOT_TRIED)
"""Geometric refinement of a datastrip: done; tried without success (figures stand, the flag says no); not tried."""

_SPACECRAFT = {f"Sentinel-2{letter}": f"S2{letter}" for letter in "ABCD"}


def unit_of(spacecraft: str | None) -> str | None:
    """``S2A`` for "Sentinel-2A"; None for a name that is none of theirs."""
    return _SPACECRAFT.get(spacecraft or "")


@dataclass(frozen=True)
class Gipp:
    """One entry of ``Auxiliary_Data_Info/GIPP_List``."""

    name: str
    type: str
    version: str


@dataclass(frozen=True)
class QualityFlag:
    """One entry of the product's own ``Quality_Inspections``: e.g. ("SENSOR_QUALITY", "PASSED")."""

    name: str
    status: str


@dataclass(frozen=True)
class Radiometry:
    """How counts become reflectance (L1C, L2A) or radiance (L1B). Keys of mappings are names of bands ("B01", "B8A").

    Attributes:
        quantification: counts for a reflectance of 1 (``QUANTIFICATION_VALUE``; at L2A ``BOA_QUANTIFICATION_VALUE``).
        aot_quantification: counts for an aerosol optical thickness of 1.
        wvp_quantification: counts for 1 cm of water vapour.
        offsets: added to counts (``RADIO_ADD_OFFSET``, ``BOA_ADD_OFFSET``); empty where the file lists none.
        u: square of 1 au over the distance of the Sun.
        solar_irradiance: W m-2 um-1.
        physical_gains: counts per W m-2 sr-1 um-1.
        special_values: counts that are no measurement, by name ("NODATA", "SATURATED").
    """

    quantification: float | None = None
    aot_quantification: float | None = None
    wvp_quantification: float | None = None
    offsets: dict[str, float] = field(default_factory=dict)
    u: float | None = None
    solar_irradiance: dict[str, float] = field(default_factory=dict)
    physical_gains: dict[str, float] = field(default_factory=dict)
    special_values: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ProductMetadata:
    """MTD_MSIL1C / MTD_MSIL2A (user product).

    Attributes:
        root: local name of the root element.
        product_uri: as written ("" if absent); old products leave ".SAFE" out.
        level: "L0", "L1A", "L1B", "L1C" or "L2A".
        baseline: "05.09".
        spacecraft: as written, "Sentinel-2A"; :attr:`unit` is "S2A".
        datatake_id: as written, ``GS2A_20180629T000241_015757_N02.06``.
        absolute_orbit: out of ``datatake_id``, the only place that has it.
        relative_orbit: ``SENSING_ORBIT_NUMBER``.
        image_files: without suffix, in the order of the file.
        footprint: (longitude, latitude) in degrees in the order of the file, as a rule closed; empty if absent.
        cloud_cover, snow_cover, degraded_anc, degraded_msi: per cent.
        failed_reports: names of OLQC reports with failed inspections.
        auxiliary: by element name (``ECMWF_DATA_REF``, ``GRI_FILENAME`` ..); several values are parted by blanks.
        content: percentages and means of ``Image_Content_QI`` by element name (L2A).
    """

    root: str
    namespace: str
    product_uri: str
    level: str
    baseline: str | None
    generation_time: datetime | None
    product_start_time: datetime | None
    spacecraft: str | None
    datatake_id: str | None
    datatake_type: str | None
    datatake_start: datetime | None
    relative_orbit: int | None
    orbit_direction: str | None
    absolute_orbit: int | None
    image_files: tuple[str, ...]
    datastrip_ids: tuple[str, ...]
    granule_ids: tuple[str, ...]
    radiometry: Radiometry
    footprint: tuple[tuple[float, float], ...]
    cloud_cover: float | None
    snow_cover: float | None
    degraded_anc: float | None
    degraded_msi: float | None
    quality_flags: tuple[QualityFlag, ...]
    failed_reports: tuple[str, ...]
    gipps: tuple[Gipp, ...]
    auxiliary: dict[str, str]
    doi: str | None = None
    content: dict[str, float] = field(default_factory=dict)

    @property
    def unit(self) -> str | None:
        """``S2A`` .. ``S2D``, if the spacecraft's name is one of theirs."""
        return unit_of(self.spacecraft)


@dataclass(frozen=True)
class Grid:
    """Raster frame of one resolution in the tile metadata: upper left corner in metres of the tile's projection."""

    resolution: int
    rows: int
    columns: int
    ulx: float
    uly: float
    xdim: float
    ydim: float


@dataclass(frozen=True)
class ViewAngles:
    zenith: float
    azimuth: float


@dataclass(frozen=True)
class TileMetadata:
    """MTD_TL (tile, L1C or L2A).

    Attributes:
        tile_id: as written ("" if absent).
        sensing_time: of the tile; up to baseline 02.06 it repeats the start of the datastrip.
        epsg: 32601..32660 or 32701..32760.
        grids: by resolution in metres.
        sun_zenith, sun_azimuth: mean over the tile.
        view_angles: mean over the tile by band name.
        detectors: numbers of the detectors that see the tile by band name, ascending; empty without angle grids.
        cloud_percentage, snow_percentage, degraded_msi, nodata_percentage: per cent; the last at L2A only.
        content: every number of ``Image_Content_QI`` by element name.
        mask_files: ("MSK_DETFOO", path) in the order of the file.
        level: "L1C" or "L2A".
    """

    root: str
    namespace: str
    tile_id: str
    datastrip_id: str | None
    downlink_priority: str | None
    sensing_time: datetime | None
    archiving_time: datetime | None
    epsg: int | None
    grids: dict[int, Grid]
    sun_zenith: float | None
    sun_azimuth: float | None
    view_angles: dict[str, ViewAngles]
    detectors: dict[str, tuple[int, ...]]
    cloud_percentage: float | None
    snow_percentage: float | None
    degraded_msi: float | None
    nodata_percentage: float | None
    content: dict[str, float]
    mask_files: tuple[tuple[str, str], ...]
    pvi_file: str | None
    level: str = ""


@dataclass(frozen=True)
class PacketLoss:
    """Source packets of the datastrip: counts, and per cent of degradation."""

    lost: int | None
    too_degraded: int | None
    kept_degraded: int | None
    degradation_percentage: float | None


@dataclass(frozen=True)
class DatastripMetadata:
    """MTD_DS (datastrip, L0 to L2A).

    Attributes:
        datastrip_id: "" where the file has none, which is the rule: it stands in folder names and in tile metadata.
        level, baseline, spacecraft, datatake_id, absolute_orbit, relative_orbit: as in :class:`ProductMetadata`.
        generation_time: ``UTC_DATE_TIME`` of the processing, which in early reprocessings is not the true time.
        refining: one of :data:`REFINING_STATES`; None when the file has no geometric section.
        refining_parameters: the ``REF_*`` figures of the processing as written.
        refining_residuals: global residuals in metres (``X_MEAN``, ``Y_MEAN``, ``X_STDV``, ``Y_STDV``); empty if none.
        refined_corrections: polynomials as written, by place ("MSI_State/Rotation/X"): coefficients in rad and rad/s.
        configuration: settings of the instrument and radiometric processing flags as written, by element name and,
            where there is one for each band, the band ("TDI_CONFIGURATION B03").
        granule_ids: granules (L0 to L1B) or tiles.
    """

    root: str
    namespace: str
    datastrip_id: str
    level: str
    baseline: str | None
    spacecraft: str | None
    datatake_id: str | None
    datatake_type: str | None
    datatake_start: datetime | None
    relative_orbit: int | None
    absolute_orbit: int | None
    sensing_start: datetime | None
    sensing_stop: datetime | None
    generation_time: datetime | None
    reception_station: str | None
    processing_center: str | None
    radiometry: Radiometry
    packets: PacketLoss
    refining: str | None
    refining_parameters: dict[str, str]
    configuration: dict[str, str]
    degraded_anc: float | None
    gipps: tuple[Gipp, ...]
    auxiliary: dict[str, str]
    granule_ids: tuple[str, ...]
    refining_residuals: dict[str, float] = field(default_factory=dict)
    refined_corrections: dict[str, str] = field(default_factory=dict)

    @property
    def unit(self) -> str | None:
        """``S2A`` .. ``S2D``, if the spacecraft's name is one of theirs."""
        return unit_of(self.spacecraft)


@dataclass(frozen=True)
class OlqcCheck:
    """One inspection of a report. ``values`` are the extra values by name, as text.

    The checks of L2A_QUALITY have no inspection: their id is made of the check list and their place in it
    ("ATMOSPHERIC_CORRECTION_QUALITY.2"), their name is the check list's, and their status is "".
    """

    id: str
    name: str
    status: str
    message: str
    processing_status: str = ""
    item: str = ""
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OlqcReport:
    """One on-line quality control report (or L2A_QUALITY), as written.

    ``scope`` is "datastrip", "granule" or "product". ``problem`` says why a report could not be read, or how it
    misses its schema; ``readable`` is False when nothing could be taken from it.

    Attributes:
        report: "FORMAT_CORRECTNESS", "L2A_QUALITY" ..
        item: name of what was inspected.
        status: ``globalStatus`` as written (PASSED, FAILED, ERROR); "ERROR" if it could not be read.
        version: of the check list.
        checklist: name of the check list, or of several, parted by blanks.
        parent: the GIP_OLQCPA that the check list is from.
        gipp_version: as written in the report.
        software: what made the report ("OLQC-SC 05.01.00").
    """

    report: str
    scope: str
    item: str
    path: str
    status: str
    version: str
    checklist: str
    parent: str
    date: datetime | None
    checks: tuple[OlqcCheck, ...]
    readable: bool = True
    schema_valid: bool | None = None
    problem: str = ""
    gipp_version: str = ""
    software: str = ""
