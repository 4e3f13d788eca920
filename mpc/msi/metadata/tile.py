"""Reader of tile metadata (``MTD_TL.xml``, ``S2A_OPER_MTD_L1C_TL_..xml``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mpc.msi.bands import DETECTORS, GSDS
from mpc.msi.metadata.common import Facts, in_band_order
from mpc.msi.records import Grid, TileMetadata, ViewAngles

_UTM = re.compile(r"(?:EPSG:)?(32[67](?:0[1-9]|[1-5]\d|60))", re.ASCII)


def read_tile_metadata(data: bytes, *, problems: list[str] | None = None, what: str = "tile metadata") -> TileMetadata:
    """The facts of a tile.

    They stand in ``General_Info`` (identity, times), ``Geometric_Info/Tile_Geocoding`` (frames of the three
    resolutions), ``Geometric_Info/Tile_Angles`` and ``Quality_Indicators_Info``. Angles are found by their band number,
    since they come in any order; NaN in the angle grids means "not seen by this detector" and is no problem. The grids
    may be absent altogether.

    Args:
        data: the file.
        problems: gets a line for each value that cannot be true.
        what: name of the file for messages.

    Raises:
        XmlProblem: not XML, or refused.
        MetadataProblem: the root is not ``Level-1C_Tile_ID`` or ``Level-2A_Tile_ID``.
    """
    facts = Facts(data, what=what, kind="tile", suffix="Tile_ID", problems=problems)
    content = facts.content(
        facts.find("Quality_Indicators_Info/Image_Content_QI", "Quality_Indicators_Info/L2A_Image_Content_QI")
    )
    return TileMetadata(
        root=facts.name,
        namespace=facts.namespace,
        tile_id=facts.text("General_Info/TILE_ID", "General_Info/TILE_ID_2A") or "",
        datastrip_id=facts.text("General_Info/DATASTRIP_ID", "General_Info/DATASTRIP_ID_2A"),
        downlink_priority=facts.text("General_Info/DOWNLINK_PRIORITY"),
        sensing_time=facts.time("General_Info/SENSING_TIME"),
        archiving_time=facts.time("General_Info/Archiving_Info/ARCHIVING_TIME"),
        epsg=_epsg(facts),
        grids=_grids(facts),
        sun_zenith=facts.number("Geometric_Info/Tile_Angles/Mean_Sun_Angle/ZENITH_ANGLE", low=0, high=180, unit="deg"),
        sun_azimuth=facts.number(
            "Geometric_Info/Tile_Angles/Mean_Sun_Angle/AZIMUTH_ANGLE", low=-360, high=360, unit="deg"
        ),
        view_angles=_view_angles(facts),
        detectors=_detectors(facts),
        cloud_percentage=content.get("CLOUDY_PIXEL_PERCENTAGE"),
        snow_percentage=content.get("SNOW_PIXEL_PERCENTAGE", content.get("SNOW_ICE_PERCENTAGE")),
        degraded_msi=content.get("DEGRADED_MSI_DATA_PERCENTAGE"),
        nodata_percentage=content.get("NODATA_PIXEL_PERCENTAGE"),
        content=content,
        mask_files=tuple(_mask_files(facts)),
        pvi_file=facts.text("Quality_Indicators_Info/PVI_FILENAME"),
        level=facts.level,
    )


def _epsg(facts: Facts) -> int | None:
    text = facts.text("Geometric_Info/Tile_Geocoding/HORIZONTAL_CS_CODE")
    if text is None:
        return None
    match = _UTM.fullmatch(text)
    if match is None:
        facts.doubt("HORIZONTAL_CS_CODE", text, "no UTM zone on WGS 84 (EPSG:32601..32660, 32701..32760)")
        return None
    return int(match[1])


def _grids(facts: Facts) -> dict[int, Grid]:
    geocoding = facts.find("Geometric_Info/Tile_Geocoding")
    if geocoding is None:
        return {}
    sizes = _by_resolution(facts, geocoding, "Size")
    positions = _by_resolution(facts, geocoding, "Geoposition")
    grids = {}
    for resolution in GSDS:
        size, position = sizes.get(resolution), positions.get(resolution)
        if size is None or position is None:
            continue
        rows = facts.integer("NROWS", base=size, low=1, high=100_000)
        columns = facts.integer("NCOLS", base=size, low=1, high=100_000)
        ulx, uly = (facts.number(name, base=position, low=-2e7, high=2e7, unit="m") for name in ("ULX", "ULY"))
        xdim, ydim = (facts.number(name, base=position, low=-1e4, high=1e4, unit="m") for name in ("XDIM", "YDIM"))
        if rows is None or columns is None or ulx is None or uly is None or xdim is None or ydim is None:
            continue
        grids[resolution] = Grid(resolution, rows, columns, ulx, uly, xdim, ydim)
    return grids


def _by_resolution(facts: Facts, geocoding: Any, name: str) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for item in facts.all(name, geocoding):
        text = facts.attribute(item, "resolution")
        if text is None:
            continue
        if text not in ("10", "20", "60"):
            facts.doubt(f"{name}/@resolution", text, "not 10, 20 or 60")
            continue
        found.setdefault(int(text), item)
    return found


def _view_angles(facts: Facts) -> dict[str, ViewAngles]:
    angles: dict[str, ViewAngles] = {}
    path = "Geometric_Info/Tile_Angles/Mean_Viewing_Incidence_Angle_List/Mean_Viewing_Incidence_Angle"
    for item in facts.all(path):
        band = facts.band(item)
        zenith = facts.number("ZENITH_ANGLE", base=item, low=0, high=90, unit="deg")
        azimuth = facts.number("AZIMUTH_ANGLE", base=item, low=-360, high=360, unit="deg")
        if band is not None and zenith is not None and azimuth is not None:
            angles.setdefault(band, ViewAngles(zenith, azimuth))
    return in_band_order(angles)


def _detectors(facts: Facts) -> dict[str, tuple[int, ...]]:
    """``detectorId`` is written without a leading zero here, with one elsewhere."""
    seen: dict[str, set[int]] = {}
    for item in facts.all("Geometric_Info/Tile_Angles/Viewing_Incidence_Angles_Grids"):
        band = facts.band(item)
        text = facts.attribute(item, "detectorId")
        if band is None or text is None:
            continue
        detector = facts.whole("@detectorId", text, low=DETECTORS.start, high=DETECTORS.stop - 1)
        if detector is not None:
            seen.setdefault(band, set()).add(detector)
    return in_band_order({band: tuple(sorted(numbers)) for band, numbers in seen.items()})


def _mask_files(facts: Facts) -> Iterator[tuple[str, str]]:
    for item in facts.all("Quality_Indicators_Info/Pixel_Level_QI/MASK_FILENAME"):
        kind = facts.attribute(item, "type")
        path = facts.text_of(item)
        if kind and path:
            yield kind, path
