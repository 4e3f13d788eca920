"""Clouds and snow of a tile, and the quality marks of its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mpc.msi.bands import Band, band_by_name
from mpc.msi.container import ContainerError
from mpc.msi.images import ImageError, Transform, describe_image, read_image, read_window
from mpc.msi.masks.gml import MaskProblem, draw, read_gml_mask
from mpc.msi.metadata import MetadataProblem, read_tile_metadata
from mpc.msi.safe import GranuleParts, SafeProduct
from mpc.msi.xmlio import MAX_BYTES, XmlProblem

QUALITY_LAYERS = (
    "ancillary lost",
    "ancillary degraded",
    "MSI lost",
    "MSI degraded",
    "defective",
    "no-data",
    "partially corrected crosstalk",
    "saturated",
)
"""Layers 1 to 8 of MSK_QUALIT. Layer 6 is not the edge of the swath: that is a detector footprint of 0."""

CLASS_GSD = 60
"""Metres of a pixel of MSK_CLASSI, and of the grid on which cloud polygons are drawn."""

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Classification:
    """Opaque clouds, cirrus and snow as bool (rows, columns) on the 60 m grid; they may overlap.

    None where the mask has no such class (snow in GML) or could not be read; ``problem`` says why.
    """

    cloud: NDArray[np.bool_] | None = None
    cirrus: NDArray[np.bool_] | None = None
    snow: NDArray[np.bool_] | None = None
    transform: Transform | None = None
    epsg: int | None = None
    source: str = ""
    format: str = ""
    problem: str = ""


def classification(safe: SafeProduct, granule: GranuleParts) -> Classification:
    """Clouds, cirrus and snow of a tile for overlays: MSK_CLASSI, else MSK_CLOUDS drawn at 60 m; never raises."""
    if source := granule.masks.get(("CLASSI", "B00")):
        return _classification_from_raster(safe, source)
    if source := granule.masks.get(("CLOUDS", "B00")):
        return _classification_from_gml(safe, granule, source)
    return Classification(problem="the product has neither MSK_CLASSI nor MSK_CLOUDS")


def quality_layer(
    safe: SafeProduct,
    granule: GranuleParts,
    band: Band | str,
    layer: int,
    window: tuple[int, int, int, int] | None = None,
) -> NDArray[np.bool_]:
    """One layer of MSK_QUALIT: True where the pixel is marked, (rows, columns).

    Args:
        layer: 1..8, see :data:`QUALITY_LAYERS`.
        window: (first row, first column, rows, columns); all of it when None, read in strips, since the eight layers
            of a 10 m band together take 919 MB.

    Raises:
        MaskProblem: the product has no such mask or layer, or it cannot be read.
    """
    name = band.name if isinstance(band, Band) else band_by_name(band).name
    source = granule.masks.get(("QUALIT", name))
    if source is None:
        raise MaskProblem(f"the product has no quality mask (MSK_QUALIT) of {name}")
    path = safe.container.gdal_path(source)
    try:
        if window is not None:
            row, column, rows, columns = window
            return read_window(path, layer, row, column, rows, columns) != 0
        frame = describe_image(path)
        if not frame.layers:
            raise MaskProblem(f"{source}: {'; '.join(frame.errors)}")
        rows, columns = frame.shape
        marked = np.empty(frame.shape, np.bool_)
        for row in range(0, rows, _ROWS_AT_ONCE):
            count = min(_ROWS_AT_ONCE, rows - row)
            np.not_equal(read_window(path, layer, row, 0, count, columns), 0, out=marked[row : row + count])
    except ImageError as error:
        raise MaskProblem(f"{source}: {error}") from error
    return marked


def _classification_from_raster(safe: SafeProduct, source: str) -> Classification:
    image = read_image(safe.container.gdal_path(source))
    if image.array is None or not image.complete:
        why = "; ".join(image.gdal_errors) or image.exception
        return Classification(source=source, format="jp2", problem=f"{source} cannot be read in full: {why}")
    if image.array.ndim != 3 or len(image.array) != 3:
        return Classification(
            source=source, format="jp2", problem=f"{source} has not the 3 layers of opaque cloud, cirrus and snow"
        )
    cloud, cirrus, snow = image.array != 0
    return Classification(cloud, cirrus, snow, image.transform, image.epsg, source, "jp2")


def _classification_from_gml(safe: SafeProduct, granule: GranuleParts, source: str) -> Classification:
    try:
        features = read_gml_mask(safe.container.read(source, limit=MAX_BYTES), what=source)
        shape, transform, epsg = _class_grid(safe, granule)
    except (XmlProblem, MaskProblem, ContainerError) as error:
        return Classification(source=source, format="gml", problem=str(error))
    layers = {
        kind: draw(((f.polygons, 1) for f in features if f.type == kind), shape, transform) != 0
        for kind in ("OPAQUE", "CIRRUS")
    }
    return Classification(layers["OPAQUE"], layers["CIRRUS"], None, transform, epsg, source, "gml")


def _class_grid(safe: SafeProduct, granule: GranuleParts) -> tuple[tuple[int, int], Transform, int | None]:
    """The 60 m grid of the tile: from its metadata, else from the ground that any of its images covers."""
    if granule.metadata:
        try:
            tile = read_tile_metadata(safe.container.read(granule.metadata, limit=MAX_BYTES))
        except (XmlProblem, MetadataProblem, ContainerError):
            tile = None
        if tile is not None and (grid := tile.grids.get(CLASS_GSD)) and _plausible(grid.rows, grid.columns):
            return (grid.rows, grid.columns), (grid.xdim, 0.0, grid.ulx, 0.0, grid.ydim, grid.uly), tile.epsg
    for path in granule.images.values():
        frame = describe_image(safe.container.gdal_path(path))
        if frame.transform is None:
            continue
        a, _, c, _, e, f = frame.transform
        rows, columns = round(frame.shape[0] * abs(e) / CLASS_GSD), round(frame.shape[1] * abs(a) / CLASS_GSD)
        if _plausible(rows, columns):
            return (rows, columns), (float(CLASS_GSD), 0.0, c, 0.0, -float(CLASS_GSD), f), frame.epsg
    raise MaskProblem("neither the tile metadata nor an image says where the tile lies")


def _plausible(rows: int, columns: int) -> bool:
    return 0 < rows <= 10980 and 0 < columns <= 10980
