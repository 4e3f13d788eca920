"""The naming before December 2016: several tiles in one product, every file under the full identifier of its PDI.

The tiles are written as compact products are, then moved under their old names; product and tile metadata are put
into the words of that time (``Granules`` with ``IMAGE_ID``, namespace PSD 12). There was no TCI then.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree
from shapely.geometry import Polygon
from shapely.ops import unary_union

from processors.simulator import instrument
from processors.simulator.instrument import BAND_NAMES
from processors.simulator.products import content
from processors.simulator.products.layout import datastrip_path, granule_path, product_file
from processors.simulator.products.manifest import product_manifest
from processors.simulator.products.pixels import Pixels
from processors.simulator.products.product_metadata import footprint
from processors.simulator.products.spec import ProductSpec, stamp
from processors.simulator.products.truth import ProductTruth
from processors.simulator.products.writer import deliver, workshop_for, write_files
from processors.simulator.products.xmltree import add

CENTRE = "PDMC"


@dataclass(frozen=True)
class WrittenOldProduct:
    """A multi-tile product on disk; ``truths`` by the name of the tile ("32TNM")."""

    path: Path
    name: str
    specs: tuple[ProductSpec, ...]
    truths: Mapping[str, ProductTruth]


def old_name(spec: ProductSpec) -> str:
    """S2A_OPER_PRD_MSIL1C_PDMC_20160808T120512_R065_V20160808T102021_20160808T102035.SAFE"""
    return f"{spec.unit}_OPER_PRD_MSIL1C_{_instance(spec)}.SAFE"


def _instance(spec: ProductSpec) -> str:
    return (
        f"{CENTRE}_{stamp(spec.generated)}_R{spec.orbit:03d}_V{stamp(spec.start)}"
        f"_{stamp(spec.start + (spec.datastrip_stop - spec.datastrip_start))}"
    )


def write_old_product(specs: Sequence[ProductSpec], folder: Path) -> WrittenOldProduct:
    """Write one L1C product of several tiles in the old naming below ``folder``.

    Args:
        specs: one per tile; the same unit, datatake and generation, baseline 02.04 (the last that had this naming).

    Raises:
        ValueError: the specifications do not belong into one product of that time.
        FileExistsError: the product is there already.
    """
    _check(specs)
    first = specs[0]
    name = old_name(first)
    target = folder / name
    if target.exists():
        raise FileExistsError(f"{target} exists already; choose another folder")
    workshop = workshop_for(folder, name)
    root = workshop / name
    root.mkdir(parents=True)
    truths = {}
    for spec in specs:
        pixels = Pixels(spec)
        compact = workshop / spec.name
        (compact / "GRANULE").mkdir(parents=True)
        bands = write_files(pixels, compact)
        truths[spec.tile.name] = ProductTruth(
            bands=bands,
            cloud_percentage=content.product_cloud(pixels),
            snow_percentage=0.0,
            nodata_percentage=pixels.nodata_percentage,
            u=instrument.sun_distance_correction(spec.start),
        )
        _move_granule(spec, compact, root)
    _move_common(specs, workshop / first.name, root)
    members = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    listed = [member for member in members if not member.startswith("rep_info/")]
    (root / "manifest.safe").write_bytes(product_manifest(first, root, listed))
    deliver(root, target, workshop)
    return WrittenOldProduct(target, name, tuple(specs), truths)


def _check(specs: Sequence[ProductSpec]) -> None:
    if not specs:
        raise ValueError("an old product needs at least one tile")
    first = specs[0]
    for spec in specs:
        if (spec.level, spec.baseline) != ("L1C", "02.04"):
            raise ValueError(f"{spec.name}: the old naming ended with L1C products of baseline 02.04")
        if spec.faults:
            raise ValueError(f"{spec.name}: faults are planted in compact products only")
        if spec.datastrip_id != first.datastrip_id or spec.orbit != first.orbit:
            raise ValueError(f"{spec.name} is of another datastrip than {first.name}")
    if len({spec.tile.name for spec in specs}) != len(specs):
        raise ValueError("each tile can be in the product once")


# -- one tile


def _bare(identifier: str) -> str:
    """A PDI's identifier without its baseline, as file names have it."""
    return identifier.rsplit("_N", 1)[0]


def _move_granule(spec: ProductSpec, compact: Path, root: Path) -> None:
    source, target = compact / granule_path(spec), root / "GRANULE" / spec.tile_id
    bare = _bare(spec.tile_id)
    of_kind = bare.replace("_MSI_L1C_TL_", "_{}_L1C_TL_")
    for sub in ("IMG_DATA", "QI_DATA", "AUX_DATA"):
        (target / sub).mkdir(parents=True)
    for band in BAND_NAMES:
        (source / "IMG_DATA" / f"{spec.image_prefix}_{band}.jp2").rename(target / "IMG_DATA" / f"{bare}_{band}.jp2")
    new_names = {}
    for path in sorted((source / "QI_DATA").iterdir()):
        if path.suffix == ".gml":
            _, kind, band = path.stem.split("_")
            new = f"{_mask_instance(spec, kind)}_{band}_MSIL1C.gml"
        elif path.suffix == ".jp2":
            new = f"{of_kind.format('PVI')}.jp2"
        else:
            new = f"{bare}_{path.stem}_report.xml"
        new_names[path.name] = new
        path.rename(target / "QI_DATA" / new)
    weather = f"{of_kind.format('AUX').replace('_AUX_L1C_TL_', '_AUX_ECMWFT_')}"
    (source / "AUX_DATA" / "AUX_ECMWFT").rename(target / "AUX_DATA" / weather)
    tree = etree.parse(source / "MTD_TL.xml")
    for element in tree.iterfind(".//MASK_FILENAME"):
        element.text = new_names[(element.text or "").rsplit("/", 1)[-1]]
    tree.find(".//PVI_FILENAME").text = of_kind.format("PVI")
    _save(tree, target / f"{bare.replace('_MSI_', '_MTD_')}.xml")


def _mask_instance(spec: ProductSpec, kind: str) -> str:
    return _bare(spec.tile_id).replace("_MSI_L1C_TL_", f"_MSK_{kind}_")


# -- what the tiles share


def _move_common(specs: Sequence[ProductSpec], compact: Path, root: Path) -> None:
    spec = specs[0]
    datastrip = root / "DATASTRIP" / spec.datastrip_id
    (datastrip / "QI_DATA").mkdir(parents=True)
    bare = _bare(spec.datastrip_id)
    tree = etree.parse(compact / datastrip_path(spec) / "MTD_DS.xml")
    tiles = tree.find(".//Tile_List")
    for other in specs[1:]:
        add(tiles, "Tile", None, {"tileId": other.tile_id})
    _save(tree, datastrip / f"{bare.replace('_MSI_', '_MTD_')}.xml")
    for report in sorted((compact / datastrip_path(spec) / "QI_DATA").iterdir()):
        report.rename(datastrip / "QI_DATA" / f"{bare}_{report.stem}_report.xml")
    for name in ("INSPIRE.xml", "HTML", "rep_info"):
        shutil.move(compact / name, root / name)
    data = (compact / product_file(spec)).read_bytes().replace(b"psd-14.sentinel2", b"psd-12.sentinel2")
    tree = etree.ElementTree(etree.fromstring(data))
    _rewrite_product(tree, specs)
    _save(tree, root / f"{spec.unit}_OPER_MTD_SAFL1C_{_instance(spec)}.xml")


def _rewrite_product(tree: etree._ElementTree, specs: Sequence[ProductSpec]) -> None:
    tree.find(".//PRODUCT_URI").text = old_name(specs[0])
    options = tree.find(".//Query_Options")
    options.attrib.pop("completeSingleTile")
    bands = etree.Element("Band_List")
    for band in BAND_NAMES:
        add(bands, "BAND_NAME", "B8A" if band == "B8A" else f"B{int(band[1:])}")
    options.insert(0, bands)
    options.find("PRODUCT_FORMAT").text = "SAFE"
    organisation = tree.find(".//Product_Organisation")
    organisation.clear()
    for spec in specs:
        granules = add(
            add(organisation, "Granule_List"),
            "Granules",
            None,
            {
                "datastripIdentifier": spec.datastrip_id,
                "granuleIdentifier": spec.tile_id,
                "imageFormat": "JPEG2000",
            },
        )
        for band in BAND_NAMES:
            add(granules, "IMAGE_ID", f"{_bare(spec.tile_id)}_{band}")
    hull = unary_union([Polygon([(lon, lat) for lat, lon in footprint(spec)]) for spec in specs]).convex_hull
    ring = " ".join(f"{lat:.9f} {lon:.9f}" for lon, lat in hull.exterior.coords)
    tree.find(".//EXT_POS_LIST").text = ring + " "


def _save(tree: etree._ElementTree, path: Path) -> None:
    etree.indent(tree, "  ")
    tree.write(path, xml_declaration=True, encoding="UTF-8", standalone=False)
