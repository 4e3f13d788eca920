"""Simulated products are structurally true, and their truth is that of the files."""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from lxml import etree
from rasterio.features import rasterize

from processors.simulator import instrument
from processors.simulator.products import ProductSpec, write_band, write_datastrip, write_product
from processors.simulator.products.detectors import detector_layout
from tests.simulator.conftest import SMALL, only

L1C = [
    ("S2A", "02.04", "14.2"),
    ("S2A", "02.06", "14.5"),
    ("S2A", "03.01", "14.5"),
    ("S2B", "04.00", "14.8"),
    ("S2B", "05.09", "14.8"),
    ("S2C", "05.11", "15.0"),
    ("S2D", "05.13", "15.0"),
]
L2A = [("S2A", "04.00", "14.8"), ("S2B", "05.09", "14.8"), ("S2C", "05.11", "15.0"), ("S2B", "05.13", "15.0")]
ALL = [(u, "L1C", b, p) for u, b, p in L1C] + [(u, "L2A", b, p) for u, b, p in L2A]
BANDS = list(instrument.BAND_NAMES)


def schema_errors(realdata: Path, psd: str, name: str, file: Path) -> list[str]:
    schema = etree.XMLSchema(etree.parse(realdata / "xsd" / "psd" / f"psd-{psd}" / name))
    schema.validate(etree.parse(file))
    return [f"{file.name}:{error.line}: {error.message}" for error in schema.error_log]


@pytest.mark.parametrize(("unit", "level", "baseline", "psd"), ALL)
def test_all_xml_fits_the_schema_set_of_its_baseline(product_of, realdata, unit, level, baseline, psd):
    path = product_of(unit, level, baseline).path
    of_level = f"Level-{level[1:]}"
    files = {
        only(path, f"MTD_MSI{level}.xml"): f"S2_User_Product_{of_level}_Metadata.xsd",
        only(path, "GRANULE/*/MTD_TL.xml"): f"S2_PDI_{of_level}_Tile_Metadata.xsd",
        only(path, "DATASTRIP/*/MTD_DS.xml"): f"S2_PDI_{of_level}_Datastrip_Metadata.xsd",
    }
    for report in path.glob("*/*/QI_DATA/*.xml"):
        files[report] = "L2A_QUALITY.xsd" if report.name == "L2A_QUALITY.xml" else "OLQC_Report.xsd"
    assert len(files) == 12 + (level == "L2A")
    assert [error for file, name in files.items() for error in schema_errors(realdata, psd, name, file)] == []


@pytest.mark.parametrize(("baseline", "psd"), [("04.00", "14.8"), ("05.12", "15.0")])
def test_stand_alone_datastrip_has_its_five_reports_and_fits_the_schemas(tmp_path, realdata, baseline, psd):
    written = write_datastrip(ProductSpec(baseline=baseline, site="REFS"), tmp_path)
    bare = written.name.removesuffix(f"_N{baseline}")
    reports = sorted(file.name for file in (written.path / "QI_DATA").iterdir())
    kinds = ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", "RADIOMETRIC_QUALITY", "SENSOR_QUALITY")
    assert reports == [f"{bare}_{kind}_report.xml" for kind in kinds]
    metadata = written.path / f"{bare.replace('_MSI_', '_MTD_')}.xml"
    assert schema_errors(realdata, psd, "S2_PDI_Level-1C_Datastrip_Metadata.xsd", metadata) == []
    assert schema_errors(realdata, psd, "Inventory_Metadata.xsd", written.path / "Inventory_Metadata.xml") == []
    for report in (written.path / "QI_DATA").iterdir():
        assert schema_errors(realdata, psd, "OLQC_Report.xsd", report) == []


@pytest.mark.parametrize(
    ("unit", "level", "baseline", "algorithm"),
    [("S2A", "L1C", "02.06", "MD5"), ("S2A", "L1C", "03.01", "SHA3-256"), ("S2C", "L2A", "05.11", "SHA3-256")],
)
def test_manifest_lists_every_file_with_its_size_and_checksum(product_of, unit, level, baseline, algorithm):
    path = product_of(unit, level, baseline).path
    listed = set()
    for entry in etree.parse(path / "manifest.safe").iterfind(".//dataObject"):
        file = path / entry.find(".//fileLocation").get("href")
        checksum = entry.find(".//checksum")
        assert checksum.get("checksumName") == algorithm
        name = {"MD5": "md5", "SHA3-256": "sha3_256"}[algorithm]
        assert checksum.text.lower() == hashlib.new(name, file.read_bytes()).hexdigest()
        assert int(entry.find("byteStream").get("size")) == file.stat().st_size
        listed.add(file.resolve())
    unlisted = {file.relative_to(path).parts[0] for file in path.rglob("*") if file.is_file() and file not in listed}
    assert unlisted == {"manifest.safe", "rep_info"}


@pytest.mark.parametrize(("unit", "level", "baseline"), [("S2A", "L1C", "02.06"), ("S2C", "L1C", "05.11")])
def test_truth_is_that_of_the_images_read_back(product_of, unit, level, baseline):
    written = product_of(unit, level, baseline)
    for band in BANDS:
        gsd = instrument.GSD[band]
        with rasterio.open(only(written.path, f"GRANULE/*/IMG_DATA/*_{band}.jp2")) as image:
            assert (image.crs.to_epsg(), image.dtypes[0], image.shape) == (32632, "uint16", (SMALL * 10 // gsd,) * 2)
            assert image.transform.to_gdal() == (499980, gsd, 0, 4700040, 0, -gsd)
            pixels = image.read(1)
        valid = pixels[(pixels != 0) & (pixels != 65535)].astype(object)
        truth = written.truth.bands[band, gsd, None]
        assert (truth.count, truth.nodata, truth.saturated) == (
            valid.size,
            int((pixels == 0).sum()),
            int((pixels == 65535).sum()),
        )
        assert (truth.minimum, truth.maximum, truth.total) == (valid.min(), valid.max(), valid.sum())
        assert truth.squares == (valid**2).sum()
        assert truth.std == pytest.approx(float(np.std(valid.astype(float))), rel=1e-9)
        parts = [part for key, part in written.truth.bands.items() if key[0] == band and key[2]]
        assert sum(part.count for part in parts) == truth.count
        assert 4 <= len(parts) <= 7 or written.spec.nodata_fraction


def test_saturated_pixels_are_known_to_the_quality_mask(product_of):
    path = product_of("S2C", "L1C", "05.11").path
    for band in ("B02", "B09", "B11"):
        with rasterio.open(only(path, f"GRANULE/*/IMG_DATA/*_{band}.jp2")) as image:
            saturated = image.read(1) == 65535
        with rasterio.open(only(path, f"GRANULE/*/QI_DATA/MSK_QUALIT_{band}.jp2")) as image:
            layers = image.read()
        assert layers.shape[0] == 8
        assert saturated.any()
        assert (layers[7] == saturated).all()
        assert not layers[:7].any()


def footprint_raster(path: Path, band: str) -> np.ndarray:
    """Detector numbers as a reader makes them from the GML polygons."""
    root = etree.parse(only(path, f"GRANULE/*/QI_DATA/MSK_DETFOO_{band}.gml"))
    with rasterio.open(only(path, f"GRANULE/*/IMG_DATA/*_{band}.jp2")) as image:
        shape, transform = image.shape, image.transform
    shapes = []
    for feature in root.iterfind(".//{*}MaskFeature"):
        detector = int(feature.get("{http://www.opengis.net/gml/3.2}id").split("-")[2])
        points = np.array(feature.find(".//{*}posList").text.split(), float).reshape(-1, 3)[:, :2]
        shapes.append(({"type": "Polygon", "coordinates": [points.tolist()]}, detector))
    return rasterize(shapes, out_shape=shape, transform=transform, dtype="uint8")


@pytest.mark.parametrize("band", ["B02", "B05", "B10"])
def test_gml_footprints_and_no_data_agree_with_the_truth_by_detector(product_of, band):
    written = product_of("S2A", "L1C", "02.06")
    detectors = footprint_raster(written.path, band)
    with rasterio.open(only(written.path, f"GRANULE/*/IMG_DATA/*_{band}.jp2")) as image:
        pixels = image.read(1)
    assert ((detectors == 0) == (pixels == 0)).all()
    assert 0.15 < (detectors == 0).mean() < 0.3
    gsd = instrument.GSD[band]
    counted = {int(d): int(((detectors == d) & (pixels != 65535)).sum()) for d in np.unique(detectors) if d}
    assert counted == {key[2]: t.count for key, t in written.truth.bands.items() if key[:2] == (band, gsd) and key[2]}


def test_jp2_footprints_agree_with_the_truth_by_detector(product_of):
    written = product_of("S2C", "L1C", "05.11")
    for band in BANDS:
        with rasterio.open(only(written.path, f"GRANULE/*/QI_DATA/MSK_DETFOO_{band}.jp2")) as image:
            detectors = image.read(1)
            assert image.transform.a == instrument.GSD[band]
        found = Counter(detectors.ravel().tolist())
        truth = {key[2]: t for key, t in written.truth.bands.items() if key[0] == band and key[2]}
        assert {d: n for d, n in found.items() if d} == {d: t.count + t.saturated for d, t in truth.items()}


def test_detector_boundaries_are_staggered_between_bands_and_slanted():
    spec = ProductSpec()
    first = detector_layout(spec, "B02").numbers(10)
    other = detector_layout(spec, "B12").numbers(20)
    assert 4 <= len(np.unique(first)) <= 7
    assert (first[::2, ::2] != other).any()
    changes = [int(np.flatnonzero(np.diff(row.astype(int)))[0]) for row in first[[0, 100]]]
    assert changes[1] < changes[0]


@pytest.mark.parametrize(
    ("unit", "level", "baseline", "offset"),
    [("S2A", "L1C", "02.06", None), ("S2B", "L1C", "04.00", -1000), ("S2C", "L2A", "05.11", -1000)],
)
def test_offsets_masks_flags_and_gipp_follow_the_era(product_of, unit, level, baseline, offset):
    path = product_of(unit, level, baseline).path
    root = etree.parse(only(path, f"MTD_MSI{level}.xml"))
    name = "RADIO_ADD_OFFSET" if level == "L1C" else "BOA_ADD_OFFSET"
    offsets = root.findall(f".//{name}")
    assert [int(e.text) for e in offsets] == ([] if offset is None else [offset] * 13)
    assert [e.get("band_id") for e in offsets] == ([] if offset is None else [str(i) for i in range(13)])
    masks = Counter(file.suffix for file in path.glob("GRANULE/*/QI_DATA/MSK_*"))
    assert (
        masks
        == {
            ("L1C", "02.06"): {".gml": 66},
            ("L1C", "04.00"): {".jp2": 27},
            ("L2A", "05.11"): {".jp2": 31},
        }[level, baseline]
    )
    flags = root.findall(".//quality_check")
    assert {flag.text for flag in flags} == {"PASSED"}
    assert len(flags) == (6 if level == "L2A" else 5)
    assert len(root.findall(".//GIPP_FILENAME")) == {"02.06": 134, "04.00": 135, "05.11": 138}[baseline]
    assert float(root.find(".//U").text) == pytest.approx(
        instrument.sun_distance_correction(ProductSpec().start), rel=1e-14
    )


def test_oldest_flags_are_elements(product_of):
    root = etree.parse(only(product_of("S2A", "L1C", "02.04").path, "MTD_MSIL1C.xml"))
    inspections = root.find(".//Quality_Inspections")
    assert len(inspections) == 5
    assert all(flag.tag.endswith("_FLAG") and flag.text == "PASSED" for flag in inspections)


def test_u_reproduces_two_real_products():
    for start, expected in (
        (datetime(2023, 8, 23, 9, 55, 59, 24000, UTC), 0.97659423426857),
        (datetime(2022, 10, 5, 11, 54, 11, 24000, UTC), 0.998456468000941),
    ):
        assert instrument.sun_distance_correction(start) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("unit", "absolute", "start", "relative"),
    [
        ("S2A", 15757, "2018-06-29T00:02:41+00:00", 30),
        ("S2A", 52785, "2025-07-31T12:00:00+00:00", 135),
        ("S2B", 33753, "2023-08-23T09:55:59+00:00", 122),
        ("S2C", 8614, "2026-05-01T12:00:00+00:00", 64),
    ],
)
def test_relative_orbits_are_those_of_real_passes(unit, absolute, start, relative):
    assert instrument.relative_orbit(unit, absolute, datetime.fromisoformat(start)) == relative


def test_l2a_percentages_are_recounted_from_the_scene_classification(product_of):
    written = product_of("S2C", "L2A", "05.11")
    with rasterio.open(only(written.path, "GRANULE/*/IMG_DATA/R20m/*_SCL_20m.jp2")) as image:
        counts = np.bincount(image.read(1).ravel(), minlength=12)
    content = etree.parse(only(written.path, "GRANULE/*/MTD_TL.xml")).find(".//Image_Content_QI")
    stated = {element.tag: element.text for element in content}
    valid = counts[1:].sum()
    assert float(stated["NODATA_PIXEL_PERCENTAGE"]) == pytest.approx(100 * counts[0] / counts.sum(), abs=1e-6)
    assert float(stated["CLOUDY_PIXEL_PERCENTAGE"]) == pytest.approx(100 * counts[8:11].sum() / valid, abs=1e-6)
    assert float(stated["WATER_PERCENTAGE"]) == pytest.approx(100 * counts[6] / valid, abs=1e-6)
    assert "CAST_SHADOW_PERCENTAGE" in stated
    assert written.truth.cloud_percentage == pytest.approx(float(stated["CLOUDY_PIXEL_PERCENTAGE"]), abs=1e-6)


def test_l1c_cloud_percentage_is_that_of_the_classification_mask(product_of):
    written = product_of("S2C", "L1C", "05.11")
    with rasterio.open(only(written.path, "GRANULE/*/QI_DATA/MSK_CLASSI_B00.jp2")) as image:
        opaque, cirrus, snow = image.read().astype(bool)
        assert image.transform.a == 60
    with rasterio.open(only(written.path, "GRANULE/*/QI_DATA/MSK_DETFOO_B01.jp2")) as image:
        seen = image.read(1) > 0
    assert not snow.any()
    cloudy = 100 * (opaque | cirrus).sum() / seen.sum()
    assert cloudy > 1
    assert written.truth.cloud_percentage == pytest.approx(cloudy, rel=1e-9)
    stated = etree.parse(only(written.path, "GRANULE/*/MTD_TL.xml")).find(".//CLOUDY_PIXEL_PERCENTAGE").text
    assert float(stated) == pytest.approx(cloudy, rel=1e-9)


def test_viewing_grids_cover_the_detectors_of_the_tile(product_of):
    root = etree.parse(only(product_of("S2B", "L1C", "05.09").path, "GRANULE/*/MTD_TL.xml"))
    grids = root.findall(".//Viewing_Incidence_Angles_Grids")
    seen = {(grid.get("bandId"), grid.get("detectorId")) for grid in grids}
    assert len(seen) == len(grids)
    assert {band for band, _ in seen} == {str(i) for i in range(13)}
    for grid in grids[:10]:
        rows = [row.text.split() for row in grid.iterfind("Zenith/Values_List/VALUES")]
        assert [len(row) for row in rows] == [23] * 23
        values = np.array(rows, float)
        assert np.isnan(values).any()
        assert 0 < np.nanmin(values) < np.nanmax(values) < 13


def test_satellite_is_over_the_tile_and_looks_down(product_of):
    root = etree.parse(only(product_of("S2B", "L1C", "05.09").path, "DATASTRIP/*/MTD_DS.xml"))
    position = np.array(root.find(".//AOCS_Ephemeris/POSITION_VALUES").text.split(), float)
    velocity = np.array(root.find(".//AOCS_Ephemeris/VELOCITY_VALUES").text.split(), float)
    assert np.linalg.norm(position) == pytest.approx(7_167_100, abs=1)
    assert abs(position @ velocity) < 1e-3 * np.linalg.norm(position) * np.linalg.norm(velocity)
    # scalar last: the frame's Z axis in inertial coordinates is nearly straight down
    x, y, z, w = np.array(root.find(".//Corrected_Attitudes/Values/QUATERNION_VALUES").text.split(), float)
    down = np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)])
    assert down @ position / np.linalg.norm(position) < -0.9999
    fixed = np.array(root.find(".//GPS_Point/POSITION_VALUES").text.split(), float) / 1000
    latitude = np.degrees(np.arcsin(fixed[2] / np.linalg.norm(fixed)))
    assert latitude == pytest.approx(42.4, abs=1.0)


def digest(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_same_specification_gives_the_same_bytes(tmp_path):
    spec = ProductSpec(size_10m=60, baseline="05.09")
    first = write_product(spec, tmp_path / "a", zipped=True)
    second = write_product(spec, tmp_path / "b", zipped=True)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.truth == second.truth
    folder = write_product(spec, tmp_path / "c")
    with zipfile.ZipFile(first.path) as archive:
        inside = {
            name.removeprefix(f"{spec.name}/"): hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
        }
    assert inside == digest(folder.path)


def test_other_seed_changes_noise_and_clouds_but_not_the_ground(tmp_path):
    means = []
    for seed in (1, 2):
        written = write_product(
            ProductSpec(size_10m=60, cloud_cover=0, seed=seed, baseline="05.09"), tmp_path / str(seed)
        )
        means.append(written.truth.bands["B8A", 20, None].mean)
    assert means[0] != means[1]
    assert means[0] == pytest.approx(means[1], rel=0.02)


def test_gain_step_of_one_detector_is_in_its_pixels_only(tmp_path):
    plain = ProductSpec(size_10m=120, cloud_cover=0, baseline="05.09")
    before = write_product(plain, tmp_path / "before").truth.bands
    detector = sorted(key[2] for key in before if key[0] == "B11" and key[2])[2]
    stepped = replace(plain, gain_steps={("B11", detector): 1.03})
    after = write_product(stepped, tmp_path / "after").truth.bands
    for key, truth in before.items():
        if key[0] == "B11" and key[2] == detector:
            # counts carry the offset of 1000, which no gain touches
            assert (after[key].mean - 1000) / (truth.mean - 1000) == pytest.approx(1.03, rel=1e-3)
        elif key[2] is not None:
            assert after[key] == truth


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"unit": "S2E"}, "no unit"),
        ({"level": "L1B"}, "not simulated"),
        ({"level": "L2A", "baseline": "03.01"}, "from baseline 04.00"),
        ({"unit": "S2C", "baseline": "05.09"}, "05.11 or later"),
        ({"baseline": "1.0"}, "not a processing baseline"),
        ({"baseline": "02.01"}, "older than 02.04"),
        ({"size_10m": 100}, "multiple of 6"),
        ({"nodata_fraction": 1.0}, "0..0.9"),
    ],
)
def test_impossible_specifications_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        ProductSpec(**values)


def test_nothing_is_overwritten(tmp_path):
    spec = ProductSpec(size_10m=60)
    write_product(spec, tmp_path)
    with pytest.raises(FileExistsError, match="exists already"):
        write_product(spec, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [spec.name]


def test_large_images_are_staged_and_made_in_strips_with_the_same_truth(tmp_path, monkeypatch):
    monkeypatch.setattr("processors.simulator.products.images._STAGED_ABOVE", 0)
    monkeypatch.setattr("processors.simulator.products.pixels.STRIP_ROWS", 48)
    written = write_product(ProductSpec(size_10m=120, saturated_pixels=3, baseline="05.09"), tmp_path)
    for band in ("B02", "B05", "B10"):
        with rasterio.open(only(written.path, f"GRANULE/*/IMG_DATA/*_{band}.jp2")) as image:
            pixels = image.read(1)
        truth = written.truth.bands[band, instrument.GSD[band], None]
        assert truth.saturated == int((pixels == 65535).sum()) == 3
        assert truth.total == int(pixels[pixels != 65535].sum())
    assert not list(written.path.rglob("*.tif"))


def test_one_band_alone_is_the_same_file_as_in_its_product(tmp_path):
    spec = ProductSpec(size_10m=60, baseline="05.09")
    written = write_product(spec, tmp_path)
    truths = write_band(spec, "B8A", tmp_path / "band.jp2")
    inside = only(written.path, "GRANULE/*/IMG_DATA/*_B8A.jp2")
    assert (tmp_path / "band.jp2").read_bytes() == inside.read_bytes()
    assert truths == {key: truth for key, truth in written.truth.bands.items() if key[0] == "B8A"}
