"""The images and detector footprints of one granule.

Nothing here is kept by the reader while it reads, so that several threads may read different images of one granule;
:meth:`GranuleReader.keep` is called afterwards, in the order of the images.

**The true colour image** is large (362 MB decoded), and nothing but a picture is made of it. Where its digest is that
of the manifest and its codestream is whole, it is decoded at the resolution of the picture only. That proves no less:
the digest shows that it is the file that was written, the walk that every tile-part is there, and the decoder reads the
headers of all packets on its way to the low resolutions. What it leaves out, the arithmetic decoding of the rest, knows
no errors (ISO/IEC 15444-1, annex C: any bytes decode to something). Without a digest to compare it is decoded in full.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from mpc.msi.bands import BANDS, TILE_PIXELS, band_by_name
from mpc.msi.images import ImageError, ImageFrame, ImageRead, describe_image, read_image, read_overview
from mpc.msi.masks import FootprintMask, detector_footprint
from mpc.msi.records import Grid, Radiometry, TileMetadata
from mpc.msi.safe import GranuleParts, SafeProduct
from qc.checks.digests import Digests
from qc.checks.pixels.facts import (
    BAND_NAMES,
    PICTURE_BANDS,
    PVI,
    FootprintFacts,
    ImageFacts,
    Pictures,
    PixelOptions,
    Seen,
)
from qc.checks.previews import MAX_PREVIEW_PIXELS, any_zero, block_mean, bounds_of, frame_for, same_ground, sample
from qc.checks.structure import Structure, check_structure
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

SCENE_CLASSES = range(12)
"""Values of the scene classification of L2A: 0 no-data to 11 snow or ice."""

LARGEST_SIDE = TILE_PIXELS[10]
"""Rows or columns of the largest image of a tile."""

PVI_RESOLUTION = 320

SMALL = 16 << 20
"""An image that takes no more bytes than this is always decoded in full."""


@dataclass(frozen=True)
class PlannedImage:
    """An image to read. ``header`` is None where there is nothing to open; ``memory`` is what reading it holds."""

    name: str
    resolution: int
    path: str
    size: int = 0
    header: ImageFrame | None = None

    @property
    def decoded(self) -> int:
        """Bytes of all pixels, as the header says."""
        if self.header is None or not self.header.dtype:
            return 0
        rows, columns = self.header.shape
        return self.header.layers * rows * columns * np.dtype(self.header.dtype).itemsize

    @property
    def memory(self) -> int:
        """With the detector footprint beside a band."""
        if self.header is None:
            return 0
        return self.decoded + (self.header.shape[0] * self.header.shape[1] if self.name in BAND_NAMES else 0)


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


class GranuleReader:
    """Reads one granule. ``footprints`` and ``pictures`` grow by what is given to :meth:`keep`."""

    def __init__(
        self,
        safe: SafeProduct,
        granule: GranuleParts,
        tile: TileMetadata | None,
        radiometry: Radiometry | None,
        options: PixelOptions,
        digests: Digests | None = None,
    ) -> None:
        self.safe = safe
        self.granule = granule
        self.tile = tile
        self.radiometry = radiometry or Radiometry()
        self.known_radiometry = radiometry is not None
        self.options = options
        self.digests = digests
        self.tile_name = granule.tile or ""
        self.images = tuple(self._plan(*image) for image in images_of(granule))
        self.footprints: list[FootprintFacts] = []
        self.pictures = Pictures(self.tile_name)
        if options.pictures:
            self._choose_frame()

    def read(self, image: PlannedImage, threads: int = 1) -> Seen:
        """Decode one image and look at it; whatever breaks on the way is a problem of the image."""
        facts = ImageFacts(self.tile_name, image.name, image.resolution, image.path, size=0)
        try:
            return self._read(image, facts, threads)
        except Exception as error:
            _log.exception("reading %s broke", image.path)
            return Seen(replace(facts, problems=(f"reading it broke: {type(error).__name__}: {error}",)))

    def keep(self, seen: Seen) -> None:
        """Take over what an image showed. To be called in the order of ``images``."""
        self.pictures.add(seen)
        if seen.footprint is not None:
            self.footprints.append(seen.footprint)

    def bands_without_footprint(self) -> list[str]:
        """Bands with a footprint that was not looked at: their image was absent, unreadable or not counted."""
        if not self.options.statistics:
            return []
        seen = {found.band for found in self.footprints}
        return [band.name for band in BANDS if band.name not in seen and ("DETFOO", band.name) in self.granule.masks]

    def read_footprint(self, band: str) -> FootprintFacts:
        """The footprint of a band without its image, on the frame that the tile metadata give."""
        path = self.granule.masks["DETFOO", band]
        grid = self._grid(band_by_name(band).gsd if not path.lower().endswith(".gml") else 60)
        if grid is None:
            return FootprintFacts(self.tile_name, band, path, "", "the tile metadata give no frame for it", ())
        epsg = self.tile.epsg if self.tile else None
        transform = (grid.xdim, 0.0, grid.ulx, 0.0, grid.ydim, grid.uly)
        try:
            mask = detector_footprint(self.safe, self.granule, band, (grid.rows, grid.columns), transform, epsg)
            return self._footprint(band, mask, None)
        except Exception as error:
            _log.exception("reading %s broke", path)
            problem = f"reading it broke: {type(error).__name__}: {error}"
            return FootprintFacts(self.tile_name, band, path, "", problem, ())

    def _plan(self, name: str, resolution: int, path: str) -> PlannedImage:
        container = self.safe.container
        if not container.exists(path) or container.size(path) == 0:
            return PlannedImage(name, resolution, path)
        header = describe_image(container.gdal_path(path))
        return PlannedImage(name, resolution, path, container.size(path), header)

    def _read(self, planned: PlannedImage, facts: ImageFacts, threads: int) -> Seen:
        container, path = self.safe.container, facts.path
        if planned.header is None:
            absent = not container.exists(path)
            return Seen(replace(facts, problems=("the file is absent" if absent else "the file is empty (0 bytes)",)))
        structure = check_structure(self.safe, path)
        facts = replace(facts, size=planned.size, format=structure.format)
        reduced = self._read_reduced(planned, structure)
        if reduced is not None:
            return self._look_at(replace(_framed(facts, planned.header, reduced), reduced=True), reduced)
        image = read_image(container.gdal_path(path), threads=threads, frame=planned.header)
        problems = list(structure.problems)
        problems += [_without_place(text, self.safe, path) for text in (*image.gdal_errors, image.exception or "")]
        if image.array is None:
            problems.append("GDAL gives no pixels")
        facts = replace(
            _framed(facts, image, image.array),
            problems=tuple(dict.fromkeys(problem for problem in problems if problem)),
        )
        return Seen(facts) if image.array is None else self._look_at(facts, image.array)

    def _read_reduced(self, planned: PlannedImage, structure: Structure) -> np.ndarray | None:
        """The true colour image at the resolution of the picture; None where it must be decoded in full."""
        large = planned.name == "TCI" and planned.decoded > SMALL
        if not large or structure.problems or structure.format not in ("jp2", "j2k"):
            return None
        if self.digests is None or not self.digests.agrees(planned.path):
            return None
        frame = self.pictures.frame
        pixels = max(frame.rows, frame.columns) if frame else MAX_PREVIEW_PIXELS
        try:
            return read_overview(self.safe.container.gdal_path(planned.path), pixels)
        except ImageError:
            return None

    def _look_at(self, facts: ImageFacts, array: np.ndarray) -> Seen:
        """Take from the pixels all that is wanted of them."""
        name = facts.name
        if name in ("TCI", PVI):
            return self._colour(facts, array)
        if array.ndim != 2 or array.dtype not in (np.uint8, np.uint16):
            return Seen(facts)
        if facts.resolution != preferred_resolution(self.granule, name) or not self.options.statistics:
            return self._band(facts, array)
        mask = None
        if name in BAND_NAMES:
            shape = (array.shape[0], array.shape[1])
            mask = detector_footprint(self.safe, self.granule, name, shape, facts.transform, facts.epsg)
        detectors = mask.array if mask is not None and mask.array is not None else None
        if detectors is not None and detectors.shape != array.shape:
            detectors = None
        histogram = histogram_by_detector(array, detectors)
        footprint = None
        if mask is not None:
            footprint = self._footprint(name, mask, histogram if detectors is not None else None)
        if name == "SCL":
            return self._band(replace(facts, classes=class_counts(histogram.sum(axis=0), SCENE_CLASSES)), array)
        statistics = self._statistics(name, facts.resolution, histogram)
        steps: tuple[DetectorStep, ...] = ()
        if detectors is not None and statistics.offset is not None:
            nodata, saturated = self._special_values()
            steps = detector_steps(array, detectors, offset=statistics.offset, nodata=nodata, saturated=saturated)
        seen = self._band(replace(facts, statistics=statistics, steps=steps), array, detectors)
        return replace(seen, footprint=footprint)

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
        candidates = sorted(
            (image for image in self.images if image.header is not None and min(image.header.shape) > 0),
            key=lambda i: (i.name != "TCI", i.name not in PICTURE_BANDS, i.name == PVI, i.resolution),
        )
        if candidates and (header := candidates[0].header):
            self.pictures.frame = frame_for(header.shape, header.transform)

    def _colour(self, facts: ImageFacts, array: np.ndarray) -> Seen:
        frame = self.pictures.frame
        if frame is None or array.ndim != 3 or array.shape[0] < 3 or facts.shape is None:
            return Seen(facts)
        if not same_ground(frame, bounds_of(facts.shape, facts.transform)):
            return Seen(facts)
        small = np.stack([block_mean(array[layer], frame) for layer in range(3)])
        return Seen(facts, colour=np.clip(np.rint(small), 0, 255).astype(np.uint8))

    def _band(self, facts: ImageFacts, array: np.ndarray, detectors: np.ndarray | None = None) -> Seen:
        frame, name = self.pictures.frame, facts.name
        shape = (array.shape[0], array.shape[1])
        if frame is None or name not in BAND_NAMES or not same_ground(frame, bounds_of(shape, facts.transform)):
            return Seen(facts)
        return Seen(
            facts,
            mean=block_mean(array, frame) if name in PICTURE_BANDS else None,
            nodata=any_zero(array, frame),
            detectors=None if detectors is None else sample(detectors, frame),
        )


def _framed(facts: ImageFacts, header: ImageFrame | ImageRead, array: np.ndarray | None) -> ImageFacts:
    """With the frame that the header gives, and the number of layers that were decoded."""
    rows, columns = header.shape
    layers = 0 if array is None else array.shape[0] if array.ndim == 3 else 1
    known = rows > 0 and columns > 0
    return replace(
        facts,
        shape=(rows, columns) if known else None,
        layers=layers if known else 0,
        dtype=str(header.dtype or ""),
        epsg=header.epsg,
        transform=header.transform,
    )


def _without_place(text: str, safe: SafeProduct, path: str) -> str:
    """A message of GDAL with the member's name in place of the path that GDAL was given."""
    return text.replace(safe.container.gdal_path(path), path.rsplit("/", 1)[-1])


def _distance(name: str, resolution: int) -> int:
    return 0 if name in BAND_NAMES and band_by_name(name).gsd == resolution else 1
