"""One record of all that a product says of itself: what the inventory keeps.

The reading is tolerant: a product whose metadata is broken is still described by its name, with ``problem`` saying
what could not be read, so that quality control can report it. Only what is no Sentinel-2 product at all, or a
container that must not be opened (see :mod:`mpc.msi.container`), is refused.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shapely import wkb
from shapely.geometry import Polygon

from mpc.msi.container import ContainerError
from mpc.msi.metadata import MetadataProblem, read_datastrip_metadata, read_product_metadata, read_tile_metadata
from mpc.msi.names import InvalidName, ProductName, parse_product_name
from mpc.msi.records import DatastripMetadata, Gipp, ProductMetadata, Radiometry, TileMetadata
from mpc.msi.safe import SafeError, SafeProduct, open_safe
from mpc.msi.xmlio import MAX_BYTES, XmlProblem

log = logging.getLogger(__name__)

MAX_PATH = 1000
"""Longest path of a product that is kept, in characters."""


class Refused(ValueError):
    """Not taken in; the text says why, for the person who sent it."""


@dataclass(frozen=True)
class Description:
    """What the inventory keeps of a product. Percentages in %, angles in degrees, times in UTC."""

    name: str
    kind: str
    level: str
    unit: str
    observation: str
    path: str
    container: str
    layout: str
    size: int
    checksum: str
    datatake_id: str = ""
    datastrip_id: str = ""
    absolute_orbit: int | None = None
    relative_orbit: int | None = None
    tiles: tuple[str, ...] = ()
    baseline: str = ""
    sensing_start: datetime | None = None
    generation_time: datetime | None = None
    discriminator: str = ""
    footprint: bytes | None = None
    bounds: tuple[float, float, float, float] | None = None
    cloud_cover: float | None = None
    nodata_percentage: float | None = None
    degraded_msi: float | None = None
    degraded_anc: float | None = None
    sun_zenith: float | None = None
    radiometry: Radiometry = field(default_factory=Radiometry)
    sun_angles: dict[str, dict[str, float | None]] = field(default_factory=dict)
    view_angles: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    gipps: tuple[Gipp, ...] = ()
    auxiliary: dict[str, str] = field(default_factory=dict)
    quality_flags: dict[str, str] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    problem: str = ""


def describe_product(
    path: Path | str, *, checksum: bool = True, progress: Callable[[float], None] | None = None
) -> Description:
    """Read everything that the inventory keeps of the product at ``path`` (folder or zip, never unpacked).

    Raises:
        Refused: no Sentinel-2 product, or a container that is broken or hostile.
        OSError: the disk or network failed while it was read.
    """
    if reason := unfit_path(path):
        raise Refused(reason)
    try:
        with open_safe(path) as safe:
            return _describe(safe, checksum, progress)
    except (ContainerError, SafeError) as error:
        raise Refused(str(error)) from error
    except (Refused, OSError):
        raise
    except Exception as error:
        # What nobody thought of in one product must not keep the others out: it is told, with its trace in the log.
        log.exception("describing %s broke", path)
        raise Refused(
            f"reading it broke the centre's own software ({type(error).__name__}: {error}); tell the operators"
        ) from error


def unfit_path(path: Path | str) -> str:
    """Why a product cannot be kept under this path; "" when it can."""
    text = str(Path(path).absolute())
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "the name of the file, or of a folder above it, is not UTF-8 text: rename it"
    if len(text) > MAX_PATH:
        return f"its path has {len(text)} characters, at most {MAX_PATH} are kept: move it to a shorter one"
    return ""


def _describe(safe: SafeProduct, checksum: bool, progress: Callable[[float], None] | None) -> Description:
    problems: list[str] = []
    remarks: list[str] = []
    product = _read(safe, safe.product_metadata, read_product_metadata, problems, remarks)
    # The granules of a datastrip of L1A or L1B are detector scenes with metadata of their own kind.
    granules = safe.granules if safe.kind == "product" else ()
    tiles = [t for g in granules if (t := _read(safe, g.metadata, read_tile_metadata, problems, remarks))]
    strips = [s for d in safe.datastrips if (s := _read(safe, d.metadata, read_datastrip_metadata, problems, remarks))]
    name = _name(safe, product, strips)
    tile_names = tuple(dict.fromkeys(g.tile for g in safe.granules if g.tile))
    if not tile_names and name.tile:
        tile_names = (name.tile,)
    first_strip = strips[0] if strips else None
    footprint, bounds = _footprint(product.footprint if product else ())
    size = safe.container.total_size()
    return Description(
        name=name.name,
        kind=safe.kind,
        level=name.level,
        unit=name.unit,
        observation=_observation(name, safe.kind, tile_names),
        path=str(Path(safe.container.path).resolve()),
        container=safe.container.kind,
        layout=safe.layout,
        size=size,
        checksum=safe.container.checksum(progress) if checksum else "",
        datatake_id=_first(product and product.datatake_id, first_strip and first_strip.datatake_id) or "",
        datastrip_id=_datastrip_id(safe, name, product, tiles),
        absolute_orbit=_first(product and product.absolute_orbit, first_strip and first_strip.absolute_orbit),
        relative_orbit=_first(
            product and product.relative_orbit, first_strip and first_strip.relative_orbit, name.relative_orbit
        ),
        tiles=tile_names,
        baseline=_first(product and product.baseline, first_strip and first_strip.baseline, name.baseline) or "",
        sensing_start=_sensing_start(name, product, tiles, strips),
        generation_time=_first(
            product and product.generation_time, first_strip and first_strip.generation_time, name.generation
        ),
        discriminator=name.discriminator.strftime("%Y%m%dT%H%M%S") if name.discriminator else "",
        footprint=footprint,
        bounds=bounds,
        cloud_cover=_first(product and product.cloud_cover, *(t.cloud_percentage for t in tiles)),
        nodata_percentage=_mean([t.nodata_percentage for t in tiles]),
        # The product's value is rounded to 0 where the tile says 0.0264; see metadata-map, section 9.
        degraded_msi=_first(_mean([t.degraded_msi for t in tiles]), product and product.degraded_msi),
        degraded_anc=_first(product and product.degraded_anc, first_strip and first_strip.degraded_anc),
        sun_zenith=_mean([t.sun_zenith for t in tiles]),
        radiometry=product.radiometry if product else first_strip.radiometry if first_strip else Radiometry(),
        sun_angles={_tile_key(t): {"zenith": t.sun_zenith, "azimuth": t.sun_azimuth} for t in tiles},
        view_angles={
            _tile_key(t): {b: {"zenith": a.zenith, "azimuth": a.azimuth} for b, a in t.view_angles.items()}
            for t in tiles
        },
        gipps=(product and product.gipps) or (first_strip.gipps if first_strip else ()),
        auxiliary={**(first_strip.auxiliary if first_strip else {}), **(product.auxiliary if product else {})},
        quality_flags={f.name: f.status for f in product.quality_flags} if product else {},
        detail=_detail(product, tiles, strips),
        remarks=tuple(remarks),
        problem="\n".join(problems),
    )


def _read(safe: SafeProduct, member: str | None, reader: Callable, problems: list[str], remarks: list[str]) -> Any:
    """The record of one metadata file, or None with the reason in ``problems``; an absent file is no problem here."""
    if member is None:
        return None
    found: list[str] = []
    try:
        record = reader(safe.container.read(member, limit=MAX_BYTES), problems=found)
    except (XmlProblem, MetadataProblem, ContainerError) as error:
        problems.append(f"{member}: {error}")
        return None
    remarks.extend(f"{member}: {text}" for text in found)
    return record


def _name(safe: SafeProduct, product: ProductMetadata | None, strips: list[DatastripMetadata]) -> ProductName:
    """The product's name: that of its folder, else what its metadata calls it."""
    reason = ""
    candidates = [safe.name, product.product_uri if product else "", *(s.datastrip_id for s in strips)]
    for candidate in candidates:
        if not candidate:
            continue
        try:
            return parse_product_name(candidate)
        except InvalidName as error:
            reason = reason or str(error)
    raise Refused(f"not a Sentinel-2 product: {reason or 'neither a name nor metadata says what this is'}")


def _datastrip_id(
    safe: SafeProduct, name: ProductName, product: ProductMetadata | None, tiles: list[TileMetadata]
) -> str:
    """The datastrip's full id as tiles and products give it, else what its folder is called."""
    said = [name.name] if safe.kind == "datastrip" else []
    said += [t.datastrip_id or "" for t in tiles] + list(product.datastrip_ids if product else ())
    said += [strip.id for strip in safe.datastrips]
    return next((text for text in said if text), "")


def _observation(name: ProductName, kind: str, tiles: tuple[str, ...]) -> str:
    """What all versions of one observation have in common: level, unit, start, and the tile or "datastrip"."""
    place = f"T{name.tile or '-'.join(tiles)}" if kind == "product" else "DS"
    # The name of a tile alone says no start of sensing, but its absolute orbit.
    when = f"{name.start:%Y%m%dT%H%M%S}" if name.start else f"A{name.absolute_orbit or 0:06d}"
    return f"{name.unit}_{name.level}_{when}_{place}"[:120]


def _sensing_start(
    name: ProductName, product: ProductMetadata | None, tiles: list[TileMetadata], strips: list[DatastripMetadata]
) -> datetime | None:
    """The tile's own time where it is real (from 02.07), else the datastrip's or datatake's start."""
    tile_time = tiles[0].sensing_time if len(tiles) == 1 else None
    strip_time = strips[0].sensing_start if strips else None
    return tile_time or strip_time or (product.datatake_start if product else None) or name.start


def _footprint(
    points: tuple[tuple[float, float], ...],
) -> tuple[bytes | None, tuple[float, float, float, float] | None]:
    """WKB polygon (longitude, latitude) and its bounds west, south, east, north; west > east across the date line."""
    if len(points) < 4:
        return None, None
    polygon = Polygon(points)
    longitudes = [longitude for longitude, _ in points]
    west, south, east, north = polygon.bounds
    if max(longitudes) - min(longitudes) > 180:
        eastern, western = [x for x in longitudes if x >= 0], [x for x in longitudes if x < 0]
        if not eastern or not western:
            return None, None  # no tile is as wide as that
        west, east = min(eastern), max(western)
    return wkb.dumps(polygon), (west, south, east, north)


def _tile_key(tile: TileMetadata) -> str:
    part = tile.tile_id.rsplit("_", 2)
    return part[1].removeprefix("T") if len(part) == 3 and part[1].startswith("T") else tile.tile_id


def _detail(
    product: ProductMetadata | None, tiles: list[TileMetadata], strips: list[DatastripMetadata]
) -> dict[str, Any]:
    """The records as plain values; what has a place of its own in the description is left out."""
    kept = {"gipps", "radiometry", "footprint", "quality_flags", "view_angles", "image_files"}

    def plain(record: Any) -> dict[str, Any]:
        return {k: _plain(v) for k, v in dataclasses.asdict(record).items() if k not in kept}

    return {
        "product": plain(product) if product else None,
        "tiles": [plain(t) for t in tiles],
        "datastrips": [plain(s) for s in strips],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def _first(*values: Any) -> Any:
    return next((v for v in values if v is not None), None)


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None
