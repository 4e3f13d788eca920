"""What the metadata of a product says, as plain records.

``None`` means that the file does not say; it never means zero. Angles are degrees, times are aware (UTC).
Where each fact stands in the files is told in the docstrings of :mod:`mpc.msi.metadata`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


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
    """How counts become reflectance (L1C, L2A) or radiance (L1B). Keys of the mappings are band names ("B01".."B12", "B8A")."""

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
    """MTD_MSIL1C / MTD_MSIL2A (user product)."""

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
    """MTD_TL (tile, L1C or L2A)."""

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


@dataclass(frozen=True)
class PacketLoss:
    lost: int | None
    too_degraded: int | None
    kept_degraded: int | None
    degradation_percentage: float | None


@dataclass(frozen=True)
class DatastripMetadata:
    """MTD_DS (datastrip, L1A to L2A)."""

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


@dataclass(frozen=True)
class OlqcCheck:
    """One inspection of a report. ``values`` are the extra values by name, as text."""

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
