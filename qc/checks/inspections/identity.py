"""Do the name, the folders and the metadata speak of the same product?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mpc.msi.names import (
    InvalidName,
    parse_datastrip_folder,
    parse_datastrip_id,
    parse_datatake_id,
    parse_granule_folder,
    parse_product_name,
    parse_tile_id,
    strip_suffix,
)
from mpc.msi.records import DatastripMetadata, ProductMetadata, TileMetadata
from mpc.msi.safe import GranuleParts
from qc.checks.finding import Finding, failed, not_checked, passed
from qc.checks.inspections.common import ALL_LEVELS, base, number, some
from qc.checks.registry import inspection
from qc.checks.subject import Subject

Claim = tuple[str, object, str]
"""(fact, value, who says so)."""


@inspection(
    id="format.identity",
    title="Name, folders and metadata agree",
    group="format",
    levels=ALL_LEVELS,
    reference="Products Specification Document, naming conventions",
)
def one_identity(subject: Subject) -> Finding:
    claims = [claim for claim in _claims(subject) if claim[1] is not None]
    by_fact: dict[str, dict[object, list[str]]] = {}
    for fact, value, source in claims:
        by_fact.setdefault(fact, {}).setdefault(value, []).append(source)
    compared = {fact: values for fact, values in by_fact.items() if sum(map(len, values.values())) > 1}
    wrong = [
        {"fact": fact, "says": {_text(value): sources for value, sources in values.items()}}
        for fact, values in compared.items()
        if len(values) > 1
    ]
    odd = _unreadable_names(subject)
    if wrong or odd:
        texts = [
            f"{item['fact']}: " + " but ".join(f"{value} ({some(who, 2)})" for value, who in item["says"].items())  # type: ignore[attr-defined]
            for item in wrong
        ] + odd
        return failed(
            f"{number(len(compared), 'fact')} agree",
            f"{len(texts)} do not",
            texts[0] if len(texts) == 1 else f"{texts[0]}; and {len(texts) - 1} more",
            where=some(str(item["fact"]) for item in wrong) or "name",
            items=[*wrong, *odd],
        )
    if not compared:
        return not_checked("nothing to compare: neither name nor metadata could be read")
    return passed(f"{number(len(compared), 'fact')} agree", "all", f"compared: {some(compared, 12)}")


def _unreadable_names(subject: Subject) -> list[str]:
    """A SAFE folder whose name follows no convention is a fault; a zip may be called as its sender likes."""
    safe = subject.safe
    if subject.name is None and safe.name_source == "folder" and safe.layout in ("compact", "old"):
        try:
            parse_product_name(safe.name)
        except InvalidName as error:
            return [str(error)]
    return []


def _claims(subject: Subject) -> Iterator[Claim]:
    safe = subject.safe
    yield from _claims_of_name(safe.name, f"name ({safe.name_source})")
    if safe.file_name != safe.name:
        yield from _claims_of_name(safe.file_name, f"{safe.container.kind} {safe.file_name}")
    if subject.product.record:
        yield from _claims_of_product(subject.product.record)
    for part, reading in zip(safe.datastrips, subject.datastrips, strict=True):
        yield from _claims_of_datastrip(part.id, reading.record, subject.kind)
    if subject.kind == "product":
        for granule, tile in zip(safe.granules, subject.tiles, strict=True):
            yield from _claims_of_granule(granule, tile.record, single=len(safe.granules) == 1)
    if subject.kind == "product" and len(safe.granules) == 1 and subject.name and subject.name.tile:
        yield f"tile of {safe.granules[0].id or 'the granule'}", subject.name.tile, "name"


def _claims_of_name(text: str, source: str) -> Iterator[Claim]:
    try:
        name = parse_product_name(text)
    except InvalidName:
        return
    yield "name", name.name, source
    yield "unit", name.unit, source
    yield "level", name.level, source
    yield "processing baseline", name.baseline, source
    yield "relative orbit", name.relative_orbit, source
    if name.compact:
        yield "start of the datatake", _second(name.start), source
    if name.kind == "datastrip":
        yield "start of the datastrip", _second(name.sensing_start), source


def _claims_of_product(record: ProductMetadata) -> Iterator[Claim]:
    source = "product metadata"
    if record.product_uri:
        yield "name", strip_suffix(record.product_uri), f"{source}, PRODUCT_URI"
    yield from _claims_of_record(record, source)
    # A level-2A datatake identifier may keep the baseline of the level-1C product that it was made from.
    yield from _claims_of_datatake(record, source, with_baseline=record.level == "L1C")


def _claims_of_datastrip(folder: str, record: DatastripMetadata | None, kind: str) -> Iterator[Claim]:
    where = f"datastrip {folder}"
    for parse in (parse_datastrip_folder, parse_datastrip_id):
        try:
            named = parse(folder)
        except InvalidName:
            continue
        yield f"start of {where}", _second(named.sensing_start), "folder"
        if parse is parse_datastrip_id:
            # A datastrip has a name of its own; all else that its name says holds for the product as well.
            told = _claims_of_name(folder, where) if kind == "product" else ()
            yield from (claim for claim in told if claim[0] != "name")
    if record is None:
        return
    source = "datastrip metadata"
    yield f"start of {where}", _second(record.sensing_start), source
    if kind == "datastrip":
        yield "start of the datastrip", _second(record.sensing_start), source
    yield from _claims_of_record(record, source)
    yield from _claims_of_datatake(record, source, with_baseline=record.level == "L1C")


def _claims_of_record(record: ProductMetadata | DatastripMetadata, source: str) -> Iterator[Claim]:
    yield "unit", record.unit, source
    yield "level", record.level or None, source
    yield "processing baseline", record.baseline, source
    yield "relative orbit", record.relative_orbit, source
    yield "start of the datatake", _second(record.datatake_start), source


def _claims_of_datatake(
    record: ProductMetadata | DatastripMetadata, source: str, *, with_baseline: bool
) -> Iterator[Claim]:
    try:
        datatake = parse_datatake_id(record.datatake_id or "")
    except InvalidName:
        return
    source = f"{source}, datatakeIdentifier"
    yield "unit", datatake.unit, source
    yield "start of the datatake", _second(datatake.start), source
    yield "absolute orbit", datatake.absolute_orbit, source
    if with_baseline:
        yield "processing baseline", datatake.baseline, source


def _claims_of_granule(granule: GranuleParts, record: TileMetadata | None, *, single: bool) -> Iterator[Claim]:
    fact = f"tile of {granule.id or 'the granule'}"
    try:
        folder = parse_granule_folder(granule.id)
    except InvalidName:
        pass
    else:
        yield fact, folder.tile, "folder"
        yield "level", folder.level, f"folder {granule.id}"
        yield "absolute orbit", folder.absolute_orbit, f"folder {granule.id}"
    yield from _claims_of_tile_id(granule.id, fact, "folder")
    if record is not None:
        yield from _claims_of_tile_id(record.tile_id, fact, "tile metadata, TILE_ID")
        yield "level", record.level or None, "tile metadata"
    for path in granule.images.values():
        parts = base(path).split("_")
        tile = next((p[1:] for p in parts if len(p) == 6 and p[0] == "T" and p[1:3].isdigit()), None)
        yield fact, tile, f"image {base(path)}"


def _claims_of_tile_id(text: str, fact: str, source: str) -> Iterator[Claim]:
    try:
        named = parse_tile_id(text)
    except InvalidName:
        return
    yield fact, named.tile, source
    yield "unit", named.unit, source
    yield "level", named.level, source
    yield "absolute orbit", named.absolute_orbit, source
    yield "processing baseline", named.baseline, source


def _second(time: datetime | None) -> datetime | None:
    """Names give whole seconds, cut off."""
    return None if time is None else time.replace(microsecond=0)


def _text(value: object) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)
