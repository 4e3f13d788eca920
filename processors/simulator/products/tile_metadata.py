"""MTD_TL.xml: frame, angles, content and masks of the tile (L1C, L2A)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from lxml import etree

from mpc.msi.bands import BANDS, GSDS
from processors.simulator.products.detectors import SLANT, DetectorLayout
from processors.simulator.products.layout import granule_path, preview_member
from processors.simulator.products.masks import mask_names
from processors.simulator.products.pixels import Pixels
from processors.simulator.products.spec import ProductSpec, iso_ms, iso_us
from processors.simulator.products.xmltree import add, add_all, psd_root, section, to_bytes

GRID_NODES = 23
"""Rows and columns of the angle grids; full tiles have one node every 5000 m, reduced ones closer in proportion."""

HALF_SWATH_DEG = 10.3
TRACK_HEADING_DEG = 193.0
_NAN = "NaN"


def tile_metadata(pixels: Pixels, content: Sequence[tuple[str, str]]) -> bytes:
    """The metadata file; ``content`` is the list of ``Image_Content_QI``."""
    spec = pixels.spec
    root = psd_root(f"Level-{spec.level[1:]}_Tile_ID", spec.era.namespace("tile", spec.level))
    _add_general(section(root, "General_Info"), spec)
    geometric = section(root, "Geometric_Info")
    _add_geocoding(geometric, spec)
    angles = add(geometric, "Tile_Angles", None, {"metadataLevel": "Standard"})
    _add_sun_angles(angles, spec)
    _add_viewing_angles(angles, pixels)
    quality = section(root, "Quality_Indicators_Info", metadataLevel="Standard")
    add_all(add(quality, "Image_Content_QI"), content)
    _add_masks(quality, spec)
    add(quality, "PVI_FILENAME", _preview_name(spec))
    return to_bytes(root)


def _add_general(parent: etree._Element, spec: ProductSpec) -> None:
    standard = {"metadataLevel": "Standard"}
    if spec.level == "L2A":
        add(parent, "L1C_TILE_ID", spec.tile_id_of("L1C"), {"metadataLevel": "Brief"})
    add(parent, "TILE_ID", spec.tile_id, {"metadataLevel": "Brief"})
    add(parent, "DATASTRIP_ID", spec.datastrip_id, standard)
    add(parent, "DOWNLINK_PRIORITY", "NOMINAL", standard)
    own = spec.era.has_tile_sensing_time
    add(parent, "SENSING_TIME", iso_us(spec.sensing_time) if own else iso_ms(spec.datastrip_start), standard)
    archiving = add(parent, "Archiving_Info", None, {"metadataLevel": "Expertise"})
    add_all(archiving, [("ARCHIVING_CENTRE", spec.site), ("ARCHIVING_TIME", iso_us(spec.generated))])


def _add_geocoding(parent: etree._Element, spec: ProductSpec) -> None:
    zone, north = spec.tile.epsg % 100, spec.tile.epsg < 32700
    geocoding = add(parent, "Tile_Geocoding", None, {"metadataLevel": "Brief"})
    add(geocoding, "HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {zone}{'N' if north else 'S'}")
    add(geocoding, "HORIZONTAL_CS_CODE", f"EPSG:{spec.tile.epsg}")
    for gsd in GSDS:
        size = add(geocoding, "Size", None, {"resolution": str(gsd)})
        add_all(size, [("NROWS", spec.pixels(gsd)), ("NCOLS", spec.pixels(gsd))])
    for gsd in GSDS:
        position = add(geocoding, "Geoposition", None, {"resolution": str(gsd)})
        add_all(position, [("ULX", spec.tile.ulx), ("ULY", spec.tile.uly), ("XDIM", gsd), ("YDIM", -gsd)])


# -- angles


def _nodes(spec: ProductSpec) -> tuple[int, np.ndarray, np.ndarray]:
    """Step in m, and the nodes' positions in m east and south of the tile's corner (each 23 x 23)."""
    step = -(-spec.extent * 100 // 2196)  # 5000 m for the 109 800 m of a full tile
    along = np.arange(GRID_NODES, dtype=float) * step
    return step, *np.meshgrid(along, along)


def _add_grid(parent: etree._Element, name: str, step: int, values: np.ndarray) -> None:
    grid = add(parent, name)
    add(grid, "COL_STEP", step, {"unit": "m"})
    add(grid, "ROW_STEP", step, {"unit": "m"})
    rows = add(grid, "Values_List")
    for row in values:
        add(rows, "VALUES", " ".join(_NAN if value != value else f"{value:.6g}" for value in row.tolist()))


def _add_sun_angles(parent: etree._Element, spec: ProductSpec) -> None:
    step, x, y = _nodes(spec)
    half = spec.extent / 2
    # about a degree of latitude and of hour angle over a full tile
    zenith = spec.sun_zenith + (y - half) / 111_000 * -0.62 + (x - half) / 111_000 * -0.14
    azimuth = (spec.sun_azimuth + (x - half) / 111_000 * 1.6 + (y - half) / 111_000 * 0.3) % 360
    grids = add(parent, "Sun_Angles_Grid")
    _add_grid(grids, "Zenith", step, zenith)
    _add_grid(grids, "Azimuth", step, azimuth)
    mean = add(parent, "Mean_Sun_Angle")
    add(mean, "ZENITH_ANGLE", f"{spec.sun_zenith:.12g}", {"unit": "deg"})
    add(mean, "AZIMUTH_ANGLE", f"{spec.sun_azimuth:.12g}", {"unit": "deg"})


def viewing_angles(
    layout: DetectorLayout, x: np.ndarray, y: np.ndarray, detector: int
) -> tuple[np.ndarray, np.ndarray]:
    """Zenith and azimuth (degrees) under which a detector sees points ``x``, ``y`` (m east and south of the corner).

    Across the track by the position in the swath (stretched by the Earth's curvature); along it 1 to 2.5 degrees
    forward or backward, by parity of the detector and place of the band in the focal plane.
    """
    across = layout.across(x, y) / 6 * HALF_SWATH_DEG * 1.13
    band_place = np.sin(3.0 * sum(layout.band.encode())) * 0.7
    along = (1.8 + band_place) * (1 if detector % 2 else -1)
    zenith = np.hypot(across, along)
    azimuth = (TRACK_HEADING_DEG + 90 + np.degrees(np.arctan2(along, across))) % 360
    return zenith, azimuth


def _add_viewing_angles(parent: etree._Element, pixels: Pixels) -> None:
    spec = pixels.spec
    step, x, y = _nodes(spec)
    means: list[tuple[int, float, float]] = []
    # real files list bands and detectors in no order that a reader could rely on
    for band in (*BANDS[9:], *BANDS[:9]):
        layout = pixels.layout(band.name)
        seen = x + SLANT * y
        zeniths, azimuths = [], []
        for detector in reversed(layout.present()):
            zenith, azimuth = viewing_angles(layout, x, y, detector)
            # nodes just beyond the footprint are filled too: neighbours overlap by up to a node
            outside = (seen < layout.edges[detector - 1] - step) | (seen > layout.edges[detector] + step)
            zenith[outside] = azimuth[outside] = np.nan
            if outside.all():
                continue
            zeniths.append(zenith[~outside])
            azimuths.append(azimuth[~outside])
            grids = add(
                parent,
                "Viewing_Incidence_Angles_Grids",
                None,
                {"bandId": str(band.band_id), "detectorId": str(detector)},
            )
            _add_grid(grids, "Zenith", step, zenith)
            _add_grid(grids, "Azimuth", step, azimuth)
        directions = np.radians(np.concatenate(azimuths))
        turned = float(np.degrees(np.arctan2(np.sin(directions).mean(), np.cos(directions).mean())) % 360)
        means.append((band.band_id, float(np.concatenate(zeniths).mean()), turned))
    table = add(parent, "Mean_Viewing_Incidence_Angle_List")
    for band_id, mean_zenith, mean_azimuth in means:
        mean = add(table, "Mean_Viewing_Incidence_Angle", None, {"bandId": str(band_id)})
        add(mean, "ZENITH_ANGLE", f"{mean_zenith:.12g}", {"unit": "deg"})
        add(mean, "AZIMUTH_ANGLE", f"{mean_azimuth:.12g}", {"unit": "deg"})


# -- masks


def _add_masks(parent: etree._Element, spec: ProductSpec) -> None:
    table = add(parent, "Pixel_Level_QI", None, {"geometry": "FULL_RESOLUTION"})
    band_ids = {band.name: str(band.band_id) for band in BANDS}
    folder = f"{granule_path(spec)}/QI_DATA"
    for kind, band, name in mask_names(spec):
        attributes = {"type": kind} if band == "B00" else {"bandId": band_ids[band], "type": kind}
        add(table, "MASK_FILENAME", f"{folder}/{name}", attributes)
    if spec.level == "L2A":
        for gsd in (20, 60):
            for kind in ("MSK_CLDPRB", "MSK_SNWPRB"):
                add(table, "MASK_FILENAME", f"{folder}/{kind}_{gsd}m.jp2", {"type": kind})


def _preview_name(spec: ProductSpec) -> str:
    """The schema of 02.04 wants the preview without its suffix (a real product of that time breaks it)."""
    member = preview_member(spec)
    return member if spec.era.has_check_attributes else member.removesuffix(".jp2")
