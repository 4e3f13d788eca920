"""Which member of a product is what, told by its path alone.

Covered are the compact names (since December 2016), the older multi-tile names, and the bare names of public archives
("B01.jp2", "qi/MSK_DETFOO_B01.gml", "R10m/B02.jp2").
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mpc.msi.bands import band_by_name
from mpc.msi.names import InvalidName, parse_granule_folder, parse_granule_id, parse_tile_id

REPORTS = (
    "FORMAT_CORRECTNESS",
    "GENERAL_QUALITY",
    "GEOMETRIC_QUALITY",
    "RADIOMETRIC_QUALITY",
    "SENSOR_QUALITY",
    "L2A_QUALITY",
)
"""Names of the on-line quality control reports, as they stand in file names."""

_LAYERS = {"TCI": 10, "AOT": 10, "WVP": 10, "SCL": 20}
_IMAGE = re.compile(
    r"(?:^|_)(?P<layer>B(?:0[1-9]|1[0-2]|8A)|TCI|AOT|WVP|SCL)(?:_(?P<gsd>10|20|60)m)?\.jp2$", re.IGNORECASE
)
_OLD_TCI = re.compile(r"S2[A-D]_[A-Z]{4}_TCI_L\w\w_T[LC]_.*\.jp2$")
_GSD_FOLDER = re.compile(r"(?:^|/)R(10|20|60)m/")
_MASK = re.compile(r"(?:^|_)MSK_(?P<kind>[A-Z]{6})_(?:.*_)?(?P<band>B\d[0-9A]|[126]0m)(?:_MSIL\w\w)?\.(?:jp2|gml)$")
_PROBABILITY = re.compile(r"(?:^|_)(?P<kind>CLD|SNW)_(?P<gsd>[126]0m)\.jp2$")
_PVI = re.compile(r"(?:^|_)PVI(?:_.*)?\.jp2$")
_REPORT = re.compile(rf"(?:^|_)(?P<name>{'|'.join(REPORTS)})(?:_report)?\.xml$")
_TILE_METADATA = re.compile(r"(?:MTD_TL|S2[A-D]_[A-Z]{4}_MTD_L\w\w?_(?:TL|GR)_\w+)\.xml$")
_DATASTRIP_METADATA = re.compile(r"(?:MTD_DS|S2[A-D]_[A-Z]{4}_MTD_L\w\w?_DS_\w+)\.xml$")
_PRODUCT_METADATA = re.compile(r"(?:MTD_MSIL\w\w|S2[A-D]_[A-Z]{4}_MTD_SAFL\w\w_\w+)\.xml$")
_TILE_NUMBER = re.compile(r"(?:^|_)T(\d\d[A-Z]{3})(?=[_.]|$)")
_NOT_IMAGES = re.compile(r"(?:^|/)(?:QI_DATA|qi|preview|HTML)/")


@dataclass(frozen=True)
class GranuleParts:
    """Members of one tile (L1C, L2A) or granule (L0 to L1B); paths are relative to the product's root.

    Attributes:
        id: name of its folder, "" where it has none of its own (flat and AWS layouts).
        tile: military grid name without the T.
        metadata: its XML.
        images: by ("B02", 10), ("TCI", 10), ("SCL", 20), ("AOT", 60), ("WVP", 10); GSD in metres.
        masks: by ("DETFOO", "B02"), ("CLASSI", "B00"), ("CLDPRB", "20m") and so on.
        reports: by the name of the report, "FORMAT_CORRECTNESS".
        pvi: preview image.
        tci: true colour image at its finest resolution.
        aux: files of AUX_DATA.
    """

    id: str
    tile: str | None = None
    metadata: str | None = None
    images: dict[tuple[str, int], str] = field(default_factory=dict)
    masks: dict[tuple[str, str], str] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)
    pvi: str | None = None
    tci: str | None = None
    aux: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatastripParts:
    """Members of one datastrip: its XML and its reports by name; ``id`` is the name of its folder."""

    id: str
    metadata: str | None = None
    reports: dict[str, str] = field(default_factory=dict)


def image_key(path: str) -> tuple[str, int] | None:
    """("B02", 10) for the path of an image; None for anything else, previews and masks too.

    The GSD is that of the name ("_20m") or of the folder ("R20m"), else the band's own.
    """
    if _NOT_IMAGES.search(path):
        return None
    name = _base(path)
    if _OLD_TCI.fullmatch(name):
        return "TCI", 10
    match = _IMAGE.search(name)
    if match is None or _MASK.search(name):
        return None
    layer = match["layer"].upper()
    folder = _GSD_FOLDER.search(path)
    if match["gsd"]:
        return layer, int(match["gsd"])
    if folder:
        return layer, int(folder[1])
    return layer, _LAYERS.get(layer) or band_by_name(layer).gsd


def mask_key(path: str) -> tuple[str, str] | None:
    """("DETFOO", "B02"), ("CLDPRB", "20m") for the path of a mask; None for anything else."""
    name = _base(path)
    if match := _MASK.search(name):
        return match["kind"], match["band"]
    if match := _PROBABILITY.search(name):
        return f"{match['kind']}PRB", match["gsd"]
    return None


def report_name(path: str) -> str | None:
    """ "FORMAT_CORRECTNESS" for the path of that report, by itself or with the name of its datastrip around it."""
    match = _REPORT.search(_base(path))
    return match["name"] if match else None


def is_tile_metadata(path: str) -> bool:
    return bool(_TILE_METADATA.fullmatch(_base(path)))


def is_datastrip_metadata(path: str) -> bool:
    return bool(_DATASTRIP_METADATA.fullmatch(_base(path)))


def is_product_metadata(path: str) -> bool:
    return bool(_PRODUCT_METADATA.fullmatch(_base(path)))


def gather_granule(folder: str, members: Iterable[str], *, metadata: str | None = None) -> GranuleParts:
    """Sort the members of one granule; ``metadata`` names its XML where the usual names do not tell it."""
    images: dict[tuple[str, int], str] = {}
    masks: dict[tuple[str, str], str] = {}
    reports: dict[str, str] = {}
    aux: list[str] = []
    pvi: str | None = None
    for path in members:
        if key := image_key(path):
            images.setdefault(key, path)
        elif mask := mask_key(path):
            # A reprocessing that kept both forms means the raster: it is the newer one.
            if path.endswith(".jp2") or mask not in masks:
                masks[mask] = path
        elif report := report_name(path):
            reports.setdefault(report, path)
        elif _PVI.search(_base(path)) or path == "preview.jp2":
            pvi = pvi or path
        elif is_tile_metadata(path):
            metadata = metadata or path
        elif re.search(r"(?:^|/)(?:AUX_DATA|auxiliary)/", path):
            aux.append(path)
    tci = min((key for key in images if key[0] == "TCI"), default=None)
    return GranuleParts(
        id=folder.rsplit("/", 1)[-1],
        tile=_tile(folder, images.values(), metadata),
        metadata=metadata,
        images=dict(sorted(images.items())),
        masks=dict(sorted(masks.items())),
        reports=dict(sorted(reports.items())),
        pvi=pvi,
        tci=images[tci] if tci else None,
        aux=tuple(aux),
    )


def gather_datastrip(folder: str, members: Iterable[str], *, metadata: str | None = None) -> DatastripParts:
    """Sort the members of one datastrip; ``metadata`` names its XML where the usual names do not tell it."""
    reports: dict[str, str] = {}
    for path in members:
        if report := report_name(path):
            reports.setdefault(report, path)
        elif is_datastrip_metadata(path):
            metadata = metadata or path
    return DatastripParts(folder.rsplit("/", 1)[-1], metadata, dict(sorted(reports.items())))


def level_of_granule(granule: GranuleParts) -> str | None:
    """Level that the names of a granule tell, None where they tell none."""
    for parse in (parse_granule_folder, parse_tile_id, parse_granule_id):
        for text in (granule.id, _base(granule.metadata or "")):
            try:
                return parse(text).level
            except InvalidName:
                continue
    if any(_GSD_FOLDER.search(path) or re.search(r"_[126]0m\.jp2$", path) for path in granule.images.values()):
        return "L2A"
    return None


def _tile(folder: str, images: Iterable[str], metadata: str | None) -> str | None:
    for text in (folder.rsplit("/", 1)[-1], *map(_base, images), _base(metadata or "")):
        if match := _TILE_NUMBER.search(text):
            return match[1]
    return None


def _base(path: str) -> str:
    return path.rsplit("/", 1)[-1]
