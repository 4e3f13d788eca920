"""Masks: GML polygons (up to 03.01) and JP2 rasters (from 04.00).

Sources: masks of L1C products 02.04 and 02.06 (GML) and of an L2A product 04.00 (JP2).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mpc.msi.bands import BANDS
from processors.simulator.products.detectors import DetectorLayout
from processors.simulator.products.faults import Fault
from processors.simulator.products.images import ImageFrame, frame_of, write_jp2
from processors.simulator.products.pixels import Pixels
from processors.simulator.products.spec import ProductSpec, stamp

GML_KINDS = ("DEFECT", "DETFOO", "NODATA", "SATURA", "TECQUA")
QUALITY_LAYERS = 8
"""Of MSK_QUALIT: ancillary lost and degraded, MSI lost and degraded, defective, no-data, crosstalk, saturated."""

SATURATED_LAYER = 8
OUT_OF_RANGE_BAND = "B04"
OUT_OF_RANGE_DETECTOR = 17

Feature = tuple[str, str, np.ndarray]
"""Identifier, type and closed ring (m east and south of the tile's corner) of a GML polygon."""


def mask_names(spec: ProductSpec) -> list[tuple[str, str, str]]:
    """(type, band or "B00", file name) of the masks below QI_DATA, in the order in which metadata list them."""
    if spec.era.has_jp2_masks:
        names = [(kind, band.name) for band in BANDS for kind in ("DETFOO", "QUALIT")] + [("CLASSI", "B00")]
        return [(f"MSK_{kind}", band, f"MSK_{kind}_{band}.jp2") for kind, band in names]
    names = [(kind, band.name) for band in BANDS for kind in GML_KINDS] + [("CLOUDS", "B00")]
    return [(f"MSK_{kind}", band, f"MSK_{kind}_{band}.gml") for kind, band in names]


def write_masks(pixels: Pixels, folder: Path) -> None:
    """Write all masks of the era into QI_DATA."""
    if pixels.spec.era.has_jp2_masks:
        _write_jp2_masks(pixels, folder)
    else:
        _write_gml_masks(pixels, folder)


# -- JP2


def _write_jp2_masks(pixels: Pixels, folder: Path) -> None:
    spec = pixels.spec
    for band in BANDS:
        frame = frame_of(spec, band.gsd)
        out_of_range = Fault.DETFOO_OUT_OF_RANGE in spec.faults and band.name == OUT_OF_RANGE_BAND
        footprint = folder / f"MSK_DETFOO_{band.name}.jp2"
        if spec.is_full_size or out_of_range:
            write_jp2(footprint, frame, "uint8", _footprint(pixels.layout(band.name), frame, out_of_range))
        else:
            footprint.write_bytes(_footprint_file(frame, band.name, tuple(pixels.layout(band.name).edges)))
        quality = folder / f"MSK_QUALIT_{band.name}.jp2"
        rows, columns = pixels.saturation(band.name, band.gsd)
        if len(rows):
            write_jp2(quality, frame, "uint8", _quality(frame, rows, columns), layers=QUALITY_LAYERS)
        elif spec.is_full_size:
            write_jp2(quality, frame, "uint8", (), layers=QUALITY_LAYERS)
        else:
            quality.write_bytes(_empty_quality_file(frame))
    layers = np.stack(pixels.clouds).astype(np.uint8)
    write_jp2(folder / "MSK_CLASSI_B00.jp2", frame_of(spec, 60), "uint8", [(0, layers)], layers=3)


def _footprint(layout: DetectorLayout, frame: ImageFrame, out_of_range: bool) -> Iterator[tuple[int, np.ndarray]]:
    step = 1024
    for first in range(0, frame.size, step):
        numbers = layout.numbers(int(frame.pixel), first, min(step, frame.size - first))
        if out_of_range and first == 0:
            numbers[2:12, 2:12] = OUT_OF_RANGE_DETECTOR
        yield first, numbers


@lru_cache(maxsize=64)
def _footprint_file(frame: ImageFrame, band: str, edges: tuple[float, ...]) -> bytes:
    """Products of one tile and relative orbit have the same footprints; the demonstration has many of them."""
    layout = DetectorLayout(band, np.array(edges), round(frame.size * frame.pixel))
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / "mask.jp2"
        write_jp2(path, frame, "uint8", _footprint(layout, frame, out_of_range=False))
        return path.read_bytes()


@lru_cache(maxsize=16)
def _empty_quality_file(frame: ImageFrame) -> bytes:
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / "mask.jp2"
        write_jp2(path, frame, "uint8", (), layers=QUALITY_LAYERS)
        return path.read_bytes()


def _quality(frame: ImageFrame, rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for row in np.unique(rows):
        line = np.zeros((QUALITY_LAYERS, 1, frame.size), np.uint8)
        line[SATURATED_LAYER - 1, 0, columns[rows == row]] = 1
        yield int(row), line


# -- GML


def _write_gml_masks(pixels: Pixels, folder: Path) -> None:
    spec = pixels.spec
    for band in BANDS:
        features: dict[str, list[Feature]] = {kind: [] for kind in GML_KINDS}
        features["DETFOO"] = _footprint_features(spec, pixels.layout(band.name))
        rows, columns = pixels.saturation(band.name, band.gsd)
        features["SATURA"] = [
            (f"QT_SATURATED_PIXELS_L1A-{band.name}.{i}", "QT_SATURATED_PIXELS_L1A", _square(r, c, 1, band.gsd))
            for i, (r, c) in enumerate(zip(rows, columns, strict=True))
        ]
        for kind, members in features.items():
            _write_gml(spec, folder, kind, band.name, members)
    opaque, _, _ = pixels.clouds
    _write_gml(spec, folder, "CLOUDS", "B00", list(_cloud_features(opaque)))


def _footprint_features(spec: ProductSpec, layout: DetectorLayout) -> list[Feature]:
    features: list[Feature] = []
    wrong = Fault.DETFOO_OUT_OF_RANGE in spec.faults and layout.band == OUT_OF_RANGE_BAND
    for detector in range(1, 13):
        ring = layout.polygon(detector)
        if ring is None:
            continue
        number = OUT_OF_RANGE_DETECTOR if wrong and not features else detector
        name = f"detector_footprint-{layout.band}-{number:02d}-{len(features)}"
        features.append((name, "DETECTOR_FOOTPRINT", ring))
    return features


def _cloud_features(opaque: np.ndarray) -> Iterator[Feature]:
    """One polygon per run of cloudy pixels in a row: simple, and exactly the mask when it is made a raster again."""
    index = 0
    for row, line in enumerate(opaque):
        changes = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
        for first, last in zip(changes[::2], changes[1::2], strict=True):
            yield f"OPAQUE.{index}", "OPAQUE", _square(row, int(first), int(last - first), 60)
            index += 1


def _square(row: int, column: int, columns: int, gsd: int) -> np.ndarray:
    """Closed ring around ``columns`` pixels of a row, m east and south of the tile's corner."""
    west, east, north, south = column * gsd, (column + columns) * gsd, row * gsd, (row + 1) * gsd
    return np.array([(west, north), (east, north), (east, south), (west, south), (west, north)], float)


def _write_gml(spec: ProductSpec, folder: Path, kind: str, band: str, features: list[Feature]) -> None:
    name = (
        f"{spec.unit}_OPER_MSK_{kind}_{spec.site}_{stamp(spec.generated)}_A{spec.absolute_orbit:06d}"
        f"_T{spec.tile.name}_{band}_MSIL1C"
    )
    flat = kind == "CLOUDS"  # cloud polygons have two coordinates, those of the detectors three
    placed = [(gml_id, form, _placed(spec, ring)) for gml_id, form, ring in features]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<eop:Mask xmlns:eop="http://www.opengis.net/eop/2.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:gml="http://www.opengis.net/gml/3.2" gml:id="{name}">',
        f"  <gml:name>MSK_{kind} pixels mask from data-strip {name}</gml:name>",
    ]
    if placed:
        corners = np.concatenate([ring for _, _, ring in placed])
        low, high = corners.min(axis=0), corners.max(axis=0)
        height = "" if flat else " 0"
        lines += [
            "  <gml:boundedBy>",
            f'    <gml:Envelope srsName="urn:ogc:def:crs:EPSG:8.7:{spec.tile.epsg}">',
            f"      <gml:lowerCorner>{_number(low[0])} {_number(low[1])}{height}</gml:lowerCorner>",
            f"      <gml:upperCorner>{_number(high[0])} {_number(high[1])}{height}</gml:upperCorner>",
            "    </gml:Envelope>",
            "  </gml:boundedBy>",
            "  <eop:maskMembers>",
            *(_feature(index, *feature, flat) for index, feature in enumerate(placed)),
            "  </eop:maskMembers>",
        ]
    else:
        lines.append("  <eop:maskMembers/>")
    lines.append("</eop:Mask>\n")
    (folder / f"MSK_{kind}_{band}.gml").write_text("\n".join(lines), encoding="utf-8")


def _placed(spec: ProductSpec, ring: np.ndarray) -> np.ndarray:
    """Ring in the tile's projection."""
    return np.column_stack([spec.tile.ulx + ring[:, 0], spec.tile.uly - ring[:, 1]])


def _feature(index: int, gml_id: str, form: str, ring: np.ndarray, flat: bool) -> str:
    height = "" if flat else " 0"
    positions = " ".join(f"{_number(x)} {_number(y)}{height}" for x, y in ring)
    return (
        f'    <eop:MaskFeature gml:id="{gml_id}">\n'
        f'      <eop:maskType codeSpace="urn:gs2:S2PDGS:maskType">{form}</eop:maskType>\n'
        "      <eop:extentOf>\n"
        f'        <gml:Polygon gml:id="{form}.{index}_Polygon">\n'
        "          <gml:exterior>\n"
        "            <gml:LinearRing>\n"
        f'              <gml:posList srsDimension="{2 if flat else 3}">{positions}</gml:posList>\n'
        "            </gml:LinearRing>\n"
        "          </gml:exterior>\n"
        "        </gml:Polygon>\n"
        "      </eop:extentOf>\n"
        "    </eop:MaskFeature>"
    )


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
