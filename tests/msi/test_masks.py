"""Masks as polygons and rasters, on the grid of the band that they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mpc.msi.images import Transform, describe_image, read_image
from mpc.msi.masks import (
    QUALITY_LAYERS,
    FootprintMask,
    MaskProblem,
    classification,
    detector_footprint,
    quality_layer,
    read_gml_mask,
)
from mpc.msi.safe import SafeProduct, open_safe
from mpc.msi.xmlio import XmlProblem
from tests.msi.rasters import write_jp2

NAME = "S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234.SAFE"
QI = "GRANULE/L1C_T34UCF_A033753_20230823T095553/QI_DATA"
ULX, ULY = 600_000.0, 5_000_040.0
GRID: Transform = (10.0, 0.0, ULX, 0.0, -10.0, ULY)


def product(root: Path, files: dict[str, bytes | NDArray[Any]], *, pixel: float = 10.0) -> SafeProduct:
    """A product of nothing but masks: bytes are written as they are, arrays as JPEG 2000."""
    for name, content in files.items():
        path = root / NAME / QI / name
        if isinstance(content, bytes):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        else:
            write_jp2(path, content, pixel=pixel, origin=(ULX, ULY))
    return open_safe(root / NAME)


def gml(features: str, epsg: int = 32632) -> bytes:
    members = f"<eop:maskMembers>{features}</eop:maskMembers>" if features else "<eop:maskMembers/>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><eop:Mask xmlns:eop="http://www.opengis.net/eop/2.0"'
        ' xmlns:gml="http://www.opengis.net/gml/3.2" gml:id="MSK">'
        f'<gml:boundedBy><gml:Envelope srsName="urn:ogc:def:crs:EPSG:8.7:{epsg}"/></gml:boundedBy>'
        f"{members}</eop:Mask>"
    ).encode()


def feature(identity: str, kind: str, ring: str, holes: str = "", dimension: int = 3) -> str:
    def line(points: str) -> str:
        return f'<gml:LinearRing><gml:posList srsDimension="{dimension}">{points}</gml:posList></gml:LinearRing>'

    interior = f"<gml:interior>{line(holes)}</gml:interior>" if holes else ""
    return (
        f'<eop:MaskFeature gml:id="{identity}"><eop:maskType codeSpace="x">{kind}</eop:maskType><eop:extentOf>'
        f"<gml:Polygon><gml:exterior>{line(ring)}</gml:exterior>{interior}</gml:Polygon></eop:extentOf></eop:MaskFeature>"
    )


def box(row: int, column: int, rows: int, columns: int, *, height: bool = True) -> str:
    """Corners of whole 10 m pixels of the grid."""
    left, right = ULX + 10 * column, ULX + 10 * (column + columns)
    top, bottom = ULY - 10 * row, ULY - 10 * (row + rows)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return " ".join(f"{x:.3f} {y:.3f}{' 0' if height else ''}" for x, y in corners)


def footprint(
    safe: SafeProduct,
    band: str = "B02",
    shape: tuple[int, int] = (40, 60),
    transform: Transform | None = GRID,
    epsg: int | None = 32632,
) -> FootprintMask:
    return detector_footprint(safe, safe.granules[0], band, shape, transform, epsg)


TWO_DETECTORS = gml(
    feature("detector_footprint-B02-09-0", "DETECTOR_FOOTPRINT", box(0, 0, 40, 20))
    + feature("detector_footprint-B02-10-1", "DETECTOR_FOOTPRINT", box(0, 20, 40, 30))
)


def stripes(rows: int, columns: int, *values: int) -> NDArray[np.uint8]:
    """Equal vertical stripes of the values."""
    return np.tile(np.repeat(np.array(values, np.uint8), columns // len(values)), (rows, 1))


class TestPolygons:
    def test_features_are_taken_apart(self) -> None:
        content = gml(
            feature("detector_footprint-B8A-03-0", "DETECTOR_FOOTPRINT", box(0, 0, 4, 4), box(1, 1, 2, 2))
            + feature("OPAQUE.0", "OPAQUE", box(0, 0, 2, 2, height=False), dimension=2),
            epsg=32756,
        )
        first, second = read_gml_mask(content)
        assert (first.id, first.type, first.detector, first.epsg) == (
            "detector_footprint-B8A-03-0",
            "DETECTOR_FOOTPRINT",
            3,
            32756,
        )
        ((outer, hole),) = first.polygons
        assert (outer.shape, hole.shape) == ((5, 2), (5, 2))
        assert tuple(outer[0]) == (ULX, ULY)
        assert (second.type, second.detector, len(second.polygons)) == ("OPAQUE", None, 1)

    def test_an_empty_mask_is_normal(self) -> None:
        assert read_gml_mask(gml("")) == ()

    @pytest.mark.parametrize(
        ("ring", "says"),
        [("1 2 0 3 4", "are no 3-tuples"), ("1 2 x", "is no number"), ("1 2 0 nan 4 0 5 6 0", "is not finite")],
    )
    def test_wrong_coordinates_say_where(self, ring: str, says: str) -> None:
        with pytest.raises(MaskProblem, match=f"MSK_X: .* line 1 {says}"):
            read_gml_mask(gml(feature("a", "OPAQUE", ring)), what="MSK_X")

    def test_other_files_are_refused(self) -> None:
        with pytest.raises(MaskProblem, match="its root is"):
            read_gml_mask(b"<a/>")
        with pytest.raises(XmlProblem):
            read_gml_mask(b"<eop:Mask")

    def test_detectors_are_drawn_on_the_grid_of_the_band(self, tmp_path: Path) -> None:
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.gml": TWO_DETECTORS}))
        assert (mask.format, mask.problem, mask.values_found) == ("gml", "", (0, 9, 10))
        assert mask.array is not None
        assert mask.array.dtype == np.uint8
        expected = np.repeat([9, 10, 0], [20, 30, 10])
        np.testing.assert_array_equal(mask.array, np.tile(expected, (40, 1)))

    def test_on_a_reduced_image_of_the_same_ground(self, tmp_path: Path) -> None:
        safe = product(tmp_path, {"MSK_DETFOO_B02.gml": TWO_DETECTORS})
        mask = footprint(safe, shape=(4, 6), transform=(100.0, 0.0, ULX, 0.0, -100.0, ULY))
        assert mask.array is not None
        np.testing.assert_array_equal(mask.array, np.tile([9, 9, 10, 10, 10, 0], (4, 1)))

    def test_holes_stay_open(self, tmp_path: Path) -> None:
        content = gml(
            feature("detector_footprint-B02-01-0", "DETECTOR_FOOTPRINT", box(0, 0, 40, 60), box(10, 10, 5, 5))
        )
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.gml": content}))
        assert mask.array is not None
        assert (mask.array == 0).sum() == 25
        assert mask.values_found == (0, 1)

    @pytest.mark.parametrize(
        ("content", "options", "says"),
        [
            (TWO_DETECTORS, {"transform": None}, "has no position"),
            (TWO_DETECTORS, {"epsg": 32633}, "in EPSG:32632, the band in EPSG:32633"),
            (gml(""), {}, "holds no detector"),
            (b"", {}, "MSK_DETFOO_B02.gml"),
            (b"<a/>", {}, "is no GML mask"),
        ],
    )
    def test_why_there_is_no_footprint(
        self, tmp_path: Path, content: bytes, options: dict[str, Any], says: str
    ) -> None:
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.gml": content}), **options)
        assert mask.array is None
        assert says in mask.problem

    def test_a_detector_that_does_not_exist_is_left_out_and_named(self, tmp_path: Path) -> None:
        content = gml(
            feature("detector_footprint-B02-13-0", "DETECTOR_FOOTPRINT", box(0, 0, 40, 60))
            + feature("detector_footprint-B02-12-1", "DETECTOR_FOOTPRINT", box(0, 0, 40, 10))
        )
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.gml": content}))
        assert "detector_footprint-B02-13-0" in mask.problem
        assert mask.values_found == (0, 12)


class TestRasters:
    def test_on_the_grid_of_the_band(self, tmp_path: Path) -> None:
        image = stripes(40, 60, 0, 5, 6)
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.jp2": image}))
        assert (mask.format, mask.problem, mask.values_found, mask.gdal_errors) == ("jp2", "", (0, 5, 6), ())
        assert mask.array is not None
        np.testing.assert_array_equal(mask.array, image)

    def test_a_reduced_band_takes_the_value_at_each_centre_and_no_class_is_invented(self, tmp_path: Path) -> None:
        safe = product(tmp_path, {"MSK_DETFOO_B02.jp2": stripes(40, 60, 1, 12, 3)})
        mask = footprint(safe, shape=(8, 12), transform=(50.0, 0.0, ULX, 0.0, -50.0, ULY))
        assert mask.array is not None
        np.testing.assert_array_equal(mask.array, stripes(8, 12, 1, 12, 3))

    def test_a_crop_within_the_mask(self, tmp_path: Path) -> None:
        image = stripes(40, 60, 0, 5, 6)
        crop: Transform = (10.0, 0.0, ULX + 150, 0.0, -10.0, ULY - 100)
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.jp2": image}), shape=(20, 30), transform=crop)
        assert mask.array is not None
        np.testing.assert_array_equal(mask.array, image[10:30, 15:45])

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"transform": (10.0, 0.0, ULX + 5000, 0.0, -10.0, ULY)}, "does not cover the band"),
            ({"shape": (41, 60)}, "does not cover the band"),
            ({"shape": (41, 60), "transform": None}, "has no position"),
            ({"epsg": 32733}, "in EPSG:32632, the band in EPSG:32733"),
            ({"band": "B03"}, "no detector footprint (MSK_DETFOO) of B03"),
            ({"shape": (4, 4), "transform": (10.0, 1.0, ULX, 0.0, -10.0, ULY)}, "rotated"),
        ],
    )
    def test_why_there_is_no_footprint(self, tmp_path: Path, options: dict[str, Any], says: str) -> None:
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.jp2": stripes(40, 60, 1, 2)}), **options)
        assert mask.array is None
        assert says in mask.problem

    def test_values_that_are_no_detector_are_told_and_left_out(self, tmp_path: Path) -> None:
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.jp2": stripes(40, 60, 11, 17, 255)}))
        assert mask.values_found == (11, 17, 255)
        assert "holds 17, 255: detectors run from 1 to 12" in mask.problem
        assert mask.array is not None
        np.testing.assert_array_equal(mask.array, stripes(40, 60, 11, 0, 0))

    def test_a_truncated_mask_is_no_mask(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(3).integers(0, 13, (400, 600), np.uint8)
        content = write_jp2(tmp_path / "m.jp2", noise).read_bytes()
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.jp2": content[: len(content) // 2]}), shape=(400, 600))
        assert mask.array is None
        assert "cannot be read in full" in mask.problem
        assert mask.gdal_errors

    def test_a_mask_of_several_layers_is_no_footprint(self, tmp_path: Path) -> None:
        mask = footprint(product(tmp_path, {"MSK_DETFOO_B02.jp2": np.ones((3, 40, 60), np.uint8)}))
        assert "3 layers" in mask.problem


class TestClasses:
    def test_from_a_raster_layers_may_overlap(self, tmp_path: Path) -> None:
        layers = np.zeros((3, 30, 30), np.uint8)
        layers[0, :10], layers[1, 5:15], layers[2, 20:] = 1, 1, 1
        safe = product(tmp_path, {"MSK_CLASSI_B00.jp2": layers}, pixel=60.0)
        found = classification(safe, safe.granules[0])
        assert (found.format, found.problem, found.epsg) == ("jp2", "", 32632)
        for array, layer in zip((found.cloud, found.cirrus, found.snow), layers, strict=True):
            assert array is not None
            np.testing.assert_array_equal(array, layer == 1)

    def test_from_polygons_on_the_60_m_grid(self, tmp_path: Path) -> None:
        image = np.ones((180, 120), np.uint16)
        images = tmp_path / NAME / QI.replace("QI_DATA", "IMG_DATA")
        write_jp2(images / "T34UCF_20230823T095559_B02.jp2", image, origin=(ULX, ULY))
        content = gml(feature("OPAQUE.0", "OPAQUE", box(0, 0, 60, 60)) + feature("C.1", "CIRRUS", box(60, 60, 6, 12)))
        safe = product(tmp_path, {"MSK_CLOUDS_B00.gml": content})
        found = classification(safe, safe.granules[0])
        assert (found.problem, found.transform) == ("", (60.0, 0.0, ULX, 0.0, -60.0, ULY))
        assert found.cloud is not None
        assert found.cirrus is not None
        assert found.cloud.shape == (30, 20)
        assert (found.cloud.sum(), found.cirrus.sum(), found.snow) == (100, 2, None)
        assert found.cirrus[10, 10:12].all()

    def test_what_cannot_be_told(self, tmp_path: Path) -> None:
        safe = product(tmp_path / "a", {"MSK_DETFOO_B02.gml": b"x"})
        assert "neither MSK_CLASSI nor MSK_CLOUDS" in classification(safe, safe.granules[0]).problem
        safe = product(tmp_path / "b", {"MSK_CLOUDS_B00.gml": gml("")})
        assert "where the tile lies" in classification(safe, safe.granules[0]).problem
        safe = product(tmp_path / "c", {"MSK_CLASSI_B00.jp2": np.ones((30, 30), np.uint8)})
        assert "3 layers" in classification(safe, safe.granules[0]).problem


class TestQuality:
    def test_one_layer_at_a_time_whole_or_by_window(self, tmp_path: Path) -> None:
        layers = np.zeros((8, 1100, 50), np.uint8)
        layers[4, 1050:1060, 3], layers[7, 7] = 1, 1
        safe = product(tmp_path, {"MSK_QUALIT_B02.jp2": layers})
        granule = safe.granules[0]
        assert len(QUALITY_LAYERS) == 8
        for number in range(1, 9):
            np.testing.assert_array_equal(quality_layer(safe, granule, "B02", number), layers[number - 1] == 1)
        window = quality_layer(safe, granule, "B02", 5, window=(1040, 0, 30, 10))
        assert (window.shape, window.sum()) == ((30, 10), 10)

    @pytest.mark.parametrize(
        ("band", "layer", "window", "says"),
        [
            ("B03", 1, None, "no quality mask"),
            ("B02", 9, None, "no layer 9 of 8"),
            ("B02", 0, None, "no layer 0 of 8"),
            ("B02", 1, (0, 0, 99, 1), "leaves the image"),
        ],
    )
    def test_what_there_is_not(
        self, tmp_path: Path, band: str, layer: int, window: tuple[int, int, int, int] | None, says: str
    ) -> None:
        safe = product(tmp_path, {"MSK_QUALIT_B02.jp2": np.zeros((8, 40, 60), np.uint8)})
        with pytest.raises(MaskProblem, match=says):
            quality_layer(safe, safe.granules[0], band, layer, window)


@pytest.mark.parametrize(
    ("tile", "key", "detectors", "disagree"),
    [
        ("T56JMM", ("B02", 10), {9, 10, 11, 12}, 0.02),
        ("T56JMM", ("B01", 60), {9, 10, 11, 12}, 0.05),
        ("T55JEJ", ("B8A", 20), {7, 8, 9, 10, 11, 12}, 0.01),
        ("T30TXR", ("B02", 10), {5, 6}, 0.01),
        ("T29UNU", ("B01", 60), {9, 10, 11, 12}, 0.001),
        ("T29UNU", ("B8A", 60), {9, 10, 11, 12}, 0.001),
    ],
)
def test_real_footprints_end_where_the_data_end(
    realdata: Path, tile: str, key: tuple[str, int], detectors: set[int], disagree: float
) -> None:
    """Outside every detector there are no data, but for a few pixels at the edge of the swath."""
    (path,) = (realdata / "products").glob(f"*_{tile}_*")
    with open_safe(path) as safe:
        granule = safe.granules[0]
        member = safe.container.gdal_path(granule.images[key])
        frame = describe_image(member)
        mask = detector_footprint(safe, granule, key[0], frame.shape, frame.transform, frame.epsg)
        image = read_image(member).array
    assert mask.problem == ""
    assert set(mask.values_found) - {0} == detectors
    assert mask.array is not None
    assert image is not None
    assert ((mask.array == 0) != (image == 0)).mean() < disagree


@pytest.mark.parametrize(
    ("tile", "cloud", "snow"),
    [("T29UNU", 28.08, 1.26), ("T32TNM", 0.05, None), ("T56JMM", 0.0, None)],
)
def test_real_classes(realdata: Path, tile: str, cloud: float, snow: float | None) -> None:
    (path,) = (realdata / "products").glob(f"*_{tile}_*")
    with open_safe(path) as safe:
        found = classification(safe, safe.granules[0])
    assert found.problem == ""
    assert found.cloud is not None
    assert found.cloud.shape == (1830, 1830)
    assert 100 * found.cloud.mean() == pytest.approx(cloud, abs=0.01)
    assert found.snow is None if snow is None else 100 * found.snow.mean() == pytest.approx(snow, abs=0.01)
