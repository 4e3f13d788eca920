"""What the pass over the pixels finds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mpc.msi.bands import BANDS
from mpc.msi.images import Transform
from qc.checks.previews import Frame
from qc.statistics import BandStatistics, DetectorStep

BAND_NAMES = tuple(band.name for band in BANDS)
PVI = "PVI"
PICTURE_BANDS = ("B02", "B03", "B04")


@dataclass(frozen=True)
class FootprintFacts:
    """What a detector footprint holds, and how it agrees with the image of its band.

    ``values`` are those found in the mask; ``valid_outside`` counts pixels with data where no detector is named,
    ``nodata_inside`` pixels without data inside a detector; both are None when there was no image to compare with.
    """

    tile: str
    band: str
    path: str
    format: str
    problem: str
    values: tuple[int, ...]
    pixels: int = 0
    valid_outside: int | None = None
    nodata_inside: int | None = None


@dataclass(frozen=True)
class ImageFacts:
    """What one image turned out to be. ``problems`` says why it could not be read in full; empty when it was.

    ``shape`` is (rows, columns), ``transform`` the geotransform (a, b, c, d, e, f), ``format`` the file's own by its
    first bytes ("jp2", "tiff", ...), whatever its name says. ``reduced`` says that the image was decoded at a lower
    resolution only, because its digest and its codestream had proved it whole (see :mod:`qc.checks.pixels.granule`).
    """

    tile: str
    name: str
    resolution: int
    path: str
    size: int
    shape: tuple[int, int] | None = None
    layers: int = 0
    dtype: str = ""
    epsg: int | None = None
    transform: Transform | None = None
    format: str = ""
    problems: tuple[str, ...] = ()
    reduced: bool = False
    statistics: BandStatistics | None = None
    steps: tuple[DetectorStep, ...] = ()
    classes: dict[int, int] | None = None

    @property
    def label(self) -> str:
        """For people: "B02 10 m"."""
        return f"{self.name} {self.resolution} m"


@dataclass
class Pictures:
    """Small versions of one granule's images, on ``frame``. Absent ones are None or not in ``bands``."""

    tile: str
    frame: Frame | None = None
    colour: np.ndarray | None = None
    colour_source: str = ""
    bands: dict[str, np.ndarray] = field(default_factory=dict)
    nodata: np.ndarray | None = None
    detectors: np.ndarray | None = None
    mask_band: str = ""

    def add(self, seen: Seen) -> None:
        """Keep what is wanted of one image. Call it in the order of the images, whichever was decoded first."""
        name = seen.facts.name
        if seen.colour is not None and self.colour is None:
            self.colour, self.colour_source = seen.colour, name
        if seen.mean is not None and name not in self.bands:
            self.bands[name] = seen.mean
        # One band speaks for the masks: B02 where it is there, since its pixels are the finest.
        better = self.mask_band in ("", name) or (name == "B02" and seen.detectors is not None)
        if seen.nodata is not None and better:
            self.mask_band = name
            self.nodata = seen.nodata
            if seen.detectors is not None:
                self.detectors = seen.detectors


@dataclass(frozen=True)
class Seen:
    """What was taken from one image; the small pictures are on the granule's frame, or None."""

    facts: ImageFacts
    footprint: FootprintFacts | None = None
    colour: np.ndarray | None = None
    mean: np.ndarray | None = None
    nodata: np.ndarray | None = None
    detectors: np.ndarray | None = None


@dataclass(frozen=True)
class PixelFacts:
    """All that the pass over the pixels of a product found."""

    images: tuple[ImageFacts, ...]
    footprints: tuple[FootprintFacts, ...]
    pictures: tuple[Pictures, ...]


@dataclass(frozen=True)
class PixelOptions:
    """What the pass shall do; ``threads`` is how many it may use in all."""

    statistics: bool = True
    pictures: bool = True
    threads: int = 1
