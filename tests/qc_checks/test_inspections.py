"""Each inspection on a small product with one fault: the fault is found, named, and nothing else is blamed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mpc.msi.records import Gipp, Grid, OlqcCheck, PacketLoss, QualityFlag
from qc.checks.finding import Status
from qc.checks.registry import all_inspections, inspections_for, run_inspections
from qc.checks.settings import QcParams
from tests.qc_checks import small
from tests.qc_checks.small import (
    check,
    datastrip_record,
    olqc_reports,
    product_record,
    radiometry,
    subject_of,
    tile_record,
)

IMAGES = Path("GRANULE") / small.GRANULE / "IMG_DATA"
MASKS = Path("GRANULE") / small.GRANULE / "QI_DATA"
UNREADABLE = "MTD is empty (0 bytes)"


def test_a_whole_product_passes_everything_that_can_look(pristine: Path) -> None:
    subject = subject_of(pristine)
    findings = run_inspections(subject, inspections_for("L1C", "product"))
    assert {f.check_id for f in findings if f.status is not Status.PASSED} == {
        "format.xml.schema",  # no schema sets were given
        "general.olqc.schema",
    }


WITHOUT_LOOKING: list[tuple[str, dict[str, Any], str]] = [
    ("geometry.sun_zenith", {"tile": tile_record(sun_zenith=None)}, "no mean sun angle"),
    ("geometry.sun_zenith", {"tile": UNREADABLE}, UNREADABLE),
    ("geometry.relative_orbit", {"product": product_record(absolute_orbit=None)}, "lack the absolute orbit"),
    ("geometry.relative_orbit", {"product": UNREADABLE, "datastrip": UNREADABLE}, "could be read"),
    (
        "geometry.relative_orbit",  # S2A moved to another slot in early 2025
        {"product": product_record(spacecraft="Sentinel-2A", datatake_start=datetime(2025, 3, 1, tzinfo=UTC))},
        "slot of S2A on 2025-03-01 is not known",
    ),
    ("geometry.relative_orbit", {"product": product_record(spacecraft="Sentinel-2D")}, "slot of S2D"),
    ("radiometry.offsets", {"product": product_record(baseline="99.99")}, "99.99"),
    ("radiometry.sun_distance", {"product": product_record(radiometry=radiometry(u=None))}, "no U"),
    ("sensor.packets.lost", {"datastrip": UNREADABLE}, UNREADABLE),
    (
        "sensor.packets.degraded",
        {"datastrip": datastrip_record(packets=PacketLoss(None, None, None, None))},
        "do not count",
    ),
    ("sensor.degraded.msi", {"tile": tile_record(degraded_msi=None)}, "no share of degraded image data"),
    ("general.gipp.complete", {"product": product_record(baseline="99.99")}, "not known"),
    ("general.quality_flags", {"product": product_record(quality_flags=())}, "no quality flags"),
    ("general.quality_flags", {"product": UNREADABLE}, UNREADABLE),
    ("general.olqc.status", {"olqc": ()}, "no report"),
    ("general.metadata.plausible", {"product": "x", "tile": "x", "datastrip": "x"}, "no metadata"),
    ("format.manifest.checksum", {"params": QcParams(checksums=False)}, "parameter checksums"),
    ("sensor.footprint.values", {"params": QcParams(statistics=False)}, "parameter statistics"),
    ("sensor.footprint.detectors", {"tile": tile_record(detectors={})}, "no viewing angles"),
]


@pytest.mark.parametrize(("check_id", "facts", "reason"), WITHOUT_LOOKING)
def test_what_cannot_look_says_why(pristine: Path, check_id: str, facts: dict[str, Any], reason: str) -> None:
    found = check(subject_of(pristine, **facts), check_id)
    assert found.status is Status.NOT_CHECKED, found
    assert reason in found.message


CHANGED_METADATA: list[tuple[str, dict[str, Any], str, str]] = [
    # (check, facts, status, a part of its message or measured value)
    ("format.identity", {"product": product_record(spacecraft="Sentinel-2A")}, "failed", "unit: S2B"),
    ("format.identity", {"product": product_record(relative_orbit=23)}, "failed", "relative orbit: 122"),
    ("format.identity", {"product": product_record(baseline="05.10")}, "failed", "processing baseline: 05.09"),
    ("format.identity", {"product": product_record(level="L2A")}, "failed", "level: L1C"),
    (
        "format.identity",
        {"product": product_record(product_uri=small.NAME.replace("34UCF", "31TCJ"))},
        "failed",
        "name: S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF",
    ),
    (
        "format.identity",
        {"tile": tile_record(tile_id="S2B_OPER_MSI_L1C_TL_2BPS_20230823T120234_A033753_T31TCJ_N05.09")},
        "failed",
        "31TCJ (tile metadata, TILE_ID)",
    ),
    (
        "format.identity",
        {"product": product_record(datatake_start=datetime(2023, 8, 23, 9, 56, tzinfo=UTC))},
        "failed",
        "start of the datatake: 2023-08-23T09:55:59Z",
    ),
    (
        "format.identity",
        {"datastrip": datastrip_record(sensing_start=datetime(2023, 8, 23, tzinfo=UTC))},
        "failed",
        "start of datastrip",
    ),
    ("geometry.sun_zenith", {"tile": tile_record(sun_zenith=82.01)}, "failed", "checklist of 2022"),
    ("geometry.sun_zenith", {"tile": tile_record(sun_zenith=81.99)}, "passed", "81.990 degrees"),
    ("geometry.sun_zenith", {"tile": tile_record(sun_zenith=71.0), "level": "L2A"}, "failed", "level 2A"),
    (
        "geometry.sun_zenith",  # the limit of the product's own checklist stands above the general one
        {
            "tile": tile_record(sun_zenith=85.0),
            "olqc": olqc_reports(
                checks=(OlqcCheck("Solar_Angle_Zenith", "", "PASSED", "", values={"EXPECTED": "180.0"}),)
            ),
        },
        "passed",
        "GIP_OLQCPA",
    ),
    ("geometry.relative_orbit", {"product": product_record(relative_orbit=121)}, "failed", "33753"),
    ("radiometry.offsets", {"product": product_record(radiometry=radiometry(offsets={}))}, "failed", "13 bands have"),
    (
        "radiometry.offsets",
        {"product": product_record(radiometry=radiometry(offsets=radiometry().offsets | {"B8A": 0.0}))},
        "failed",
        "1 band has",
    ),
    ("radiometry.offsets", {"product": product_record(baseline="03.01")}, "failed", "in a baseline that has none"),
    (
        "radiometry.offsets",
        {"product": product_record(baseline="03.01", radiometry=radiometry(offsets={}))},
        "passed",
        "none",
    ),
    (
        "radiometry.quantification",
        {"product": product_record(radiometry=radiometry(quantification=1000.0))},
        "failed",
        "1000",
    ),
    (
        "radiometry.quantification",
        {"product": product_record(radiometry=radiometry(aot_quantification=1000.0)), "level": "L2A"},
        "failed",
        "WVP absent",
    ),
    (
        "radiometry.sun_distance",
        {"product": product_record(radiometry=radiometry(u=radiometry().u * (1 + 2e-6)))},
        "failed",
        "2.00e-06",
    ),
    (
        "radiometry.sun_distance",
        {"product": product_record(radiometry=radiometry(u=radiometry().u * (1 + 5e-7)))},
        "passed",
        "5.0e-07",
    ),
    (
        "sensor.packets.lost",
        {"datastrip": datastrip_record(packets=PacketLoss(7, 0, 0, 0.1))},
        "failed",
        "7 source packets",
    ),
    (
        "sensor.packets.degraded",
        {"datastrip": datastrip_record(packets=PacketLoss(0, 1, 0, 0.1))},
        "failed",
        "1 source packet ",
    ),
    (
        "sensor.packets.degraded",
        {"datastrip": datastrip_record(packets=PacketLoss(0, 0, 3, 0.1))},
        "warning",
        "3 degraded",
    ),
    ("sensor.degraded.anc", {"product": product_record(degraded_anc=0.5)}, "warning", "below the limit of 1 %"),
    ("sensor.degraded.anc", {"datastrip": datastrip_record(degraded_anc=1.5)}, "failed", "1.5 %"),
    ("sensor.degraded.msi", {"tile": tile_record(degraded_msi=0.0264)}, "warning", "0.0264 %"),
    ("sensor.degraded.msi", {"tile": tile_record(degraded_msi=40.0)}, "failed", "40 %"),
    (
        "sensor.degraded.msi",
        {"tile": tile_record(degraded_msi=40.0), "params": QcParams(degraded_limit=50.0)},
        "warning",
        "limit of 50 %",
    ),
    ("general.metadata.readable", {"tile": UNREADABLE}, "failed", UNREADABLE),
    (
        "general.metadata.plausible",
        {"absurd": ("Cloud_Coverage_Assessment: 412 is not a percentage",)},
        "failed",
        "412 is not a percentage",
    ),
    ("general.gipp.complete", {"product": product_record(gipps=()), "gipps": ()}, "failed", "list no GIPP"),
    ("general.gipp.complete", {"gipps": small.gipps()[1:]}, "failed", "1 type absent or short"),
    (
        "general.gipp.complete",  # twelve of the thirteen files of one type
        {"gipps": tuple(g for g in small.gipps() if not ("VIEDIR" in g.name and g.name.endswith("B03")))},
        "failed",
        "VIEDIR 12 of 13",
    ),
    ("general.gipp.validity", {"gipps": (Gipp("S2A_R2ABCA", "GIP_R2ABCA", "1"),)}, "warning", "S2A_R2ABCA"),
    (
        "general.gipp.validity",
        {"gipps": tuple(dataclasses.replace(g, name=g.name.replace("S2B", "S2A")) for g in small.gipps()[:1])},
        "warning",
        "made for S2A, not S2B",
    ),
    (
        "general.gipp.validity",
        {
            "gipps": tuple(
                dataclasses.replace(g, name=g.name.replace("21000101", "20220601")) for g in small.gipps()[:1]
            )
        },
        "warning",
        "before the datatake",
    ),
    (
        "general.gipp.validity",
        {
            "gipps": tuple(
                dataclasses.replace(g, name=g.name.replace("21000101T000000", "99999999T999999"))
                for g in small.gipps()[:1]
            )
        },
        "passed",
        "all",
    ),
    (
        "general.olqc.readable",
        {"olqc": olqc_reports(readable=False, problem="not XML", status="ERROR")},
        "failed",
        "not XML",
    ),
    (
        "general.olqc.schema",
        {"olqc": olqc_reports(schema_valid=False, problem="line 3"), "schemas": object()},
        "failed",
        "line 3",
    ),
    ("general.olqc.schema", {"olqc": olqc_reports(schema_valid=None), "schemas": object()}, "not_checked", "1 report"),
    ("general.olqc.schema", {"schemas": object()}, "passed", "all"),
    (
        "general.olqc.status",
        {"olqc": olqc_reports(status="FAILED", checks=(OlqcCheck("Data_Loss", "", "FAILED", "lines lost"),))},
        "failed",
        "FORMAT_CORRECTNESS (granule) says FAILED; Data_Loss: lines lost",
    ),
    (
        "general.olqc.status",
        {"olqc": olqc_reports(checks=(OlqcCheck("Ecmwf", "", "ERROR", "absent"),))},
        "warning",
        "says PASSED although Ecmwf",
    ),
    (
        "general.quality_flags",
        {"product": product_record(quality_flags=(QualityFlag("SENSOR_QUALITY", "FAILED"),))},
        "failed",
        "SENSOR_QUALITY is flagged FAILED",
    ),
    (
        "general.quality_flags",
        {"olqc": olqc_reports(status="FAILED")},
        "failed",
        "FORMAT_CORRECTNESS is flagged PASSED but FORMAT_CORRECTNESS (granule) says FAILED",
    ),
    (
        "general.quality_flags",
        {"product": product_record(failed_reports=("GENERAL_QUALITY",))},
        "failed",
        "GENERAL_QUALITY is listed",
    ),
    (
        "format.raster.size",
        {
            "tile": tile_record(
                grids=tile_record().grids | {60: Grid(60, 1830, 1830, small.ULX, small.ULY, 60.0, -60.0)}
            )
        },
        "failed",
        "B01 60 m: 20 x 20, not 1830 x 1830",
    ),
    ("geometry.raster.position", {"tile": tile_record(epsg=32633)}, "failed", "EPSG:32634, not EPSG:32633"),
    (
        "geometry.raster.position",
        {
            "tile": tile_record(
                grids=tile_record().grids | {10: Grid(10, 120, 120, small.ULX + 10, small.ULY, 10.0, -10.0)}
            )
        },
        "failed",
        "corner 300000 6100020",
    ),
    ("geometry.raster.position", {"tile": UNREADABLE}, "not_checked", UNREADABLE),
    (
        "sensor.footprint.detectors",
        {"tile": tile_record(detectors=tile_record().detectors | {"B04": (5, 6, 7)})},
        "warning",
        "B04: angles of detectors 5, 6, 7, footprint of 5, 6",
    ),
    (
        "format.images.present",
        {"product": product_record(image_files=(f"{IMAGES}/T34UCF_20230823T095559_B14",))},
        "failed",
        "1 image listed in the metadata not there",
    ),
]


@pytest.mark.parametrize(("check_id", "facts", "status", "text"), CHANGED_METADATA)
def test_what_the_metadata_say(pristine: Path, check_id: str, facts: dict[str, Any], status: str, text: str) -> None:
    found = check(subject_of(pristine, **facts), check_id)
    assert found.status == status, found
    assert text in f"{found.message} {found.measured}"


def cut(path: Path, share: float = 0.5) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def zero_tail(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))


def new_values(root: Path, path: Path, old: int, new: int) -> None:
    mask = small.footprint(10)
    mask[mask == old] = new
    small.write_jp2(root / path, mask, 10)


B02 = IMAGES / "T34UCF_20230823T095559_B02.jp2"
B8A = IMAGES / "T34UCF_20230823T095559_B8A.jp2"
DETFOO_B02 = MASKS / "MSK_DETFOO_B02.jp2"

CHANGED_FILES: list[tuple[str, Callable[[Path], object], str, str]] = [
    # (check, what is done to the files, status, a part of message, measured value or place)
    ("format.manifest.present", lambda root: (root / B02).unlink(), "failed", "T34UCF_20230823T095559_B02.jp2"),
    ("format.manifest.present", lambda root: (root / "manifest.safe").write_text("<XFDU"), "failed", "manifest.safe"),
    (
        "format.manifest.present",
        lambda root: (root / "manifest.safe").unlink(),
        "not_checked",
        "no manifest.safe in this product",
    ),
    ("format.manifest.size", lambda root: cut(root / B02), "failed", "T34UCF_20230823T095559_B02.jp2"),
    ("format.manifest.size", lambda root: (root / "manifest.safe").unlink(), "not_checked", "no manifest.safe"),
    ("format.manifest.checksum", lambda root: zero_tail(root / B02), "failed", "T34UCF_20230823T095559_B02.jp2"),
    ("format.manifest.checksum", lambda root: small.write_manifest(root, "MD5"), "passed", "all"),
    (
        "format.manifest.checksum",
        lambda root: (root / "manifest.safe").write_text(
            (root / "manifest.safe").read_text().replace("SHA3-256", "CRC-9")
        ),
        "not_checked",
        "CRC-9",
    ),
    ("format.manifest.extra", lambda root: (root / "notes.txt").write_text("x"), "warning", "notes.txt"),
    ("format.xml.wellformed", lambda root: (root / "INSPIRE.xml").write_text("<a><b></a>"), "failed", "INSPIRE.xml"),
    ("format.xml.wellformed", lambda root: (root / "INSPIRE.xml").write_text(""), "failed", "INSPIRE.xml"),
    (
        "format.xml.wellformed",
        lambda root: (root / "INSPIRE.xml").write_text('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        "failed",
        "INSPIRE.xml",
    ),
    ("format.images.present", lambda root: (root / B8A).unlink(), "failed", "B8A 20 m"),
    ("format.images.readable", lambda root: cut(root / B02), "failed", "B02 10 m"),
    ("format.images.readable", lambda root: (root / B02).write_bytes(b""), "failed", "the file is empty (0 bytes)"),
    ("format.images.readable", lambda root: zero_tail(root / B02), "failed", "B02 10 m"),
    ("format.images.readable", lambda root: (root / B02).write_bytes(b"text" * 99), "failed", "B02 10 m"),
    ("format.masks.present", lambda root: (root / DETFOO_B02).unlink(), "failed", "MSK_DETFOO of B02"),
    ("format.masks.structure", lambda root: cut(root / MASKS / "MSK_CLASSI_B00.jp2"), "failed", "MSK_CLASSI_B00.jp2"),
    (
        "format.raster.size",
        lambda root: small.write_jp2(root / B02, small.band_counts("B02", 10)[:100], 10),
        "failed",
        "100 x 120",
    ),
    (
        "format.raster.type",
        lambda root: small.write_jp2(root / B02, (small.band_counts("B02", 10) // 10).astype(np.uint8), 10),
        "failed",
        "B02 10 m: 1 x uint8, not 1 x uint16",
    ),
    (
        "geometry.raster.position",
        lambda root: small.write_jp2(root / B02, small.band_counts("B02", 10), 10, epsg=32633),
        "failed",
        "EPSG:32633",
    ),
    (
        "geometry.raster.position",
        lambda root: small.write_jp2(root / B02, small.band_counts("B02", 10), 10, ulx=small.ULX + 10),
        "failed",
        "corner 300010",
    ),
    (
        "radiometry.image_content",
        lambda root: small.write_jp2(root / B02, np.zeros((120, 120), np.uint16), 10),
        "warning",
        "B02 10 m: no-data and saturation alone",
    ),
    (
        "radiometry.image_content",
        lambda root: small.write_jp2(root / B02, np.full((120, 120), 1234, np.uint16), 10),
        "warning",
        "the single value 1234",
    ),
    ("sensor.footprint.values", lambda root: new_values(root, DETFOO_B02, 6, 17), "failed", "B02 holds 17"),
    ("sensor.footprint.values", lambda root: cut(root / DETFOO_B02), "failed", "MSK_DETFOO_B02.jp2"),
    ("sensor.footprint.values", lambda root: (root / DETFOO_B02).unlink(), "not_checked", "1 footprint of 13 absent"),
    (
        "sensor.footprint.agreement",
        lambda root: new_values(root, DETFOO_B02, 6, 0),
        "warning",
        "B02: 5760 pixels have data",
    ),
    ("general.olqc.present", lambda root: (root / MASKS / "SENSOR_QUALITY.xml").unlink(), "failed", "SENSOR_QUALITY"),
    (
        "format.identity",
        lambda root: (root / B8A).rename(root / IMAGES / "T31TCJ_20230823T095559_B8A.jp2"),
        "failed",
        "31TCJ (image T31TCJ_20230823T095559_B8A.jp2)",
    ),
]


@pytest.mark.parametrize(("check_id", "break_it", "status", "text"), CHANGED_FILES)
def test_what_the_files_hold(
    product: Path, check_id: str, break_it: Callable[[Path], object], status: str, text: str
) -> None:
    break_it(product)
    found = check(subject_of(product), check_id)
    assert found.status == status, found
    assert text in f"{found.message} {found.measured} {found.where}"
    assert str(product.parent) not in f"{found.message} {found.details}", (
        "a report names files, not places on a machine"
    )


def test_a_name_that_lies_about_its_content(product: Path) -> None:
    lie = product.rename(product.with_name(product.name.replace("S2B_MSIL1C", "S2A_MSIL1C")))
    found = check(subject_of(lie), "format.identity")
    assert found.status is Status.FAILED
    assert {item["fact"] for item in found.details["items"]} == {"name", "unit"}


def test_a_tiff_under_the_name_of_a_jpeg_2000(product: Path) -> None:
    import rasterio

    counts = small.band_counts("B02", 10)
    with rasterio.open(
        product / B02,
        "w",
        driver="GTiff",
        width=120,
        height=120,
        count=1,
        dtype="uint16",
        crs=f"EPSG:{small.EPSG}",
        transform=rasterio.Affine(10, 0, small.ULX, 0, -10, small.ULY),
    ) as target:
        target.write(counts, 1)
    subject = subject_of(product)
    assert check(subject, "format.images.encoding").status is Status.FAILED
    assert check(subject, "format.images.readable").status is Status.PASSED, "its pixels are all there"


def test_class_percentages_are_counted_again(pristine: Path) -> None:
    classes = {0: 100, 4: 500, 8: 100, 9: 150, 10: 50, 11: 100}
    subject = subject_of(pristine, level="L2A")
    images = tuple(
        dataclasses.replace(image, name="SCL", resolution=20, classes=classes) if image.name == "B02" else image
        for image in subject.pixels.images
    )
    declared = {
        "NODATA_PIXEL_PERCENTAGE": 10.0,
        "CLOUDY_PIXEL_PERCENTAGE": 100 * 300 / 900,
        "VEGETATION_PERCENTAGE": 55.5556,
    }
    for content, status in ((declared, "passed"), (declared | {"SNOW_ICE_PERCENTAGE": 0.0}, "failed")):
        subject = subject_of(
            pristine,
            level="L2A",
            tile=tile_record(content=content),
            pixels=dataclasses.replace(subject.pixels, images=images),
        )
        assert check(subject, "general.scene_classes").status == status
    assert (
        "SNOW_ICE_PERCENTAGE is declared as 0.0000 and counted as 11.1111"
        in check(subject, "general.scene_classes").message
    )


def test_a_product_without_anything_readable_breaks_no_inspection(tmp_path: Path) -> None:
    root = tmp_path / f"{small.NAME}.SAFE"
    for name in (B02, DETFOO_B02, MASKS / "SENSOR_QUALITY.xml", Path("MTD_MSIL1C.xml"), Path("manifest.safe")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\x00\xff" * 50)
    subject = subject_of(root, product=UNREADABLE, tile=UNREADABLE, datastrip=UNREADABLE, olqc=())
    findings = run_inspections(subject, all_inspections())
    assert [f.check_id for f in findings if f.status is Status.ERROR] == []
    assert {f.check_id for f in findings if f.status is Status.FAILED} >= {
        "format.images.readable",
        "format.images.present",
    }
