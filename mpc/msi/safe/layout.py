"""How the members of a container make a product."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from mpc.msi.container import Container, ContainerError
from mpc.msi.names import InvalidName, parse_datastrip_id, parse_product_name, strip_suffix
from mpc.msi.safe.parts import (
    DatastripParts,
    GranuleParts,
    gather_datastrip,
    gather_granule,
    image_key,
    is_datastrip_metadata,
    is_product_metadata,
    is_tile_metadata,
    level_of_granule,
)

_FLAT_FOLDER = re.compile(r"IMG_DATA|QI_DATA|AUX_DATA|R[126]0m")
_HEAD_BYTES = 65536
_SMALL_JSON_BYTES = 1 << 20
_PRODUCT_URI = re.compile(rb"<PRODUCT_URI(?:_[12][AC])?>\s*([\w.]{1,200}?)\s*</PRODUCT_URI")
_ROOT_LEVEL = re.compile(rb"<(?:\w+:)?Level-(0|1A|1B|1C|2A)_(?:User_Product|Tile_ID|DataStrip_ID|Granule_ID)")


class SafeError(Exception):
    """The container holds no part of a Sentinel-2 product; the text says what was looked for."""


@dataclass(frozen=True)
class SafeProduct:
    """A product or datastrip and where its parts stand in its container.

    Attributes:
        name: without ".SAFE": of the SAFE folder (also the one inside a zip), else what the content says.
        name_source: "folder", "zip" (the file's own name), "product metadata", "tileInfo.json", "datastrip",
            "granule"; where ``name`` is from.
        file_name: name of the folder or zip as it was handed over, without suffix, to compare with ``name``.
        kind: "product" or "datastrip".
        layout: "compact", "old", "flat" or "aws"; see :mod:`mpc.msi.safe`.
        level: "L1C", "L2A" and so on; None where neither names nor root elements tell it.
        product_metadata, manifest_path: member paths, None where absent.
    """

    container: Container
    name: str
    name_source: str
    file_name: str
    kind: str
    layout: str
    level: str | None
    product_metadata: str | None
    datastrips: tuple[DatastripParts, ...]
    granules: tuple[GranuleParts, ...]
    manifest_path: str | None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.container.close()


def nested_safe(container: Container) -> str | None:
    """The one SAFE folder at the top of a folder that is no product itself; None where there is none, or several."""
    names = container.names()
    if any("/" not in name and (is_product_metadata(name) or name == "manifest.safe") for name in names):
        return None
    safes = {top for name in names if "/" in name and (top := name.split("/", 1)[0]).upper().endswith(".SAFE")}
    return safes.pop() if len(safes) == 1 else None


def recognise(container: Container) -> SafeProduct:
    """Sort the members of a container.

    Raises:
        SafeError: no part of a product is among them.
    """
    names = container.names()
    layout = _layout(names)
    if layout == "aws":
        product_metadata, datastrips, granules = _aws_parts(container)
    else:
        product_metadata = next((name for name in names if "/" not in name and is_product_metadata(name)), None)
        datastrips, granules = _foldered_parts(names) if layout != "flat" else _flat_parts(container)
    if not (product_metadata or datastrips or granules):
        raise SafeError(_nothing_found(container))
    has_images = any(granule.images for granule in granules)
    is_datastrip = bool(datastrips) and not product_metadata and not has_images
    name, source = _name(container, product_metadata, datastrips, granules)
    return SafeProduct(
        container=container,
        name=name,
        name_source=source,
        file_name=strip_suffix(container.path.name),
        kind="datastrip" if is_datastrip and (not granules or layout == "old") else "product",
        layout=layout,
        level=_level(container, name, product_metadata, datastrips, granules),
        product_metadata=product_metadata,
        datastrips=datastrips,
        granules=granules,
        manifest_path="manifest.safe" if container.exists("manifest.safe") else None,
    )


def _layout(names: tuple[str, ...]) -> str:
    folders = [name.split("/") for name in names]
    parts = {path[1] for path in folders if len(path) > 2 and path[0] in ("GRANULE", "DATASTRIP")}
    if parts:
        return "old" if any(re.match(r"S2[A-Z]_", part) for part in parts) else "compact"
    tops = {path[0] for path in folders if len(path) == 1}
    if any(re.fullmatch(r"S2[A-D]_[A-Z]{4}_MTD_(?:L\w\w?_DS|SAFL\w\w)_\w+\.xml", top) for top in tops):
        return "old"
    if any(is_product_metadata(top) or is_datastrip_metadata(top) for top in tops) and not any(
        image_key(name) or is_tile_metadata(name) for name in names
    ):
        return "compact"
    if tops & {"tileInfo.json", "productInfo.json", "metadata.xml"}:
        return "aws"
    if any(re.fullmatch(r"(?:R[126]0m/)?(?:B(?:0[1-9]|1[0-2]|8A)|TCI|SCL|AOT|WVP)\.jp2", name) for name in names):
        return "aws"
    return "flat"


def _foldered_parts(names: tuple[str, ...]) -> tuple[tuple[DatastripParts, ...], tuple[GranuleParts, ...]]:
    """GRANULE/* and DATASTRIP/*, or a stand-alone datastrip at the top."""
    granules: dict[str, list[str]] = {}
    datastrips: dict[str, list[str]] = {}
    for name in names:
        path = name.split("/")
        if len(path) > 2 and path[0] in ("GRANULE", "DATASTRIP"):
            target = granules if path[0] == "GRANULE" else datastrips
            target.setdefault("/".join(path[:2]), []).append(name)
    found = [gather_datastrip(folder, members) for folder, members in datastrips.items()]
    if not found and not granules and (metadata := _top_datastrip_metadata(names)):
        found = [gather_datastrip(_datastrip_id(metadata), names)]
    return tuple(found), tuple(gather_granule(folder, members) for folder, members in granules.items())


def _top_datastrip_metadata(names: tuple[str, ...]) -> str | None:
    return next((name for name in names if "/" not in name and is_datastrip_metadata(name)), None)


def _datastrip_id(metadata: str) -> str:
    """Identifier from the name of the metadata file: the same words with MSI for MTD; "" for MTD_DS.xml."""
    stem = strip_suffix(metadata)
    return "" if stem == "MTD_DS" else stem.replace("_MTD_", "_MSI_", 1)


def _flat_parts(container: Container) -> tuple[tuple[DatastripParts, ...], tuple[GranuleParts, ...]]:
    # What lies in other folders may be other products: it is not mixed into this one.
    names = tuple(name for name in container.names() if all(_FLAT_FOLDER.fullmatch(p) for p in name.split("/")[:-1]))
    metadata = _top_datastrip_metadata(names)
    datastrips = (DatastripParts(_datastrip_id(metadata), metadata),) if metadata else ()
    folder = container.root.rsplit("/", 1)[-1] or container.path.name
    own = bool(re.fullmatch(r"L\w\w_T\d\d[A-Z]{3}_A\d{6}_\d{8}T\d{6}|S2[A-D]_[A-Z]{4}_MSI_L\w\w_TL_[\w.]+", folder))
    granule = gather_granule(folder if own else "", names)
    holds = granule.images or granule.metadata or granule.masks or granule.pvi
    return datastrips, (granule,) if holds else ()


def _aws_parts(
    container: Container,
) -> tuple[str | None, tuple[DatastripParts, ...], tuple[GranuleParts, ...]]:
    names = container.names()
    product = next((name for name in names if name in ("product/metadata.xml", "productMetadata.xml")), None)
    has_tile = container.exists("tileInfo.json") or any(image_key(name) for name in names)
    if not has_tile and container.exists("productInfo.json") and container.exists("metadata.xml"):
        product = product or "metadata.xml"
    folders: dict[str, list[str]] = {}
    for name in names:
        path = name.split("/")
        depth = path.index("datastrip") if "datastrip" in path[:2] else -1
        if depth >= 0 and len(path) > depth + 2:
            folders.setdefault("/".join(path[: depth + 2]), []).append(name)
    datastrips = []
    for folder, members in folders.items():
        metadata = f"{folder}/metadata.xml"
        datastrips.append(gather_datastrip(folder, members, metadata=metadata if metadata in members else None))
    others = [name for name in names if name.split("/")[0] not in ("product", "datastrip")]
    metadata_xml = "metadata.xml" if container.exists("metadata.xml") and product != "metadata.xml" else None
    granule = gather_granule("", others, metadata=metadata_xml)
    if not (granule.images or granule.metadata or granule.masks):
        return product, tuple(datastrips), ()
    if granule.tile is None:
        info = _json(container, "tileInfo.json")
        parts = [str(info.get(key, "")) for key in ("utmZone", "latitudeBand", "gridSquare")]
        tile = f"{parts[0]:0>2}{parts[1]}{parts[2]}"
        if re.fullmatch(r"\d\d[A-Z]{3}", tile):
            granule = GranuleParts(**{**granule.__dict__, "tile": tile})
    return product, tuple(datastrips), (granule,)


def _json(container: Container, name: str) -> dict[str, Any]:
    """A small JSON object, {} where it is absent or unreadable: nothing depends on it but names."""
    if not container.exists(name) or container.size(name) > _SMALL_JSON_BYTES:
        return {}
    try:
        content = json.loads(container.read(name))
    except (ValueError, RecursionError, ContainerError):
        return {}
    return content if isinstance(content, dict) else {}


def _head(container: Container, name: str | None) -> bytes:
    """The beginning of a member, b"" where it cannot be read."""
    if name is None:
        return b""
    try:
        with container.open(name) as stream:
            return stream.read(_HEAD_BYTES)
    except ContainerError:
        return b""


def _name(
    container: Container,
    product_metadata: str | None,
    datastrips: tuple[DatastripParts, ...],
    granules: tuple[GranuleParts, ...],
) -> tuple[str, str]:
    own = "zip" if container.kind == "zip" else "folder"
    folder = container.root.rsplit("/", 1)[-1]
    if folder.upper().endswith(".SAFE") or _is_product(folder):
        return strip_suffix(folder), "folder"
    if container.path.name.upper().endswith(".SAFE") or _is_product(container.path.name):
        return strip_suffix(container.path.name), own
    if match := _PRODUCT_URI.search(_head(container, product_metadata)):
        return strip_suffix(match[1].decode("ascii", "replace")), "product metadata"
    for member in ("tileInfo.json", "productInfo.json"):
        content = _json(container, member)
        text = content.get("productName") or content.get("name")
        if isinstance(text, str) and _is_product(text):
            return strip_suffix(text), member
    if product_metadata and _is_product(as_product := strip_suffix(product_metadata).replace("_MTD_SAF", "_PRD_MSI")):
        return as_product, "product metadata"
    for source, parts in (("datastrip", datastrips), ("granule", granules)):
        for part in parts:
            if _is_product(part.id):
                return strip_suffix(part.id), source
    return strip_suffix(folder or container.path.name), "folder" if folder else own


def _is_product(text: str) -> bool:
    try:
        parse_product_name(text)
    except InvalidName:
        return False
    return True


def _level(
    container: Container,
    name: str,
    product_metadata: str | None,
    datastrips: tuple[DatastripParts, ...],
    granules: tuple[GranuleParts, ...],
) -> str | None:
    """From names where they tell it, else from the root elements; a check may compare these with one another."""
    if told := re.search(r"MTD_(?:MSI|SAF)(L\w\w)", product_metadata or ""):
        return told[1]
    try:
        return parse_product_name(name).level
    except InvalidName:
        pass
    for granule in granules:
        if level := level_of_granule(granule):
            return level
    for datastrip in datastrips:
        try:
            return parse_datastrip_id(datastrip.id).level
        except InvalidName:
            continue
    members = [product_metadata, *(part.metadata for part in granules), *(part.metadata for part in datastrips)]
    for member in members:
        if root := _ROOT_LEVEL.search(_head(container, member)):
            return f"L{root[1].decode()}"
    return None


def _nothing_found(container: Container) -> str:
    names = container.names()
    tops = {name.split("/", 1)[0] for name in names if "/" in name}
    safes = sorted(top for top in tops if top.upper().endswith(".SAFE") or _is_product(top))
    if len(safes) > 1:
        return f"{container.path.name} holds {len(safes)} products ({safes[0]}, ...): hand over each by itself"
    return (
        f"{container.path.name} holds no Sentinel-2 product: among its {len(names)} files there is no product metadata"
        f" (MTD_MSIL1C.xml), datastrip metadata (MTD_DS.xml), tile metadata (MTD_TL.xml) or band image;"
        f" the first is {names[0]!r}"
    )
