"""All images of a product, several at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import rasterio

from mpc.msi.container import ContainerError
from mpc.msi.records import Radiometry, TileMetadata
from mpc.msi.safe import SafeProduct
from qc.checks.digests import Digests
from qc.checks.lanes import Piece, run_lanes
from qc.checks.pixels.facts import FootprintFacts, ImageFacts, PixelFacts, PixelOptions, Seen
from qc.checks.pixels.granule import GranuleReader, PlannedImage

MEMORY = 900 << 20
"""Bytes that the images under way may hold together: two 10 m bands with their footprints, 361 MB each."""

CACHE = 32 << 20
"""Bytes of GDAL's cache for each thread: one row of the tiles of a 10 m band. By itself GDAL would keep whole bands."""

DIGEST_COST = 1 / 30
"""The time of hashing a byte against that of decoding a byte of JPEG 2000."""

Progress = Callable[[float, str], None]


def read_pixels(
    safe: SafeProduct,
    tiles: tuple[TileMetadata | None, ...],
    radiometry: Radiometry | None,
    options: PixelOptions,
    progress: Progress,
    digests: Digests | None = None,
) -> PixelFacts:
    """Decode every image of every granule once. ``tiles`` runs along ``safe.granules``.

    The files of ``digests`` are hashed meanwhile. Never raises because of what an image holds: that becomes a problem
    of its :class:`ImageFacts`.
    """
    readers = [
        GranuleReader(safe, granule, tile, radiometry, options, digests)
        for granule, tile in zip(safe.granules, tiles, strict=True)
    ]
    # rasterio hands this option to the whole process: it is set once here, and not by each thread
    with rasterio.Env(GDAL_CACHEMAX=CACHE * max(2, options.threads)):
        images = _read_images(readers, digests, options.threads, progress)
        for reader in readers:
            reader.footprints += _read_other_footprints(reader, options.threads, progress)
    return PixelFacts(
        images=tuple(images),
        footprints=tuple(found for reader in readers for found in reader.footprints),
        pictures=tuple(reader.pictures for reader in readers),
    )


def _read_images(
    readers: list[GranuleReader], digests: Digests | None, threads: int, progress: Progress
) -> list[ImageFacts]:
    """Decode all images, and hash all files in the time that is left."""
    images = [(reader, image) for reader in readers for image in reader.images]
    pieces: list[Piece[Seen | None]] = [_image_piece(reader, image) for reader, image in images]
    if digests is not None:
        pieces += [_digest_piece(digests, entry.path, entry.size or 0) for entry in digests.entries]
    found = run_lanes(pieces, threads=threads, memory=MEMORY, progress=progress)
    facts = []
    for (reader, _), seen in zip(images, found[: len(images)], strict=True):
        assert seen is not None
        reader.keep(seen)
        facts.append(seen.facts)
    return facts


def _image_piece(reader: GranuleReader, image: PlannedImage) -> Piece[Seen | None]:
    title = " ".join(part for part in (reader.tile_name, image.name, f"{image.resolution} m") if part)
    return Piece(f"Reading {title}", partial(reader.read, image), cost=image.size, memory=image.memory)


def _digest_piece(digests: Digests, path: str, size: int) -> Piece[Seen | None]:
    def work(threads: int) -> None:
        # What cannot be hashed is the finding of the check on digests, which asks again and hears the reason.
        try:
            digests.measured(path)
        except (ContainerError, ValueError):
            return

    return Piece(f"Comparing checksums: {path.rpartition('/')[2]}", work, cost=size * DIGEST_COST)


def _read_other_footprints(reader: GranuleReader, threads: int, progress: Progress) -> list[FootprintFacts]:
    """Those of bands whose image told nothing of theirs, one by one: there are few."""

    def piece(band: str) -> Piece[FootprintFacts]:
        title = f"Reading the detector footprints of {reader.tile_name or 'the tile'}"
        return Piece(title, lambda threads: reader.read_footprint(band), cost=1.0)

    pieces = [piece(band) for band in reader.bands_without_footprint()]
    return run_lanes(pieces, threads=threads, memory=MEMORY)
