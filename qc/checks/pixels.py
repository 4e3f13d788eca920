"""The one pass over the pixels of a product.

Every image is decoded once and whole. While it is in memory everything that needs its pixels is taken from it: whether
it could be read, its frame, its histogram by detector and its small version for the pictures. Then it is let go, so
that a run holds one band and its detector footprint at a time (360 MB for 10 m).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from mpc.msi.bands import BANDS, TILE_PIXELS, band_by_name
from mpc.msi.images import ImageRead, Transform, describe_image, read_image
from mpc.msi.masks import FootprintMask, detector_footprint
from mpc.msi.records import Grid, Radiometry, TileMetadata
from mpc.msi.safe import GranuleParts, SafeProduct
from qc.checks.previews import Frame, block_any, block_mean, bounds_of, frame_for, same_ground, sample
from qc.checks.structure import check_structure
from qc.statistics import (
    LEVELS,
    NO_DATA,
    SATURATED,
    BandStatistics,
    DetectorStep,
    band_statistics,
    class_counts,
    detector_steps,
    histogram_by_detector,
)

_log = logging.getLogger(__name__)

BAND_NAMES = tuple(band.name for band in BANDS)
SCENE_CLASSES = range(12)
"""Values of the scene classification of L2A: 0 no-data to 11 snow or ice."""

LARGEST_SIDE = TILE_PIXELS[10]
"""Rows or columns of the largest image of a tile."""

PVI = "PVI"
PVI_RESOLUTION = 320
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
    first bytes ("jp2", "tiff", ...), whatever its name says.
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


@dataclass(frozen=True)
class PixelFacts:
    """All that the pass over the pixels of a product found."""

    images: tuple[ImageFacts, ...]
    footprints: tuple[FootprintFacts, ...]
    pictures: tuple[Pictures, ...]


@dataclass(frozen=True)
class PixelOptions:
    statistics: bool = True
    pictures: bool = True
    threads: int = 1


def images_of(granule: GranuleParts) -> list[tuple[str, int, str]]:
    """All images of a granule as (name, resolution, path): bands in their order, native resolution first."""
    order = {name: index for index, name in enumerate((*BAND_NAMES, "TCI", "SCL", "AOT", "WVP"))}
    found = sorted(
        granule.images.items(), key=lambda item: (order.get(item[0][0], len(order)), _distance(*item[0]), item[0][1])
    )
    listed = [(name, resolution, path) for (name, resolution), path in found]
    if granule.pvi:
        listed.append((PVI, PVI_RESOLUTION, granule.pvi))
    return listed


def preferred_resolution(granule: GranuleParts, name: str) -> int | None:
    """The resolution at which an image's statistics are kept: the band's own where it is there, else the finest."""
    there = sorted(
        (resolution for image, resolution in granule.images if image == name),
        key=lambda resolution: (_distance(name, resolution), resolution),
    )
    return there[0] if there else None


def read_pixels(
    safe: SafeProduct,
    tiles: tuple[TileMetadata | None, ...],
    radiometry: Radiometry | None,
    options: PixelOptions,
    progress: Callable[[float, str], None],
) -> PixelFacts:
    """Decode every image of every granule once. ``tiles`` runs along ``safe.granules``.

    Never raises because of what an image holds: that becomes a problem of its :class:`ImageFacts`.
    """
    images: list[ImageFacts] = []
    footprints: list[FootprintFacts] = []
    pictures: list[Pictures] = []
    number = sum(len(images_of(granule)) for granule in safe.granules)
    for granule, tile in zip(safe.granules, tiles, strict=True):
        reader = _GranuleReader(safe, granule, tile, radiometry, options)
        for name, resolution, path in images_of(granule):
            progress(len(images) / max(1, number), f"Reading {_title(reader.tile_name, name, resolution)}")
            images.append(reader.read(name, resolution, path))
        progress(len(images) / max(1, number), f"Reading the detector footprints of {reader.tile_name or 'the tile'}")
        reader.read_other_footprints()
        footprints += reader.footprints
        pictures.append(reader.pictures)
    return PixelFacts(tuple(images), tuple(footprints), tuple(pictures))


class _GranuleReader:
    """Reads one granule; keeps its footprints and small pictures while the images come and go."""

    def __init__(
        self,
        safe: SafeProduct,
        granule: GranuleParts,
        tile: TileMetadata | None,
        radiometry: Radiometry | None,
        options: PixelOptions,
    ) -> None:
        self.safe = safe
        self.granule = granule
        self.tile = tile
        self.radiometry = radiometry or Radiometry()
        self.known_radiometry = radiometry is not None
        self.options = options
        self.tile_name = granule.tile or ""
        self.footprints: list[FootprintFacts] = []
        self.pictures = Pictures(self.tile_name)
        if options.pictures:
            self._choose_frame()

    def read(self, name: str, resolution: int, path: str) -> ImageFacts:
        """Decode one image and look at it; whatever breaks on the way is a problem of the image."""
        facts = ImageFacts(self.tile_name, name, resolution, path, size=0)
        try:
            return self._read(facts)
        except Exception as error:
            _log.exception("reading %s broke", path)
            return replace(facts, problems=(f"reading it broke: {type(error).__name__}: {error}",))

    def _read(self, facts: ImageFacts) -> ImageFacts:
        container, path = self.safe.container, facts.path
        if not container.exists(path):
            return replace(facts, problems=("the file is absent",))
        size = container.size(path)
        if size == 0:
            return replace(facts, problems=("the file is empty (0 bytes)",))
        structure = check_structure(self.safe, path)
        image = read_image(container.gdal_path(path), threads=self.options.threads)
        problems = list(structure.problems)
        problems += [_without_place(text, self.safe, path) for text in (*image.gdal_errors, image.exception or "")]
        if image.array is None:
            problems.append("GDAL gives no pixels")
        shape, layers = _extent(image)
        facts = replace(
            facts,
            size=size,
            shape=shape,
            layers=layers,
            dtype=str(image.dtype or ""),
            epsg=image.epsg,
            transform=image.transform,
            format=structure.format,
            problems=tuple(dict.fromkeys(problem for problem in problems if problem)),
        )
        return facts if image.array is None else self._look_at(facts, image.array)

    def read_other_footprints(self) -> None:
        """Footprints of bands whose image was absent, unreadable or not counted; their values are still looked at."""
        if not self.options.statistics:
            return
        seen = {found.band for found in self.footprints}
        for band in BANDS:
            path = self.granule.masks.get(("DETFOO", band.name))
            grid = self._grid(band.gsd if path is None or not path.lower().endswith(".gml") else 60)
            if band.name in seen or path is None:
                continue
            if grid is None:
                self.footprints.append(
                    FootprintFacts(self.tile_name, band.name, path, "", "the tile metadata give no frame for it", ())
                )
                continue
            epsg = self.tile.epsg if self.tile else None
            transform = (grid.xdim, 0.0, grid.ulx, 0.0, grid.ydim, grid.uly)
            try:
                mask = detector_footprint(
                    self.safe, self.granule, band.name, (grid.rows, grid.columns), transform, epsg
                )
                found = self._footprint(band.name, mask, None)
            except Exception as error:
                _log.exception("reading %s broke", path)
                problem = f"reading it broke: {type(error).__name__}: {error}"
                found = FootprintFacts(self.tile_name, band.name, path, "", problem, ())
            self.footprints.append(found)

    def _look_at(self, facts: ImageFacts, array: np.ndarray) -> ImageFacts:
        """Take from the pixels all that is wanted of them."""
        name = facts.name
        if name in ("TCI", PVI):
            self._keep_colour(name, array, facts.transform)
            return facts
        if array.ndim != 2 or array.dtype not in (np.uint8, np.uint16):
            return facts
        if facts.resolution != preferred_resolution(self.granule, name) or not self.options.statistics:
            self._keep_band(name, array, facts.transform)
            return facts
        mask = None
        if name in BAND_NAMES:
            shape = (array.shape[0], array.shape[1])
            mask = detector_footprint(self.safe, self.granule, name, shape, facts.transform, facts.epsg)
        detectors = mask.array if mask is not None and mask.array is not None else None
        if detectors is not None and detectors.shape != array.shape:
            detectors = None
        histogram = histogram_by_detector(array, detectors)
        if mask is not None:
            self.footprints.append(self._footprint(name, mask, histogram if detectors is not None else None))
        self._keep_band(name, array, facts.transform, detectors)
        if name == "SCL":
            return replace(facts, classes=class_counts(histogram.sum(axis=0), SCENE_CLASSES))
        statistics = self._statistics(name, facts.resolution, histogram)
        steps: tuple[DetectorStep, ...] = ()
        if detectors is not None and statistics.offset is not None:
            nodata, saturated = self._special_values()
            steps = detector_steps(array, detectors, offset=statistics.offset, nodata=nodata, saturated=saturated)
        return replace(facts, statistics=statistics, steps=steps)

    def _statistics(self, name: str, resolution: int, histogram: np.ndarray) -> BandStatistics:
        radiometry = self.radiometry
        offset: float | None = 0.0
        quantification, unit = radiometry.quantification, "reflectance"
        if name in BAND_NAMES:
            # Products before 04.00 list no offset, and that means none; of unreadable metadata nothing is assumed.
            offset = radiometry.offsets.get(name, 0.0 if self.known_radiometry else None)
        elif name == "AOT":
            quantification, unit = radiometry.aot_quantification, ""
        elif name == "WVP":
            quantification, unit = radiometry.wvp_quantification, "cm"
        nodata, saturated = self._special_values()
        return band_statistics(
            histogram,
            band=name,
            resolution=resolution,
            tile=self.tile_name,
            offset=offset,
            quantification=quantification,
            scaled_unit=unit,
            nodata=nodata,
            saturated=saturated,
        )

    def _special_values(self) -> tuple[int, int]:
        """No-data and saturation as the product declares them."""
        special = {key: value for key, value in self.radiometry.special_values.items() if 0 <= value < LEVELS}
        return special.get("NODATA", NO_DATA), special.get("SATURATED", SATURATED)

    def _footprint(self, band: str, mask: FootprintMask, histogram: np.ndarray | None) -> FootprintFacts:
        problem = mask.problem or "; ".join(mask.gdal_errors)
        facts = FootprintFacts(
            tile=self.tile_name,
            band=band,
            path=mask.source,
            format=mask.format,
            problem=problem,
            values=mask.values_found,
        )
        if histogram is None:
            return facts
        return replace(
            facts,
            pixels=int(histogram.sum()),
            valid_outside=int(histogram[0, 1:].sum()),
            nodata_inside=int(histogram[1:13, 0].sum()),
        )

    def _grid(self, resolution: int) -> Grid | None:
        """The frame that the tile metadata give, unless it is larger than any tile: nobody would hold it in memory."""
        grid = self.tile.grids.get(resolution) if self.tile else None
        return grid if grid and 0 < grid.rows <= LARGEST_SIDE and 0 < grid.columns <= LARGEST_SIDE else None

    def _choose_frame(self) -> None:
        """The frame of the pictures: that of the TCI, else of a band, else of the PVI; the finest that is there."""
        names = {(name, resolution): path for name, resolution, path in images_of(self.granule)}
        candidates = sorted(
            names, key=lambda key: (key[0] != "TCI", key[0] not in PICTURE_BANDS, key[0] == PVI, key[1])
        )
        for key in candidates:
            path = names[key]
            if not self.safe.container.exists(path) or self.safe.container.size(path) == 0:
                continue
            frame = describe_image(self.safe.container.gdal_path(path))
            if min(frame.shape) > 0:
                self.pictures.frame = frame_for(frame.shape, frame.transform)
                return

    def _keep_colour(self, name: str, array: np.ndarray, transform: tuple[float, ...] | None) -> None:
        frame = self.pictures.frame
        if frame is None or array.ndim != 3 or array.shape[0] < 3 or self.pictures.colour is not None:
            return
        if not same_ground(frame, bounds_of(array.shape[-2:], transform)):
            return
        small = np.stack([block_mean(array[layer], frame) for layer in range(3)])
        self.pictures.colour = np.clip(np.rint(small), 0, 255).astype(np.uint8)
        self.pictures.colour_source = name

    def _keep_band(
        self,
        name: str,
        array: np.ndarray,
        transform: tuple[float, ...] | None,
        detectors: np.ndarray | None = None,
    ) -> None:
        frame = self.pictures.frame
        if frame is None or name not in BAND_NAMES or not same_ground(frame, bounds_of(array.shape, transform)):
            return
        if name in PICTURE_BANDS and name not in self.pictures.bands:
            self.pictures.bands[name] = block_mean(array, frame)
        # One band speaks for the masks: B02 where it is there, since its pixels are the finest.
        if self.pictures.mask_band in ("", name) or (name == "B02" and detectors is not None):
            self.pictures.mask_band = name
            self.pictures.nodata = block_any(array == 0, frame)
            if detectors is not None:
                self.pictures.detectors = sample(detectors, frame)


def _without_place(text: str, safe: SafeProduct, path: str) -> str:
    """A message of GDAL with the member's name in place of the path that GDAL was given."""
    return text.replace(safe.container.gdal_path(path), path.rsplit("/", 1)[-1])


def _extent(image: ImageRead) -> tuple[tuple[int, int] | None, int]:
    """(rows, columns), None where the header could not be read, and the number of layers that were decoded."""
    rows, columns = image.shape
    if not rows or not columns:
        return None, 0
    layers = 0 if image.array is None else image.array.shape[0] if image.array.ndim == 3 else 1
    return (rows, columns), layers


def _distance(name: str, resolution: int) -> int:
    return 0 if name in BAND_NAMES and band_by_name(name).gsd == resolution else 1


def _title(tile: str, name: str, resolution: int) -> str:
    return " ".join(part for part in (tile, name, f"{resolution} m") if part)
