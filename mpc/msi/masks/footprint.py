"""Which detector saw which pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpc.msi.bands import DETECTORS, Band, band_by_name
from mpc.msi.container import ContainerError
from mpc.msi.images import Transform, read_image
from mpc.msi.masks.gml import MaskProblem, draw, read_gml_mask
from mpc.msi.safe import GranuleParts, SafeProduct
from mpc.msi.xmlio import MAX_BYTES, XmlProblem

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class FootprintMask:
    """Which detector saw which pixel of a band.

    Attributes:
        array: uint8 (rows, columns) on the band's own grid, 0 = none, 1..12 = detector; None when there is no usable
            mask. Values that are no detector are set to 0 and stay visible in ``values_found``.
        source: member path of the mask, "" when there is none.
        format: "jp2", "gml" or "".
        problem: why there is no array, or what is wrong with it; "" when all is well.
        values_found: all values of the mask as it was read (JP2: of the whole mask), sorted.
        gdal_errors: GDAL's messages while reading.
    """

    array: NDArray[np.uint8] | None
    source: str = ""
    format: str = ""
    problem: str = ""
    values_found: tuple[int, ...] = ()
    gdal_errors: tuple[str, ...] = ()


def detector_footprint(
    safe: SafeProduct,
    granule: GranuleParts,
    band: Band | str,
    shape: tuple[int, int],
    transform: Transform | None,
    epsg: int | None,
) -> FootprintMask:
    """The detector footprint of a band on the band's own grid; never raises.

    Polygons are drawn on that grid. A raster is read whole; when its pixels are not the band's (reduced images), each
    pixel of the band takes the value of the mask's pixel in which its centre lies.

    Args:
        safe, granule: the product and one of its tiles.
        band: the band or its name.
        shape, transform, epsg: of the band's image, as :func:`mpc.msi.images.describe_image` tells them.
    """
    name = band.name if isinstance(band, Band) else band_by_name(band).name
    source = granule.masks.get(("DETFOO", name))
    if source is None:
        return FootprintMask(None, problem=f"the product has no detector footprint (MSK_DETFOO) of {name}")
    if source.endswith(".gml"):
        return _footprint_from_gml(safe, source, shape, transform, epsg)
    return _footprint_from_raster(safe, source, shape, transform, epsg)


def _footprint_from_raster(
    safe: SafeProduct, source: str, shape: tuple[int, int], transform: Transform | None, epsg: int | None
) -> FootprintMask:
    image = read_image(safe.container.gdal_path(source))
    if image.array is None or not image.complete:
        why = "; ".join(image.gdal_errors) or image.exception
        return FootprintMask(
            None, source, "jp2", f"{source} cannot be read in full: {why}", gdal_errors=image.gdal_errors
        )
    if image.array.ndim != 2:
        return FootprintMask(None, source, "jp2", f"{source} has {len(image.array)} layers, a detector footprint has 1")
    values = _values(image.array)
    try:
        array = _on_grid(image.array, image.transform, image.epsg, shape, transform, epsg)
    except MaskProblem as error:
        return FootprintMask(None, source, "jp2", f"{source}: {error}", values)
    strangers = [value for value in values if value != 0 and value not in DETECTORS]
    problem = ""
    if strangers:
        problem = f"{source} holds {', '.join(map(str, strangers))}: detectors run from 1 to {DETECTORS[-1]}"
        array = np.where(array <= DETECTORS[-1], array, 0)
    return FootprintMask(np.ascontiguousarray(array, np.uint8), source, "jp2", problem, values)


def _on_grid(
    mask: NDArray[Any],
    mask_transform: Transform | None,
    mask_epsg: int | None,
    shape: tuple[int, int],
    transform: Transform | None,
    epsg: int | None,
) -> NDArray[Any]:
    """The mask on the grid of the band: itself when the grids agree, else the value at each pixel's centre."""
    if mask_epsg and epsg and mask_epsg != epsg:
        raise MaskProblem(f"the mask is in EPSG:{mask_epsg}, the band in EPSG:{epsg}")
    if mask_transform is None or transform is None:
        if mask.shape == shape:
            return mask
        raise MaskProblem(f"the mask has {_size(mask.shape)} pixels, the band {_size(shape)}, and one has no position")
    if mask.shape == shape and _same_grid(mask_transform, transform, shape):
        return mask
    a, b, c, d, e, f = transform
    mask_a, mask_b, mask_c, mask_d, mask_e, mask_f = mask_transform
    if b or d or mask_b or mask_d:
        raise MaskProblem("the mask or the band is rotated: pixels cannot be matched by rows and columns")
    columns = np.floor((c + a * (np.arange(shape[1]) + 0.5) - mask_c) / mask_a).astype(np.int64)
    rows = np.floor((f + e * (np.arange(shape[0]) + 0.5) - mask_f) / mask_e).astype(np.int64)
    inside = columns.min() >= 0 and columns.max() < mask.shape[1] and rows.min() >= 0 and rows.max() < mask.shape[0]
    if not inside:
        raise MaskProblem(
            f"the mask ({_size(mask.shape)} pixels of {mask_a:g} m from {mask_c:.0f}, {mask_f:.0f}) does not cover the"
            f" band ({_size(shape)} pixels of {a:g} m from {c:.0f}, {f:.0f})"
        )
    return mask[np.ix_(rows, columns)]


def _same_grid(first: Transform, second: Transform, shape: tuple[int, int]) -> bool:
    """Whether the corners of both grids agree to a hundredth of a pixel."""
    tolerance = 0.01 * abs(second[0])
    for row, column in ((0, 0), (0, shape[1]), (shape[0], 0), (shape[0], shape[1])):
        for axis in (0, 3):
            one, other = (t[axis] * column + t[axis + 1] * row + t[axis + 2] for t in (first, second))
            if abs(one - other) > tolerance:
                return False
    return True


def _values(array: NDArray[Any]) -> tuple[int, ...]:
    """All values that occur, without sorting a hundred million pixels: in each row those of the first column and those
    that differ from their neighbour, which are few in a mask."""
    found: set[int] = set()
    for first in range(0, len(array), _ROWS_AT_ONCE):
        rows = array[first : first + _ROWS_AT_ONCE]
        found.update(np.unique(rows[:, :1]).tolist())
        found.update(np.unique(rows[:, 1:][rows[:, 1:] != rows[:, :-1]]).tolist())
    return tuple(sorted(found))


def _footprint_from_gml(
    safe: SafeProduct, source: str, shape: tuple[int, int], transform: Transform | None, epsg: int | None
) -> FootprintMask:
    try:
        features = read_gml_mask(safe.container.read(source, limit=MAX_BYTES), what=source)
    except (XmlProblem, MaskProblem, ContainerError) as error:
        return FootprintMask(None, source, "gml", str(error))
    if transform is None:
        return FootprintMask(None, source, "gml", "the band's image has no position: polygons cannot be drawn on it")
    if not features:
        return FootprintMask(None, source, "gml", f"{source} holds no detector")
    strange = [feature.id for feature in features if feature.detector is None]
    other = next((f.epsg for f in features if f.epsg and epsg and f.epsg != epsg), None)
    if other:
        return FootprintMask(None, source, "gml", f"{source} is in EPSG:{other}, the band in EPSG:{epsg}")
    known = sorted((f for f in features if f.detector is not None), key=lambda f: (f.detector, f.id))
    array = draw(((f.polygons, f.detector or 0) for f in known), shape, transform)
    problem = f"{source}: no detector can be told from {', '.join(strange[:3])}" if strange else ""
    values = sorted({0} & set(_values(array)) | {f.detector or 0 for f in known if f.polygons})
    return FootprintMask(array, source, "gml", problem, tuple(values))


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
