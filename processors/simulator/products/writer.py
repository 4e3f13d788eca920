"""Writing of whole products: compact SAFE folders or zips, with the truth of what was written."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from processors.simulator import instrument
from processors.simulator.products import content
from processors.simulator.products.datastrip_metadata import datastrip_metadata
from processors.simulator.products.faults import Fault
from processors.simulator.products.imagery import BandTruths, write_images
from processors.simulator.products.l2a_quality import l2a_quality
from processors.simulator.products.layout import datastrip_path, granule_path, product_file
from processors.simulator.products.manifest import datastrip_manifest, product_manifest
from processors.simulator.products.masks import write_masks
from processors.simulator.products.olqc import ReportItem, report_bytes
from processors.simulator.products.olqc_checks import Report, datastrip_reports, tile_reports
from processors.simulator.products.pixels import Pixels
from processors.simulator.products.planting import (
    delivered_name,
    faulty_spec,
    packets_of,
    plant_in_content,
    plant_in_delivery,
)
from processors.simulator.products.product_metadata import CHECK_TYPES, QualityFacts, product_metadata
from processors.simulator.products.spec import ProductSpec
from processors.simulator.products.support import inventory, schema_stub, schema_stubs, support_files
from processors.simulator.products.tile_metadata import tile_metadata
from processors.simulator.products.truth import ProductTruth

_ZIP_TIME = (2000, 1, 1, 0, 0, 0)
_DATASTRIP_FAULTS = frozenset({Fault.LOST_PACKETS, Fault.FAILED_OLQC, Fault.WRONG_RELATIVE_ORBIT})


@dataclass(frozen=True)
class WrittenProduct:
    """A product on disk: where, under which name (without .zip), and what is known of it.

    ``spec`` is the specification as written, with the values that faults changed.
    """

    path: Path
    name: str
    spec: ProductSpec
    truth: ProductTruth


def write_product(spec: ProductSpec, folder: Path, *, zipped: bool = False) -> WrittenProduct:
    """Write a compact SAFE below ``folder``: a folder ``<name>.SAFE``, or ``<name>.zip`` that holds it.

    The same specification gives the same bytes. Real level, era and structure; the scene is invented.

    Raises:
        FileExistsError: the product is there already.
        ValueError: a fault does not apply to the specification.
    """
    target = product_path(spec, folder, zipped)
    if target.exists():
        raise FileExistsError(f"{target} exists already; choose another folder")
    spec = faulty_spec(spec)
    name = delivered_name(spec)
    workshop = workshop_for(folder, name)
    root = workshop / name
    root.mkdir(parents=True)
    pixels = Pixels(spec)
    bands = write_files(pixels, root)
    faults = plant_in_content(spec, root)
    (root / "manifest.safe").write_bytes(product_manifest(spec, root, _listed_members(spec, root)))
    faults += plant_in_delivery(spec, root)
    truth = ProductTruth(
        bands=bands,
        cloud_percentage=content.product_cloud(pixels),
        snow_percentage=0.0,
        nodata_percentage=pixels.nodata_percentage,
        u=instrument.sun_distance_correction(spec.start),
        faults=tuple(faults),
    )
    deliver(_packed(root) if zipped else root, target, workshop)
    return WrittenProduct(target, name, spec, truth)


def product_path(spec: ProductSpec, folder: Path, zipped: bool) -> Path:
    """Where :func:`write_product` puts the product."""
    path = folder / delivered_name(faulty_spec(spec))
    return path.with_suffix(".zip") if zipped else path


def write_datastrip(spec: ProductSpec, folder: Path) -> WrittenProduct:
    """Write a stand-alone datastrip: metadata, five reports, inventory, manifest, stubs.

    Its name is the datastrip's id; its tiles are that of ``spec`` and two neighbours in name only.

    Raises:
        FileExistsError: the datastrip is there already.
        ValueError: the specification has a fault that a datastrip cannot have.
    """
    for fault in spec.faults:
        if fault not in _DATASTRIP_FAULTS:
            raise ValueError(f"a stand-alone datastrip cannot have the fault {fault.value}")
    spec = faulty_spec(spec)
    target = folder / spec.datastrip_id
    if target.exists():
        raise FileExistsError(f"{target} exists already; choose another folder")
    workshop = workshop_for(folder, spec.datastrip_id)
    root = workshop / spec.datastrip_id
    root.mkdir(parents=True)
    bare = spec.datastrip_id.removesuffix(f"_N{spec.baseline}")
    metadata_file = f"{bare.replace('_MSI_', '_MTD_')}.xml"
    neighbours = (spec.tile.name, *(f"{spec.tile.name[:4]}{letter}" for letter in "AB"))
    tile_ids = [replace(spec, tile=replace(spec.tile, name=name)).tile_id for name in neighbours]
    packets = packets_of(spec)
    _write(root / metadata_file, datastrip_metadata(spec, tile_ids, packets))
    members = [metadata_file]
    for report in datastrip_reports(spec, packets):
        path = f"QI_DATA/{bare}_{report.type}_report.xml"
        _write(root / path, report_bytes(spec, report, ReportItem(spec.datastrip_id, metadata_file, path)))
        members.append(path)
    schema = f"S2_PDI_Level-{spec.level[1:]}_Datastrip_Metadata.xsd"
    stub = schema_stub(spec, spec.era.namespace("datastrip", spec.level), f"Level-{spec.level[1:]}_DataStrip_ID")
    _write(root / "rep_info" / schema, stub)
    _write(root / "manifest.safe", datastrip_manifest(spec, root, members))
    _write(root / "Inventory_Metadata.xml", inventory(spec, sum((root / name).stat().st_size for name in members)))
    truth = ProductTruth(u=instrument.sun_distance_correction(spec.start), faults=tuple(plant_in_content(spec, root)))
    deliver(root, target, workshop)
    return WrittenProduct(target, target.name, spec, truth)


def workshop_for(folder: Path, name: str) -> Path:
    """A hidden folder to write in, so that nobody who watches ``folder`` meets half a product."""
    workshop = folder / f".writing-{name}"
    if workshop.exists():  # left by a call that was broken off
        shutil.rmtree(workshop)
    return workshop


def deliver(made: Path, target: Path, workshop: Path) -> None:
    """Move what was made to its place at once and clear the hidden folder away."""
    made.rename(target)
    shutil.rmtree(workshop)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_files(pixels: Pixels, root: Path) -> BandTruths:
    """Everything but the manifest; gives the truth of the images."""
    spec = pixels.spec
    granule, datastrip = root / granule_path(spec), root / datastrip_path(spec)
    (granule / "QI_DATA").mkdir(parents=True)
    bands = write_images(pixels, root)
    write_masks(pixels, granule / "QI_DATA")
    _write(granule / "MTD_TL.xml", tile_metadata(pixels, content.tile_content(pixels)))
    packets = packets_of(spec)
    _write(datastrip / "MTD_DS.xml", datastrip_metadata(spec, [spec.tile_id], packets))
    reports = [*datastrip_reports(spec, packets), *tile_reports(spec)]
    for report in reports:
        _write_report(spec, root, report)
    if spec.level == "L2A":
        _write(granule / "QI_DATA" / "L2A_QUALITY.xml", l2a_quality(pixels))
    _write(root / product_file(spec), product_metadata(spec, _quality_facts(pixels, reports)))
    for path, data in (support_files(pixels) | schema_stubs(spec)).items():
        _write(root / path, data)
    return bands


def _write_report(spec: ProductSpec, root: Path, report: Report) -> None:
    of_datastrip = report.scope == "datastrip"
    owner = datastrip_path(spec) if of_datastrip else granule_path(spec)
    pdi = spec.datastrip_id if of_datastrip else spec.tile_id
    if spec.level == "L2A":
        metadata_file = "MTD_DS.xml" if of_datastrip else "MTD_TL.xml"
    else:  # L1C reports were made on the PDI, whose metadata file has a long name
        metadata_file = f"{pdi.rsplit('_N', 1)[0].replace('_MSI_', '_MTD_')}.xml"
    path = f"{owner}/QI_DATA/{report.type}.xml"
    _write(root / path, report_bytes(spec, report, ReportItem(pdi, metadata_file, path)))


def _quality_facts(pixels: Pixels, reports: list[Report]) -> QualityFacts:
    """The product's own flags: a type failed when one of its reports failed."""
    failed = [report for report in reports if report.status == "FAILED"]
    names = [*CHECK_TYPES, "L2A_QUALITY"] if pixels.spec.level == "L2A" else list(CHECK_TYPES)
    failed_types = {report.type for report in failed}
    return QualityFacts(
        cloud=content.product_cloud(pixels),
        snow=0.0,
        flags={name: "FAILED" if name in failed_types else "PASSED" for name in names},
        failed_datastrip_reports=tuple(f"{r.type}.xml" for r in failed if r.scope == "datastrip"),
        failed_granule_reports=tuple(f"{r.type}.xml" for r in failed if r.scope == "granule"),
        content=content.product_content(pixels),
    )


def _listed_members(spec: ProductSpec, root: Path) -> list[str]:
    """What the manifest lists, in its order: all files but itself and the schema stubs."""
    first = [product_file(spec), "INSPIRE.xml"]
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    others = [p for p in paths if p not in first and p != "manifest.safe" and not p.startswith("rep_info/")]
    return first + sorted(others, key=lambda p: (not p.startswith("HTML"), not p.startswith("DATASTRIP"), p))


def _packed(root: Path) -> Path:
    """Zip that holds the folder under its own name; order and times are fixed, so that bytes never change."""
    archive = root.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted(root.rglob("*")):
            if not path.is_file():
                continue
            entry = zipfile.ZipInfo(f"{root.name}/{path.relative_to(root).as_posix()}", _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".jp2" else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            target.writestr(entry, path.read_bytes())
    return archive
