"""The one pass over the pixels: what is decoded, how often, and what is taken from it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from qc.checks import pixels, previews
from qc.checks.finding import Status
from qc.checks.metrics import MAX_MEASUREMENTS, METRICS, measurements_of
from qc.checks.pixels import granule
from qc.checks.quicklook import boundaries, quicklook
from qc.checks.registry import inspections_for, run_inspections
from qc.checks.settings import QcParams
from tests.qc_checks import small
from tests.qc_checks.small import band_counts, footprint, product_record, subject_of, tile_record

IMAGES = Path("GRANULE") / small.GRANULE / "IMG_DATA"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each image file was decoded, footprints and classes too."""
    counted: Counter[str] = Counter()
    real = granule.read_image

    def counting(gdal_path: str, **options: object) -> object:
        counted[gdal_path.rsplit("/", 1)[-1]] += 1
        return real(gdal_path, **options)  # type: ignore[arg-type]

    for module in ("qc.checks.pixels.granule", "mpc.msi.masks.footprint", "mpc.msi.masks.classes"):
        monkeypatch.setattr(f"{module}.read_image", counting)
    return counted


def test_nothing_is_decoded_twice(pristine: Path, tmp_path: Path, reads: Counter[str]) -> None:
    subject = subject_of(pristine)
    run_inspections(subject, inspections_for("L1C", "product"))
    quicklook(subject, tmp_path)
    measurements_of(subject)
    run_inspections(subject, inspections_for("L1C", "product"))
    assert set(reads.values()) == {1}
    assert len(reads) == 14 + 13 + 1, "13 bands, the true colour image, 13 footprints and the clouds"


def test_statistics_are_those_of_the_pixels(pristine: Path) -> None:
    images = {image.name: image for image in subject_of(pristine).pixels.images}
    for name, resolution in (("B02", 10), ("B8A", 20), ("B09", 60)):
        counts, mask = band_counts(name, resolution), footprint(resolution)
        record = images[name].statistics
        assert record is not None
        assert (record.tile, record.band, record.resolution) == ("34UCF", name, resolution)
        assert record.detectors == (None, "05", "06")
        for index, inside in enumerate((np.ones_like(mask, bool), mask == 5, mask == 6)):
            of_detector = counts[inside]
            valid = of_detector[of_detector > 0].astype(float)
            assert record.count[index] == of_detector.size
            assert record.nodata[index] == (of_detector == 0).sum()
            assert record.mean[index] == pytest.approx(valid.mean(), rel=1e-14)
            assert record.std[index] == pytest.approx(valid.std(), rel=1e-12)
        assert record.scaled("mean")[0] == pytest.approx((counts[counts > 0].mean() - 1000) / 10000, rel=1e-12)


def test_offsets_of_metadata_that_cannot_be_read_are_not_assumed(pristine: Path) -> None:
    subject = subject_of(pristine, product="unreadable", datastrip="unreadable")
    record = subject.pixels.images[0].statistics
    assert record is not None
    assert (record.offset, record.quantification) == (None, None)
    assert record.scaled("mean") == (None, None, None)
    assert not [v for v in measurements_of(subject) if v.metric == "image.mean_reflectance"]
    old = (
        subject_of(pristine, product=product_record(radiometry=small.radiometry(offsets={})))
        .pixels.images[0]
        .statistics
    )
    assert old is not None
    assert old.offset == 0.0


def test_a_truncated_band_is_known_and_gives_no_measurement(product: Path) -> None:
    path = product / IMAGES / "T34UCF_20230823T095559_B02.jp2"
    path.write_bytes(path.read_bytes()[:-400])
    subject = subject_of(product)
    bands = {image.name: image for image in subject.pixels.images}
    assert bands["B02"].problems
    assert not bands["B03"].problems
    measured = {v.band for v in measurements_of(subject) if v.metric == "image.mean_reflectance"}
    assert measured == {band for band in pixels.BAND_NAMES if band != "B02"}


def test_footprints_are_looked_at_where_the_image_is_lost(product: Path) -> None:
    (product / IMAGES / "T34UCF_20230823T095559_B02.jp2").write_bytes(b"")
    found = {f.band: f for f in subject_of(product).pixels.footprints}
    assert len(found) == 13
    assert found["B02"].values == (0, 5, 6)
    assert found["B02"].valid_outside is None
    assert found["B03"].valid_outside == found["B03"].nodata_inside == 0


def test_statistics_can_be_left_out(pristine: Path, tmp_path: Path, reads: Counter[str]) -> None:
    subject = subject_of(pristine, params=QcParams(statistics=False))
    assert all(image.statistics is None and not image.problems for image in subject.pixels.images)
    assert not any("DETFOO" in name for name in reads)
    assert [a.name for a in quicklook(subject, tmp_path)] == ["quicklook", "overlay_clouds", "overlay_nodata"]
    assert {v.metric.split(".")[0] for v in measurements_of(subject)} == {"product", "datastrip"}


def test_measurements_are_few_declared_and_honest(pristine: Path) -> None:
    values = measurements_of(subject_of(pristine))
    assert len(values) <= MAX_MEASUREMENTS
    known = {metric.code for metric in METRICS}
    assert {value.metric for value in values} <= known
    assert all(value.unit == "S2B" and value.level == "L1C" and value.baseline == "05.09" for value in values)
    assert all((value.uncertainty is None) == bool(value.no_uncertainty) for value in values)
    by_key = {(value.metric, value.band): value for value in values}
    assert len(by_key) == len(values), "one value a series and product"
    counts = band_counts("B03", 10)
    mean = by_key["image.mean_reflectance", "B03"]
    assert mean.value == pytest.approx((counts[counts > 0].mean() - 1000) / 10000, rel=1e-12)
    assert mean.samples == (counts > 0).sum()
    assert by_key["image.nodata_share", ""].value == pytest.approx(10.0)
    assert by_key["product.cloud_cover", ""].no_uncertainty == "declared by the product"
    step = by_key["image.detector_step", "B03"]
    left, right = counts[:, 58:60].mean() - 1000, counts[:, 60:62].mean() - 1000
    assert step.value == pytest.approx(100 * abs(right / left - 1), rel=1e-9)
    assert step.uncertainty is not None
    assert abs(step.value) < 5 * step.uncertainty, "the simulated detectors are alike"


def test_without_any_time_nothing_is_measured(pristine: Path) -> None:
    subject = subject_of(
        pristine,
        product=product_record(datatake_start=None),
        tile=tile_record(sensing_time=None),
        datastrip="unreadable",
    )
    assert measurements_of(subject) == ()


def test_pictures_lie_on_one_frame(pristine: Path, tmp_path: Path) -> None:
    import rasterio

    artifacts = quicklook(subject_of(pristine), tmp_path)
    assert [a.name for a in artifacts] == ["quicklook", "overlay_clouds", "overlay_nodata", "overlay_detectors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(a.path for a in artifacts)
    pictures = {}
    for artifact in artifacts:
        with rasterio.open(tmp_path / artifact.path) as picture:
            assert picture.driver == "PNG"
            pictures[artifact.name] = picture.read()
    assert {array.shape[1:] for array in pictures.values()} == {(120, 120)}
    red = band_counts("B04", 10) // 10
    assert np.array_equal(pictures["quicklook"][0], red.astype(np.uint8))
    assert (pictures["overlay_clouds"][3] > 0).sum() == 24 * 24, "4 x 4 pixels of 60 m"
    assert np.array_equal(pictures["overlay_nodata"][3] > 0, band_counts("B02", 10) == 0)
    lines = np.flatnonzero((pictures["overlay_detectors"][3] > 0).all(axis=0))
    assert lines.tolist() == [59, small.EDGE - 1]


def test_a_picture_is_made_of_bands_where_no_colour_image_is(product: Path, tmp_path: Path) -> None:
    (product / IMAGES / "T34UCF_20230823T095559_TCI.jp2").unlink()
    titles = [a.title for a in quicklook(subject_of(product), tmp_path)]
    assert titles[0] == "Scene (B04 B03 B02)"


def test_a_broken_colour_image_leaves_the_frame_and_the_bands(product: Path, tmp_path: Path) -> None:
    path = product / IMAGES / "T34UCF_20230823T095559_TCI.jp2"
    path.write_bytes(path.read_bytes()[:300])
    titles = [a.title for a in quicklook(subject_of(product), tmp_path)]
    assert titles[0] == "Scene (B04 B03 B02)"


def test_without_any_image_there_is_no_picture(product: Path, tmp_path: Path) -> None:
    for path in (product / IMAGES).iterdir():
        path.write_bytes(b"")
    lines: list[str] = []
    subject = subject_of(product)
    assert quicklook(subject, tmp_path, log=lambda message, level: lines.append(message)) == ()
    assert lines == ["no picture of 34UCF: no image of it could be read"]
    found = run_inspections(subject, inspections_for("L1C", "product"))
    assert [f.check_id for f in found if f.status is Status.ERROR] == []


@pytest.mark.parametrize("shape", [(120, 120), (121, 97), (1830, 1830), (10, 3)])
def test_reduced_images(shape: tuple[int, int]) -> None:
    frame = previews.Frame(10, 9)
    rng = np.random.default_rng(3)
    image = rng.integers(0, 65536, shape).astype(np.uint16)
    rows, columns = np.arange(11) * shape[0] // 10, np.arange(10) * shape[1] // 9
    any_set, mean = previews.block_any(image > 65000, frame), previews.block_mean(image, frame)
    assert any_set.shape == mean.shape == (10, 9)
    if min(shape) < 9:
        assert set(np.unique(mean)) <= set(np.unique(image))
        return
    for row, column in ((0, 0), (4, 7), (9, 8)):
        block = image[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
        assert any_set[row, column] == (block > 65000).any()
        assert mean[row, column] == pytest.approx(block.mean(), rel=1e-6)


def test_sampling_invents_no_class() -> None:
    classes = np.random.default_rng(5).choice(np.array([0, 3, 12], np.uint8), (1000, 700))
    assert set(np.unique(previews.sample(classes, previews.Frame(68, 47)))) == {0, 3, 12}


@pytest.mark.parametrize(
    ("shape", "frame"),
    [((10980, 10980), (687, 687)), ((1830, 1830), (610, 610)), ((343, 343), (343, 343)), ((106, 523), (106, 523))],
)
def test_frames_stay_below_700_pixels(shape: tuple[int, int], frame: tuple[int, int]) -> None:
    found = previews.frame_for(shape)
    assert (found.rows, found.columns) == frame


def test_an_image_of_other_ground_is_no_overlay() -> None:
    frame = previews.frame_for((120, 120), (10.0, 0.0, 300000.0, 0.0, -10.0, 6100020.0))
    same = previews.bounds_of((20, 20), (60.0, 0.0, 300000.0, 0.0, -60.0, 6100020.0))
    other = previews.bounds_of((20, 20), (60.0, 0.0, 301200.0, 0.0, -60.0, 6100020.0))
    assert previews.same_ground(frame, same)
    assert not previews.same_ground(frame, other)


def test_boundaries_are_drawn_between_detectors() -> None:
    labels = np.array([[5, 5, 6], [5, 5, 6], [0, 0, 0]], np.uint8)
    assert boundaries(labels).astype(int).tolist() == [[0, 1, 0], [1, 1, 1], [0, 0, 0]]


def test_level_2a_counts_each_band_at_its_own_resolution(product: Path) -> None:
    granule = dataclasses.replace(
        subject_of(product).safe.granules[0],
        images={
            ("B02", 20): "b",
            ("B02", 60): "a",
            ("B05", 20): "c",
            ("B05", 60): "d",
            ("SCL", 60): "e",
            ("SCL", 20): "f",
        },
    )
    assert [pixels.preferred_resolution(granule, name) for name in ("B02", "B05", "SCL", "B12")] == [20, 20, 20, None]


def test_a_tile_that_claims_a_billion_rows_costs_no_memory(product: Path) -> None:
    (product / IMAGES / "T34UCF_20230823T095559_B02.jp2").write_bytes(b"")
    grid = dataclasses.replace(tile_record().grids[10], rows=10**9, columns=10**9)
    subject = subject_of(product, tile=tile_record(grids=tile_record().grids | {10: grid}))
    found = {f.band: f for f in subject.pixels.footprints}
    assert found["B02"].problem == "the tile metadata give no frame for it"
    assert found["B03"].values == (0, 5, 6)


def test_what_breaks_while_an_image_is_read_is_a_problem_of_that_image(
    pristine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = granule.read_image

    def breaks(gdal_path: str, **options: object) -> object:
        if gdal_path.endswith("B8A.jp2"):
            raise MemoryError("no room")
        return real(gdal_path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(granule, "read_image", breaks)
    images = {image.name: image for image in subject_of(pristine).pixels.images}
    assert images["B8A"].problems == ("reading it broke: MemoryError: no room",)
    assert not images["B12"].problems
