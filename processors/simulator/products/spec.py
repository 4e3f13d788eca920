"""What a simulated product shall be: one frozen specification, and all the names that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from processors.simulator import instrument
from processors.simulator.products.era import Era, era_of
from processors.simulator.products.faults import Fault

FULL_SIZE_10M = 10980
"""Rows and columns of a full tile at 10 m."""


@dataclass(frozen=True)
class Tile:
    """An MGRS tile: name without "T", EPSG code of its UTM zone, upper left corner in metres."""

    name: str
    epsg: int
    ulx: int
    uly: int


T32TNM = Tile("32TNM", 32632, 499980, 4700040)
T34UCF = Tile("34UCF", 32634, 300000, 6100020)
T56JMM = Tile("56JMM", 32756, 399960, 6700000)


@dataclass(frozen=True)
class ProductSpec:
    """A product to write. All times are UTC.

    A reduced product (``size_10m`` below 10980) keeps the true ground sampling of 10, 20 and 60 m and covers a
    smaller ground area from the tile's upper left corner: sizes, positions and metadata agree with one another, and
    the detectors are made narrower so that the tile still shows four to seven of them.

    Attributes:
        unit: "S2A".."S2D". S2C and S2D exist from baseline 05.11 on: older schema sets do not know them.
        level: "L1C" or "L2A" (L2A from baseline 04.00).
        baseline: "02.04".."05.13".
        start: start of the datatake, to the second or millisecond.
        absolute_orbit, relative_orbit: the relative orbit follows from the absolute one when left out.
        generation: generation time; it is also the discriminator of the name, unless ``discriminator`` is given.
        site: four characters of the processing centre; left out it is "2BPS" from baseline 04.00 on and "SGS_" before.
        cloud_cover: wanted part of opaque clouds in percent of the valid pixels; the truth says what came out.
        sun_zenith, sun_azimuth: degrees at the centre of the tile.
        size_10m: rows and columns of the 10 m bands, a multiple of 6.
        nodata_fraction: part of the tile beyond the swath's western edge, 0..0.9.
        saturated_pixels: pixels of each reflectance band set to 65535 (L1C and L2A alike).
        gain_steps: extra relative gain by (band, detector), e.g. ``{("B11", 7): 1.004}``.
        seed: noise, clouds and planted pixels; the ground itself depends on the tile only.
        faults: what shall be wrong.
    """

    unit: str = "S2B"
    level: str = "L1C"
    baseline: str = "05.11"
    start: datetime = datetime(2026, 9, 14, 10, 20, 29, 24000, tzinfo=UTC)
    absolute_orbit: int = 49_500
    relative_orbit: int | None = None
    tile: Tile = T32TNM
    generation: datetime | None = None
    discriminator: datetime | None = None
    site: str = ""
    reception_station: str = "SGS_"
    cloud_cover: float = 8.0
    sun_zenith: float = 41.0
    sun_azimuth: float = 158.0
    size_10m: int = 360
    nodata_fraction: float = 0.0
    saturated_pixels: int = 0
    gain_steps: Mapping[tuple[str, int], float] = field(default_factory=dict)
    seed: int = 1
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        era = era_of(self.baseline)
        if not self.site:
            object.__setattr__(self, "site", "2BPS" if era.has_offsets else "SGS_")
        if self.unit not in instrument.UNITS:
            raise ValueError(f"there is no unit {self.unit!r}; units are {', '.join(instrument.UNITS)}")
        if self.level not in ("L1C", "L2A"):
            raise ValueError(f"level {self.level!r} is not simulated; take 'L1C' or 'L2A'")
        if self.level == "L2A" and not era.has_jp2_masks:
            raise ValueError(f"L2A products are simulated from baseline 04.00 on, not for {self.baseline}")
        if self.unit in ("S2C", "S2D") and era.psd != "15.0":
            raise ValueError(f"{self.unit} is not known to the format of baseline {self.baseline}; take 05.11 or later")
        if self.size_10m % 6 or not 60 <= self.size_10m <= FULL_SIZE_10M:
            raise ValueError(f"size_10m is {self.size_10m}; it must be a multiple of 6 from 60 to {FULL_SIZE_10M}")
        if self.start.tzinfo is None:
            raise ValueError("the start of the datatake needs a time zone (UTC)")
        if not 0 <= self.nodata_fraction <= 0.9:
            raise ValueError(f"nodata_fraction is {self.nodata_fraction}; it must lie in 0..0.9")

    @property
    def era(self) -> Era:
        return era_of(self.baseline)

    @property
    def is_full_size(self) -> bool:
        return self.size_10m == FULL_SIZE_10M

    def pixels(self, gsd: int) -> int:
        """Rows and columns of the grid with this ground sampling distance."""
        return self.size_10m * 10 // gsd

    @property
    def extent(self) -> int:
        """Side of the covered square in metres."""
        return self.size_10m * 10

    @property
    def orbit(self) -> int:
        """The relative orbit."""
        if self.relative_orbit is not None:
            return self.relative_orbit
        return instrument.relative_orbit(self.unit, self.absolute_orbit, self.start)

    # -- times

    @property
    def datastrip_start(self) -> datetime:
        """A few seconds before the nominal start of the datatake, as in real datastrips."""
        return self.start - timedelta(seconds=3, milliseconds=568)

    @property
    def datastrip_stop(self) -> datetime:
        return self.datastrip_start + timedelta(seconds=14, milliseconds=117)

    @property
    def sensing_time(self) -> datetime:
        """Mean sensing time of the tile."""
        return self.datastrip_start + timedelta(seconds=6, microseconds=271949)

    @property
    def generated(self) -> datetime:
        """Generation time, whole seconds."""
        return (self.generation or self.start + timedelta(hours=2, minutes=6)).replace(microsecond=0)

    # -- names

    @property
    def name(self) -> str:
        """Name of the product with .SAFE."""
        compact = self.baseline.replace(".", "")
        return (
            f"{self.unit}_MSI{self.level}_{stamp(self.start)}_N{compact}_R{self.orbit:03d}_T{self.tile.name}"
            f"_{stamp(self.discriminator or self.generated)}.SAFE"
        )

    @property
    def datatake_id(self) -> str:
        return f"G{self.unit}_{stamp(self.start)}_{self.absolute_orbit:06d}_N{self.baseline}"

    @property
    def datastrip_id(self) -> str:
        return self.datastrip_id_of(self.level)

    def datastrip_id_of(self, level: str) -> str:
        return (
            f"{self.unit}_OPER_MSI_{level}_DS_{self.site}_{stamp(self.generated)}_S{stamp(self.datastrip_start)}"
            f"_N{self.baseline}"
        )

    @property
    def datastrip_folder(self) -> str:
        return f"DS_{self.site}_{stamp(self.generated)}_S{stamp(self.datastrip_start)}"

    @property
    def tile_id(self) -> str:
        return self.tile_id_of(self.level)

    def tile_id_of(self, level: str) -> str:
        return (
            f"{self.unit}_OPER_MSI_{level}_TL_{self.site}_{stamp(self.generated)}_A{self.absolute_orbit:06d}"
            f"_T{self.tile.name}_N{self.baseline}"
        )

    @property
    def granule_folder(self) -> str:
        return f"{self.level}_T{self.tile.name}_A{self.absolute_orbit:06d}_{stamp(self.datastrip_start)}"

    @property
    def image_prefix(self) -> str:
        """What the names of images begin with."""
        return f"T{self.tile.name}_{stamp(self.start)}"


def stamp(when: datetime) -> str:
    """20260914T102029"""
    return when.strftime("%Y%m%dT%H%M%S")


def iso_ms(when: datetime) -> str:
    """2026-09-14T10:20:29.024Z"""
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def iso_us(when: datetime) -> str:
    """2026-09-14T10:20:29.024000Z"""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
