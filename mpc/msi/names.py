"""Names of products, datastrips, tiles, datatakes and ground image processing parameter files, taken apart.

Source: Sentinel-2 Products Specification Document, section on naming conventions; "File Format Guidelines" for GIPP.
Every function raises :class:`InvalidName` with what is wrong; times are aware (UTC).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

SUFFIXES = (".SAFE", ".ZIP", ".XML", ".TAR", ".EOF", ".HDR", ".DBL", ".TGZ")


class InvalidName(ValueError):
    """A name that follows no convention, or breaks the one that it follows."""


@dataclass(frozen=True)
class ProductName:
    """What the name of a product, datastrip, tile or granule says; None where the convention has no such part.

    Attributes:
        name: without ".SAFE" and ".zip".
        unit: "S2A".."S2D".
        level: "L0", "L1A", "L1B", "L1C" or "L2A".
        kind: "product", "datastrip", "tile" (L1C, L2A) or "granule" (L0 to L1B).
        compact: named by the convention in force since December 2016.
        start: start of the datatake (compact); of the tile's or product's validity (old); of sensing (datastrip).
        baseline: processing baseline with a point, "05.09".
        tile: military grid name without the T, "56JMM".
        discriminator: last time of a compact name; it tells reprocessings apart.
        generation: time of creation, in old names and those of datastrips and tiles.
        site: processing centre of a datastrip, tile or old product ("REFS", "SGS").
        sensing_start: start of sensing of a datastrip or granule.
        absolute_orbit: of a tile.
        detector: of a granule.
    """

    name: str
    unit: str
    level: str
    kind: str
    compact: bool
    start: datetime | None = None
    baseline: str | None = None
    relative_orbit: int | None = None
    tile: str | None = None
    discriminator: datetime | None = None
    generation: datetime | None = None
    site: str | None = None
    sensing_start: datetime | None = None
    sensing_stop: datetime | None = None
    absolute_orbit: int | None = None
    detector: int | None = None


@dataclass(frozen=True)
class DatatakeId:
    """``GS2A_20180629T000241_015757_N02.06``."""

    unit: str
    start: datetime
    absolute_orbit: int
    baseline: str


@dataclass(frozen=True)
class GranuleFolder:
    """``L1C_T56JMM_A015757_20180629T000241``: the folder of a tile in a compact product."""

    level: str
    tile: str
    absolute_orbit: int
    time: datetime


@dataclass(frozen=True)
class DatastripFolder:
    """``DS_EPAE_20180629T012042_S20180629T000241``: the folder of a datastrip in a compact product."""

    site: str
    generation: datetime
    sensing_start: datetime


@dataclass(frozen=True)
class GippName:
    """What the name of a GIPP (or another auxiliary file of the same convention) says.

    ``stop`` is None when the file has no end or one that is not a date; ``stop_text`` keeps what the name says, since
    archives write 99999999T999999, 21000101T000000 and real ends. ``band`` is "B00" where a file serves all bands, and
    "" where the convention has no band. ``file_class`` is "OPER" or "TEST"; ``category`` is "GIP", "AUX" or "DEM".
    """

    mission: str
    file_class: str
    category: str
    type: str
    site: str
    created: datetime
    start: datetime
    stop: datetime | None
    stop_text: str
    band: str


_TIME = r"\d{8}T\d{6}"
_COMPACT = re.compile(
    rf"(?P<unit>S2[A-D])_MSI(?P<level>L\w\w?)_(?P<start>{_TIME})_N(?P<baseline>\d{{4}})_R(?P<orbit>\d{{3}})"
    rf"(?:_T(?P<tile>\d\d[A-Z]{{3}}))?_(?P<discriminator>{_TIME})"
)
_OLD_PRODUCT = re.compile(
    rf"(?P<unit>S2[A-D])_[A-Z]{{4}}_PRD_MSI(?P<level>L\w\w?)_(?P<site>\w{{4}})_(?P<generation>{_TIME})"
    rf"_R(?P<orbit>\d{{3}})_V(?P<start>{_TIME})_(?P<stop>{_TIME})"
)
_DATASTRIP = re.compile(
    rf"(?P<unit>S2[A-D])_[A-Z]{{4}}_(?:MSI|MTD)_(?P<level>L\w\w?)_DS_(?P<site>\w{{4}})_(?P<generation>{_TIME})"
    rf"_S(?P<start>{_TIME})(?:_N(?P<baseline>\d\d\.\d\d))?"
)
_TILE = re.compile(
    rf"(?P<unit>S2[A-D])_[A-Z]{{4}}_(?:MSI|MTD)_(?P<level>L\w\w?)_T[LC]_(?P<site>\w{{4}})_(?P<generation>{_TIME})"
    rf"(?:_S(?P<start>{_TIME}))?_A(?P<absolute>\d{{6}})_T(?P<tile>\d\d[A-Z]{{3}})(?:_N(?P<baseline>\d\d\.\d\d))?"
)
_GRANULE = re.compile(
    rf"(?P<unit>S2[A-D])_[A-Z]{{4}}_(?:MSI|MTD)_(?P<level>L\w\w?)_GR_(?P<site>\w{{4}})_(?P<generation>{_TIME})"
    rf"_S(?P<start>{_TIME})_D(?P<detector>\d\d)(?:_N(?P<baseline>\d\d\.\d\d))?"
)
_DATATAKE = re.compile(rf"G(?P<unit>S2[A-D])_(?P<start>{_TIME})_(?P<absolute>\d{{6}})_N(?P<baseline>\d\d\.\d\d)")
_GRANULE_FOLDER = re.compile(rf"(?P<level>L\w\w?)_T(?P<tile>\d\d[A-Z]{{3}})_A(?P<absolute>\d{{6}})_(?P<time>{_TIME})")
_DATASTRIP_FOLDER = re.compile(rf"DS_(?P<site>\w{{4}})_(?P<generation>{_TIME})_S(?P<start>{_TIME})")
_GIPP = re.compile(
    rf"(?P<mission>S2[A-Z_])_(?P<class>[A-Z]{{4}})_(?P<category>GIP|AUX|DEM)_(?P<type>\w{{6}})_(?P<site>\w{{4}})"
    rf"_(?P<created>{_TIME})_[VS](?P<start>{_TIME})(?:_(?P<stop>{_TIME}))?(?:_(?P<band>B\d[0-9A]))?"
)
_LEVELS = ("L0", "L1A", "L1B", "L1C", "L2A")


def strip_suffix(text: str) -> str:
    """The last part of a path without the suffixes of products, metadata and auxiliary files."""
    name = text.strip().replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    while True:
        for suffix in SUFFIXES:
            if name.upper().endswith(suffix) and len(name) > len(suffix):
                name = name[: -len(suffix)]
                break
        else:
            return name


def parse_time(text: str, *, what: str = "time") -> datetime:
    """``20180629T000241`` as an aware time.

    Raises:
        InvalidName: it is no date.
    """
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidName(f"{what} {text!r} is not a date of the form YYYYMMDDTHHMMSS") from None


def parse_product_name(text: str) -> ProductName:
    """Take apart the name of a product, datastrip, tile or granule (a path or suffix around it does not matter).

    >>> parse_product_name("S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.SAFE").tile
    '56JMM'

    Raises:
        InvalidName: no convention fits, or a part is impossible (a date, an orbit beyond 143, an unknown level).
    """
    name = strip_suffix(text)
    if match := _COMPACT.fullmatch(name):
        return ProductName(
            name=name,
            unit=match["unit"],
            level=_level(match["level"], name),
            kind="product",
            compact=True,
            start=parse_time(match["start"], what=f"start of the datatake in {name}"),
            baseline=f"{match['baseline'][:2]}.{match['baseline'][2:]}",
            relative_orbit=_relative_orbit(match["orbit"], name),
            tile=match["tile"],
            discriminator=parse_time(match["discriminator"], what=f"discriminator of {name}"),
        )
    if match := _OLD_PRODUCT.fullmatch(name):
        return ProductName(
            name=name,
            unit=match["unit"],
            level=_level(match["level"], name),
            kind="product",
            compact=False,
            start=parse_time(match["start"], what=f"start in {name}"),
            relative_orbit=_relative_orbit(match["orbit"], name),
            generation=parse_time(match["generation"], what=f"time of creation in {name}"),
            site=_site(match["site"]),
            sensing_start=parse_time(match["start"], what=f"start in {name}"),
            sensing_stop=parse_time(match["stop"], what=f"stop in {name}"),
        )
    for kind, parse in (("datastrip", parse_datastrip_id), ("tile", parse_tile_id), ("granule", parse_granule_id)):
        if _PATTERNS[kind].fullmatch(name):
            return parse(name)
    raise InvalidName(_why_not(name))


def parse_datastrip_id(text: str) -> ProductName:
    """``S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_N04.00`` (or the name of its metadata file)."""
    return _pdi("datastrip", text)


def parse_tile_id(text: str) -> ProductName:
    """``S2A_OPER_MSI_L1C_TL_EPAE_20180629T012042_A015757_T56JMM_N02.06`` (or the name of its metadata file)."""
    return _pdi("tile", text)


def parse_granule_id(text: str) -> ProductName:
    """``S2A_OPER_MSI_L1B_GR_DPRM_20140630T140000_S20200816T120222_D02_N05.00`` (L0 to L1B)."""
    return _pdi("granule", text)


def parse_datatake_id(text: str) -> DatatakeId:
    """``GS2A_20180629T000241_015757_N02.06``."""
    match = _match(_DATATAKE, text, "datatake identifier", "GS2A_20180629T000241_015757_N02.06")
    start = parse_time(match["start"], what=f"start of the datatake {text}")
    return DatatakeId(match["unit"], start, int(match["absolute"]), match["baseline"])


def parse_granule_folder(text: str) -> GranuleFolder:
    """``L1C_T56JMM_A015757_20180629T000241``."""
    match = _match(_GRANULE_FOLDER, text, "folder of a tile", "L1C_T56JMM_A015757_20180629T000241")
    time = parse_time(match["time"], what=f"time of the folder {text}")
    return GranuleFolder(_level(match["level"], text), match["tile"], int(match["absolute"]), time)


def parse_datastrip_folder(text: str) -> DatastripFolder:
    """``DS_EPAE_20180629T012042_S20180629T000241``."""
    match = _match(_DATASTRIP_FOLDER, text, "folder of a datastrip", "DS_EPAE_20180629T012042_S20180629T000241")
    generation = parse_time(match["generation"], what=f"time of creation in {text}")
    start = parse_time(match["start"], what=f"start of sensing in {text}")
    return DatastripFolder(_site(match["site"]), generation, start)


def parse_gipp_name(text: str) -> GippName:
    """``S2A_OPER_GIP_SPAMOD_MPC__20210419T000024_V20210421T233000_21000101T000000_B00`` and its like."""
    name = strip_suffix(text)
    example = "S2A_OPER_GIP_SPAMOD_MPC__20210419T000024_V20210421T233000_21000101T000000_B00"
    match = _match(_GIPP, name, "GIPP", example)
    stop_text = match["stop"] or ""
    return GippName(
        mission=match["mission"],
        file_class=match["class"],
        category=match["category"],
        type=match["type"],
        site=_site(match["site"]),
        created=parse_time(match["created"], what=f"time of creation of {name}"),
        start=parse_time(match["start"], what=f"start of validity of {name}"),
        stop=_stop(stop_text),
        stop_text=stop_text,
        band=match["band"] or "",
    )


_PATTERNS = {"datastrip": _DATASTRIP, "tile": _TILE, "granule": _GRANULE}
_EXAMPLES = {
    "datastrip": "S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_N04.00",
    "tile": "S2A_OPER_MSI_L1C_TL_EPAE_20180629T012042_A015757_T56JMM_N02.06",
    "granule": "S2A_OPER_MSI_L1B_GR_DPRM_20140630T140000_S20200816T120222_D02_N05.00",
}


def _pdi(kind: str, text: str) -> ProductName:
    name = strip_suffix(text)
    match = _match(_PATTERNS[kind], name, kind, _EXAMPLES[kind])
    parts = match.groupdict()
    start = parse_time(parts["start"], what=f"start of sensing in {name}") if parts["start"] else None
    return ProductName(
        name=name,
        unit=parts["unit"],
        level=_level(parts["level"], name),
        kind=kind,
        compact=False,
        start=start,
        baseline=parts["baseline"],
        tile=parts.get("tile"),
        generation=parse_time(parts["generation"], what=f"time of creation in {name}"),
        site=_site(parts["site"]),
        sensing_start=start,
        absolute_orbit=int(parts["absolute"]) if parts.get("absolute") else None,
        detector=int(parts["detector"]) if parts.get("detector") else None,
    )


def _match(pattern: re.Pattern[str], text: str, what: str, example: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise InvalidName(f"{text!r} is not the name of a {what}; one looks like {example}")
    return match


def _level(text: str, name: str) -> str:
    if text not in _LEVELS:
        raise InvalidName(f"{name}: there is no level {text!r}; levels are {', '.join(_LEVELS)}")
    return text


def _relative_orbit(text: str, name: str) -> int:
    if not 1 <= int(text) <= 143:
        raise InvalidName(f"{name}: relative orbit R{text} is outside 1..143")
    return int(text)


def _stop(text: str) -> datetime | None:
    """Archives hold ends that are no dates (99999999T999999 and others): they mean that there is no end."""
    try:
        return parse_time(text)
    except InvalidName:
        return None


def _site(text: str) -> str:
    return text.rstrip("_")


def _why_not(name: str) -> str:
    """Say which part of a name is wrong, so that nobody must compare it with the document by eye."""
    shown = name if len(name) <= 120 else name[:117] + "..."
    if not re.match(r"S2[A-D]_", name):
        return f"{shown!r} is not the name of a Sentinel-2 product: it does not begin with S2A_, S2B_, S2C_ or S2D_"
    parts = name.split("_")
    if len(parts) > 1 and parts[1].startswith("MSI"):
        wanted = ("unit", "MSI and level", "start", "N and baseline", "R and orbit", "T and tile", "discriminator")
        forms = (r"S2[A-D]", r"MSIL\w\w?", _TIME, r"N\d{4}", r"R\d{3}", r"T\d\d[A-Z]{3}", _TIME)
        if len(parts) != len(wanted):
            return f"{shown!r} has {len(parts)} parts between underscores, a compact name has {len(wanted)}"
        for part, what, form in zip(parts, wanted, forms, strict=True):
            if not re.fullmatch(form, part):
                return f"{shown!r}: {part!r} is not a {what}, as in {_COMPACT_EXAMPLE}"
    return f"{shown!r} follows no naming convention of Sentinel-2; a product looks like {_COMPACT_EXAMPLE}"


_COMPACT_EXAMPLE = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"
