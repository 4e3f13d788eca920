"""A small product made for tests: real JPEG 2000 files on a tile of 1.2 km, and metadata as records.

Only names and pixels lie in the folder; what metadata files would say is set on the subject as records, so that a test
states in one line the one fact that it is about.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine

from mpc.msi.bands import BANDS
from mpc.msi.records import (
    DatastripMetadata,
    Gipp,
    Grid,
    OlqcCheck,
    OlqcReport,
    PacketLoss,
    ProductMetadata,
    QualityFlag,
    Radiometry,
    TileMetadata,
    ViewAngles,
)
from mpc.msi.safe import open_safe
from mpc.msi.units import sun_distance_u
from qc.checks.finding import Finding
from qc.checks.inspections.gipp import required_types
from qc.checks.registry import all_inspections, run_inspections
from qc.checks.settings import QcParams
from qc.checks.subject import Reading, Subject

NAME = "S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234"
GRANULE = "L1C_T34UCF_A033753_20230823T095553"
DATASTRIP = "DS_2BPS_20230823T120234_S20230823T095553"
EPSG = 32634
ULX, ULY = 300000.0, 6100020.0
ROWS = {10: 120, 20: 60, 60: 20}
START = datetime(2023, 8, 23, 9, 55, 59, 24000, tzinfo=UTC)
DETECTORS = (5, 6)
EDGE = 108
"""Column of 10 m pixels from which on the swath ends: a tenth of the tile is no-data."""

REPORTS = ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", "SENSOR_QUALITY")


def band_counts(name: str, resolution: int) -> np.ndarray:
    """Counts of a band: noise around 2000, no-data right of the swath's edge."""
    rows = ROWS[resolution]
    rng = np.random.default_rng(sum(map(ord, name)))
    counts = rng.integers(1500, 2500, (rows, rows)).astype(np.uint16)
    counts[:, EDGE * 10 // resolution :] = 0
    return counts


def footprint(resolution: int) -> np.ndarray:
    """Detector 5 on the left, 6 on the right, none beyond the swath's edge."""
    rows = ROWS[resolution]
    mask = np.full((rows, rows), DETECTORS[0], np.uint8)
    mask[:, rows // 2 :] = DETECTORS[1]
    mask[:, EDGE * 10 // resolution :] = 0
    return mask


def write_jp2(path: Path, array: np.ndarray, resolution: float, *, ulx: float = ULX, epsg: int = EPSG) -> None:
    """A lossless JPEG 2000 with its place on Earth."""
    layers = array[None] if array.ndim == 2 else array
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="JP2OpenJPEG",
        width=layers.shape[2],
        height=layers.shape[1],
        count=layers.shape[0],
        dtype=layers.dtype,
        crs=f"EPSG:{epsg}",
        transform=Affine(resolution, 0, ulx, 0, -resolution, ULY),
        QUALITY="100",
        REVERSIBLE="YES",
        YCBCR420="NO",
    ) as target:
        target.write(layers)


def make_product(folder: Path) -> Path:
    """A whole L1C product of 05.09 below ``folder``; its metadata and reports are empty shells of well-formed XML."""
    root = folder / f"{NAME}.SAFE"
    granule = root / "GRANULE" / GRANULE
    for band in BANDS:
        image = granule / "IMG_DATA" / f"T34UCF_20230823T095559_{band.name}.jp2"
        write_jp2(image, band_counts(band.name, band.gsd), band.gsd)
        write_jp2(granule / "QI_DATA" / f"MSK_DETFOO_{band.name}.jp2", footprint(band.gsd), band.gsd)
    colours = np.stack([band_counts(name, 10) // 10 for name in ("B04", "B03", "B02")]).astype(np.uint8)
    write_jp2(granule / "IMG_DATA" / "T34UCF_20230823T095559_TCI.jp2", colours, 10)
    classes = np.zeros((3, 20, 20), np.uint8)
    classes[0, :4, :4] = 1
    write_jp2(granule / "QI_DATA" / "MSK_CLASSI_B00.jp2", classes, 60)
    for name, shell in (("MTD_MSIL1C.xml", "Product"), (f"GRANULE/{GRANULE}/MTD_TL.xml", "Tile")):
        (root / name).write_text(f"<{shell}><A/></{shell}>")
    strip = root / "DATASTRIP" / DATASTRIP
    strip.mkdir(parents=True)
    (strip / "MTD_DS.xml").write_text("<Datastrip><A/></Datastrip>")
    write_reports(root)
    write_manifest(root)
    return root


def write_reports(root: Path) -> None:
    for place, names in (
        (f"GRANULE/{GRANULE}", REPORTS),
        (f"DATASTRIP/{DATASTRIP}", (*REPORTS, "RADIOMETRIC_QUALITY")),
    ):
        for name in names:
            path = root / place / "QI_DATA" / f"{name}.xml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("<Report><A/></Report>")


def write_manifest(root: Path, algorithm: str = "SHA3-256") -> None:
    """A manifest of all files that are there now."""
    digest = {"SHA3-256": "sha3_256", "MD5": "md5"}[algorithm]
    objects = "".join(
        f'<dataObject><byteStream size="{path.stat().st_size}"><fileLocation href="./{path.relative_to(root)}"/>'
        f'<checksum checksumName="{algorithm}">{hashlib.new(digest, path.read_bytes()).hexdigest()}</checksum>'
        "</byteStream></dataObject>"
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "manifest.safe"
    )
    (root / "manifest.safe").write_text(
        f'<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1"><dataObjectSection>{objects}</dataObjectSection></xfdu:XFDU>'
    )


def radiometry(**changes: Any) -> Radiometry:
    facts = Radiometry(
        quantification=10000.0,
        offsets={band.name: -1000.0 for band in BANDS},
        u=sun_distance_u(START),
        special_values={"NODATA": 0, "SATURATED": 65535},
    )
    return dataclasses.replace(facts, **changes)


def gipps(level: str = "L1C", baseline: str = "05.09") -> tuple[Gipp, ...]:
    """A complete list by the names that real ones have."""
    required = required_types(level, baseline) or {}
    return tuple(
        Gipp(
            f"S2B_OPER_GIP_{kind}_MPC__20220101T000000_V20220102T000000_21000101T000000_B{band:02d}",
            f"GIP_{kind}",
            "0001",
        )
        for kind, count in required.items()
        for band in (range(count) if count > 1 else (0,))
    )


def product_record(**changes: Any) -> ProductMetadata:
    facts = ProductMetadata(
        root="Level-1C_User_Product",
        namespace="",
        product_uri=f"{NAME}.SAFE",
        level="L1C",
        baseline="05.09",
        generation_time=None,
        product_start_time=START,
        spacecraft="Sentinel-2B",
        datatake_id="GS2B_20230823T095559_033753_N05.09",
        datatake_type="INS-NOBS",
        datatake_start=START,
        relative_orbit=122,
        orbit_direction="ASCENDING",
        absolute_orbit=33753,
        image_files=(),
        datastrip_ids=(),
        granule_ids=(),
        radiometry=radiometry(),
        footprint=(),
        cloud_cover=4.0,
        snow_cover=0.0,
        degraded_anc=0.0,
        degraded_msi=0.0,
        quality_flags=tuple(QualityFlag(name, "PASSED") for name in REPORTS),
        failed_reports=(),
        gipps=gipps(),
        auxiliary={},
    )
    return dataclasses.replace(facts, **changes)


def tile_record(**changes: Any) -> TileMetadata:
    facts = TileMetadata(
        root="Level-1C_Tile_ID",
        namespace="",
        tile_id="S2B_OPER_MSI_L1C_TL_2BPS_20230823T120234_A033753_T34UCF_N05.09",
        datastrip_id=None,
        downlink_priority=None,
        sensing_time=datetime(2023, 8, 23, 10, 5, 35, tzinfo=UTC),
        archiving_time=None,
        epsg=EPSG,
        grids={g: Grid(g, ROWS[g], ROWS[g], ULX, ULY, float(g), -float(g)) for g in ROWS},
        sun_zenith=43.9,
        sun_azimuth=160.0,
        view_angles={band.name: ViewAngles(3.0, 100.0) for band in BANDS},
        detectors={band.name: DETECTORS for band in BANDS},
        cloud_percentage=4.0,
        snow_percentage=0.0,
        degraded_msi=0.0,
        nodata_percentage=None,
        content={},
        mask_files=tuple(("MSK_DETFOO", f"GRANULE/x/QI_DATA/MSK_DETFOO_{band.name}.jp2") for band in BANDS),
        pvi_file=None,
        level="L1C",
    )
    return dataclasses.replace(facts, **changes)


def datastrip_record(**changes: Any) -> DatastripMetadata:
    facts = DatastripMetadata(
        root="Level-1C_DataStrip_ID",
        namespace="",
        datastrip_id="",
        level="L1C",
        baseline="05.09",
        spacecraft="Sentinel-2B",
        datatake_id="GS2B_20230823T095559_033753_N05.09",
        datatake_type="INS-NOBS",
        datatake_start=START,
        relative_orbit=122,
        absolute_orbit=33753,
        sensing_start=datetime(2023, 8, 23, 9, 55, 53, 500000, tzinfo=UTC),
        sensing_stop=None,
        generation_time=None,
        reception_station=None,
        processing_center=None,
        radiometry=radiometry(),
        packets=PacketLoss(0, 0, 0, 0.0),
        refining=None,
        refining_parameters={},
        configuration={},
        degraded_anc=0.0,
        gipps=gipps(),
        auxiliary={},
        granule_ids=(),
    )
    return dataclasses.replace(facts, **changes)


def olqc_report(name: str, **changes: Any) -> OlqcReport:
    facts = OlqcReport(
        report=name,
        scope="granule",
        item="",
        path=f"QI_DATA/{name}.xml",
        status="PASSED",
        version="1.0",
        checklist=name,
        parent="S2B_OPER_GIP_OLQCPA_MPC__20220715T000042_V20220830T002500",
        date=None,
        checks=(OlqcCheck("checkMetadata", "", "PASSED", ""),),
        schema_valid=True,
    )
    return dataclasses.replace(facts, **changes)


def olqc_reports(**changes: Any) -> tuple[OlqcReport, ...]:
    """Four granule reports; ``changes`` are those of the first."""
    first, *others = (olqc_report(name) for name in REPORTS)
    return (dataclasses.replace(first, **changes), *others)


def subject_of(
    root: Path,
    *,
    product: ProductMetadata | str | None = None,
    tile: TileMetadata | str | None = None,
    datastrip: DatastripMetadata | str | None = None,
    olqc: tuple[OlqcReport, ...] | None = None,
    absurd: tuple[str, ...] = (),
    params: QcParams | None = None,
    **properties: Any,
) -> Subject:
    """A subject over the files at ``root`` whose metadata are these records; a text stands for metadata that cannot be
    read and says why. Further properties of the subject are set as given."""
    subject = Subject(open_safe(root), params=params)

    def reading(path: str, record: Any, default: Any) -> Reading[Any]:
        if isinstance(record, str):
            return Reading(path, None, record)
        return Reading(path, record or default, "", absurd)

    subject.__dict__.update(
        product=reading("MTD_MSIL1C.xml", product, product_record()),
        tiles=tuple(reading("MTD_TL.xml", tile, tile_record()) for _ in subject.safe.granules),
        datastrips=tuple(reading("MTD_DS.xml", datastrip, datastrip_record()) for _ in subject.safe.datastrips),
        olqc=olqc_reports() if olqc is None else olqc,
        **properties,
    )
    return subject


def check(subject: Subject, check_id: str) -> Finding:
    """The finding of one inspection."""
    return run_inspections(subject, [found for found in all_inspections() if found.id == check_id])[0]


def copy_of(product: Path, folder: Path) -> Path:
    return Path(shutil.copytree(product, folder / product.name))
