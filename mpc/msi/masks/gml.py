"""Masks as polygons: reading ``eop:Mask`` files and drawing them on a grid."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize

from mpc.msi.bands import DETECTORS
from mpc.msi.images import Transform
from mpc.msi.xmlio import parse_xml

_DETECTOR_ID = re.compile(r"detector_footprint-B\w\w-(\d{1,2})-\d+$", re.IGNORECASE)
_EPSG = re.compile(r"EPSG:(?:[\d.]*:)?(\d{4,5})$")

Ring = NDArray[np.float64]
"""Corners of a polygon's edge: (points, 2), x and y in metres."""


class MaskProblem(ValueError):
    """A mask is absent or cannot be used; the text says which and why."""


@dataclass(frozen=True)
class MaskFeature:
    """One ``eop:MaskFeature``.

    Attributes:
        id: ``gml:id``, "detector_footprint-B02-09-0".
        type: "DETECTOR_FOOTPRINT", "OPAQUE", "CIRRUS", "QT_DEFECTIVE_PIXELS" and so on.
        detector: 1..12 from the id of a detector footprint, else None.
        polygons: each a tuple of rings, the outer one first, then holes; a ring is (points, 2) of x and y in metres.
        epsg: of the mask's envelope, None where the mask does not say.
    """

    id: str
    type: str
    detector: int | None
    polygons: tuple[tuple[Ring, ...], ...]
    epsg: int | None = None


def read_gml_mask(data: bytes, *, what: str = "mask") -> tuple[MaskFeature, ...]:
    """Features of a GML mask, () for an empty one (``<eop:maskMembers/>`` is normal).

    Coordinates may be "x y" or "x y z" (``srsDimension``); heights are left out, rings of under three points too.

    Raises:
        XmlProblem: no XML.
        MaskProblem: another root, or coordinates that are no numbers.
    """
    root = parse_xml(data, what=what)
    if not str(root.tag).endswith("}Mask"):
        raise MaskProblem(f"{what} is no GML mask: its root is {root.tag}")
    common = next((epsg for element in root.iter("{*}Envelope") if (epsg := _epsg(element.get("srsName")))), None)
    return tuple(_feature(element, common, what) for element in root.iter("{*}MaskFeature"))


def draw(
    areas: Iterable[tuple[tuple[tuple[Ring, ...], ...], int]], shape: tuple[int, int], transform: Transform
) -> NDArray[np.uint8]:
    """Pixels whose centres lie in the polygons get their value; where polygons overlap, the last one wins."""
    shapes = [
        ({"type": "Polygon", "coordinates": [ring.tolist() for ring in polygon]}, value)
        for polygons, value in areas
        for polygon in polygons
    ]
    if not shapes:
        return np.zeros(shape, np.uint8)
    return rasterize(shapes, out_shape=shape, transform=Affine(*transform), fill=0, dtype="uint8")


def _feature(element: Any, common_epsg: int | None, what: str) -> MaskFeature:
    identity = next((value for key, value in element.attrib.items() if key.endswith("}id") or key == "id"), "")
    kind = element.findtext("{*}maskType") or ""
    match = _DETECTOR_ID.search(identity)
    detector = int(match[1]) if match and int(match[1]) in DETECTORS else None
    polygons = tuple(rings for polygon in element.iter("{*}Polygon") if (rings := _rings(polygon, what)))
    own = next((epsg for part in element.iter("{*}Polygon") if (epsg := _epsg(part.get("srsName")))), None)
    return MaskFeature(identity, kind.strip(), detector, polygons, own or common_epsg)


def _rings(polygon: Any, what: str) -> tuple[Ring, ...]:
    exterior = polygon.find("{*}exterior")
    outer = [] if exterior is None else [_ring(text, what) for text in exterior.iter("{*}posList")]
    if not outer or len(outer[0]) < 3:
        return ()
    holes = [_ring(text, what) for part in polygon.findall("{*}interior") for text in part.iter("{*}posList")]
    return (outer[0], *(hole for hole in holes if len(hole) >= 3))


def _ring(element: Any, what: str) -> Ring:
    dimension = element.get("srsDimension") or "2"
    numbers = (element.text or "").split()
    if dimension not in ("2", "3") or len(numbers) % int(dimension):
        raise MaskProblem(f"{what}: {len(numbers)} coordinates at line {element.sourceline} are no {dimension}-tuples")
    try:
        points = np.array(numbers, np.float64).reshape(-1, int(dimension))[:, :2]
    except ValueError:
        raise MaskProblem(f"{what}: a coordinate at line {element.sourceline} is no number") from None
    if len(points) and not math.isfinite(float(np.abs(points).sum())):
        raise MaskProblem(f"{what}: a coordinate at line {element.sourceline} is not finite")
    return points


def _epsg(name: str | None) -> int | None:
    match = _EPSG.search(name or "")
    return int(match[1]) if match else None
