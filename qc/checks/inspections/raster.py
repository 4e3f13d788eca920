"""Do the rasters stand where, and have the size and type that, the tile metadata say?"""

from __future__ import annotations

from collections.abc import Callable

from mpc.msi.records import Grid, TileMetadata
from qc.checks.finding import Finding, failed, not_checked, passed
from qc.checks.inspections.common import number, some
from qc.checks.pixels import PVI, ImageFacts
from qc.checks.registry import inspection
from qc.checks.subject import Subject

PRODUCT = ("product",)
METRES = 1e-3
"""Positions are whole metres; this much may be lost in text and binary forms of them."""

TYPES = {"TCI": ("uint8", 3), "PVI": ("uint8", 3), "SCL": ("uint8", 1)}
BAND_TYPE = ("uint16", 1)


@inspection(
    id="format.raster.size",
    title="Images have the size that the tile metadata say",
    group="format",
    kinds=PRODUCT,
    reference="Tile metadata, Geometric_Info/Tile_Geocoding/Size",
)
def raster_size(subject: Subject) -> Finding:
    def differs(image: ImageFacts, grid: Grid, _: TileMetadata) -> str:
        if image.shape == (grid.rows, grid.columns):
            return ""
        assert image.shape is not None
        return f"{image.shape[0]} x {image.shape[1]}, not {grid.rows} x {grid.columns}"

    return _compare(subject, "rows and columns", differs)


@inspection(
    id="geometry.raster.position",
    title="Images lie where the tile metadata say",
    group="geometry",
    kinds=PRODUCT,
    reference="Tile metadata, Geometric_Info/Tile_Geocoding/Geoposition and HORIZONTAL_CS_CODE",
)
def raster_position(subject: Subject) -> Finding:
    def differs(image: ImageFacts, grid: Grid, tile: TileMetadata) -> str:
        if image.transform is None or image.epsg is None:
            return "carries no projection or position"
        if tile.epsg is not None and image.epsg != tile.epsg:
            return f"EPSG:{image.epsg}, not EPSG:{tile.epsg}"
        a, b, c, d, e, f = image.transform[:6]
        told = (grid.ulx, grid.uly, grid.xdim, grid.ydim)
        found = (c, f, a, e)
        if b or d or any(abs(x - y) > METRES for x, y in zip(found, told, strict=True)):
            return (
                f"corner {c:.10g} {f:.10g} and pixel {a:.6g} {e:.6g}, "
                f"not {told[0]:.10g} {told[1]:.10g} and {told[2]:.6g} {told[3]:.6g}"
            )
        return ""

    return _compare(subject, "projection, corner and pixel", differs)


@inspection(
    id="format.raster.type",
    title="Images have the type of their kind",
    group="format",
    kinds=PRODUCT,
    reference="Products Specification Document, image data: 16 bit counts, 8 bit classes and colours",
)
def raster_type(subject: Subject) -> Finding:
    images = [image for image in subject.pixels.images if image.layers]
    if not images:
        return not_checked("no image could be opened")
    wrong = []
    for image in images:
        dtype, layers = TYPES.get(image.name, BAND_TYPE)
        if (image.dtype, image.layers) != (dtype, layers):
            wrong.append(
                {"image": image.label, "expected": f"{layers} x {dtype}", "measured": f"{image.layers} x {image.dtype}"}
            )
    expected = f"type and layers of {number(len(images), 'image')}"
    if wrong:
        first = wrong[0]
        return failed(
            expected,
            f"{len(wrong)} differ",
            f"{first['image']}: {first['measured']}, not {first['expected']}",
            where=some(item["image"] for item in wrong),
            items=wrong,
        )
    return passed(expected, "all")


def _compare(subject: Subject, what: str, differs: Callable[[ImageFacts, Grid, TileMetadata], str]) -> Finding:
    """Compare each image that could be opened with the grid of its resolution."""
    tiles = {
        granule.tile or "": reading.record
        for granule, reading in zip(subject.safe.granules, subject.tiles, strict=True)
    }
    opened = [image for image in subject.pixels.images if image.shape and image.name != PVI]
    if not opened:
        return not_checked("no image could be opened")
    wrong: list[dict[str, str]] = []
    compared = 0
    for image in opened:
        tile = tiles.get(image.tile)
        grid = tile.grids.get(image.resolution) if tile else None
        if tile is None or grid is None:
            continue
        compared += 1
        if problem := differs(image, grid, tile):
            wrong.append({"image": image.label, "tile": image.tile, "problem": problem})
    if not compared:
        return not_checked(next((r.problem for r in subject.tiles if r.problem), "the tile metadata give no grid"))
    expected = f"{what} of {number(compared, 'image')}"
    if wrong:
        return failed(
            expected,
            f"{len(wrong)} differ",
            f"{wrong[0]['image']}: {wrong[0]['problem']}",
            where=some(item["image"] for item in wrong),
            items=wrong,
        )
    if compared < len(opened):
        return not_checked(
            f"the tile metadata give a grid for {compared} of {number(len(opened), 'image')} only", expected=expected
        )
    return passed(expected, "all agree")
