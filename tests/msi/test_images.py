"""Images are read whole and exactly, and never without what GDAL complained about."""

from __future__ import annotations

import logging
import random
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning

from mpc.msi.container import open_container
from mpc.msi.images import (
    ERROR_LOGGERS,
    ImageError,
    collect_gdal_errors,
    describe_image,
    read_image,
    read_overview,
    read_window,
)
from mpc.msi.safe import open_safe
from tests.msi.rasters import scene, write_jp2

IMAGE = scene(700, 600)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jp2(tmp_path_factory.mktemp("images") / "B02.jp2", IMAGE, block=128)


@pytest.mark.parametrize("threads", [1, 2, 5, 64])
def test_a_whole_image_comes_back_exactly(path: Path, threads: int) -> None:
    read = read_image(str(path), threads=threads)
    assert read.complete
    assert (read.exception, read.gdal_errors) == (None, ())
    assert (read.dtype, read.shape, read.epsg) == ("uint16", (700, 600), 32632)
    assert read.transform == (10.0, 0.0, 600_000.0, 0.0, -10.0, 5_000_040.0)
    assert read.array is not None
    np.testing.assert_array_equal(read.array, IMAGE)


def test_layers_come_first(tmp_path: Path) -> None:
    layers = np.stack([IMAGE, IMAGE // 2, IMAGE // 3]).astype(np.uint8)
    read = read_image(str(write_jp2(tmp_path / "TCI.jp2", layers, block=128)), threads=2)
    assert read.complete
    assert read.array is not None
    assert read.shape == (700, 600)
    np.testing.assert_array_equal(read.array, layers)


def test_header_without_decoding(path: Path) -> None:
    frame = describe_image(str(path))
    assert (frame.shape, frame.layers, frame.dtype, frame.epsg) == ((700, 600), 1, "uint16", 32632)
    assert (frame.driver, frame.block_shape, frame.errors) == ("JP2OpenJPEG", (128, 128), ())


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_an_image_without_position(tmp_path: Path) -> None:
    frame = describe_image(str(write_jp2(tmp_path / "a.jp2", IMAGE, origin=None)))
    assert (frame.shape, frame.epsg, frame.transform) == ((700, 600), None, None)


@pytest.mark.parametrize("threads", [1, 3])
def test_no_truncation_reads_as_complete(path: Path, tmp_path: Path, threads: int) -> None:
    whole = path.read_bytes()
    cut = tmp_path / "cut.jp2"
    lengths = sorted({0, 1, 12, 60, 200, *random.Random(5).sample(range(len(whole)), 25), len(whole) - 2})
    for length in lengths:
        cut.write_bytes(whole[:length])
        read = read_image(str(cut), threads=threads)
        assert not read.complete, f"{length} of {len(whole)} bytes read as a whole image"
        assert read.gdal_errors
        assert read.exception
        assert read.array is None


def test_gdal_threads_of_its_own_would_hide_the_loss(path: Path, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """Why GDAL never decodes in threads of its own here: the read succeeds, wrongly, and only stderr knows."""
    whole = path.read_bytes()
    cut = tmp_path / "cut.jp2"
    cut.write_bytes(whole[: len(whole) // 2])
    with rasterio.Env(GDAL_NUM_THREADS="4"), collect_gdal_errors() as messages, rasterio.open(cut) as dataset:
        array = dataset.read(1)
    assert messages == []
    assert (array != IMAGE).any()
    assert "ERROR 1" in capfd.readouterr().err
    with rasterio.Env(GDAL_NUM_THREADS="4"):
        assert not read_image(str(cut), threads=4).complete
    assert capfd.readouterr().err == ""


def test_a_file_that_is_a_virtual_raster_is_not_followed(path: Path, tmp_path: Path) -> None:
    trap = tmp_path / "B02.jp2"
    trap.write_text(
        f'<VRTDataset rasterXSize="600" rasterYSize="700"><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>'
        f"<SourceFilename>{path}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    read = read_image(str(trap))
    assert read.array is None
    assert "not recognized" in (read.exception or "")


def test_a_tiff_under_the_name_of_a_jp2_is_read(tmp_path: Path) -> None:
    """Public samples hold such files."""
    name = tmp_path / "B02.jp2"
    form = {"width": 600, "height": 700, "count": 1, "dtype": "uint16", "crs": "EPSG:32632"}
    with rasterio.open(name, "w", driver="GTiff", transform=Affine(10, 0, 6e5, 0, -10, 5e6), **form) as dataset:
        dataset.write(IMAGE, 1)
    read = read_image(str(name))
    assert (read.complete, read.gdal_errors) == (True, ())
    assert read.array is not None
    np.testing.assert_array_equal(read.array, IMAGE)
    name.write_bytes(name.read_bytes()[:-5000])
    assert not read_image(str(name)).complete


@pytest.mark.parametrize("name", ["absent.jp2", "/vsizip/{/nowhere.zip}/a.jp2"])
def test_an_absent_file(name: str) -> None:
    read = read_image(name)
    assert (read.array, read.complete) == (None, False)
    assert read.exception


def test_an_image_too_large_is_not_read(path: Path) -> None:
    read = read_image(str(path), max_bytes=1000)
    assert read.array is None
    assert read.exception == "the image has 1 x 700 x 600 pixels and needs 840000 bytes, more than 1000"


def test_within_a_zip(path: Path, tmp_path: Path) -> None:
    archive = tmp_path / "p.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.write(path, "X.SAFE/IMG_DATA/B02.jp2")
    with open_container(archive) as container:
        read = read_image(container.gdal_path("IMG_DATA/B02.jp2"), threads=2)
    assert read.complete
    assert read.array is not None
    np.testing.assert_array_equal(read.array, IMAGE)


def test_overview_keeps_the_mean(path: Path) -> None:
    small = read_overview(str(path), max_pixels=100)
    assert max(small.shape) == 100
    assert small.mean() == pytest.approx(IMAGE.mean(), rel=0.01)
    with pytest.raises(ImageError, match=r"absent\.jp2"):
        read_overview("absent.jp2")


def test_overview_of_a_truncated_image_is_an_error(path: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jp2"
    cut.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ImageError, match=r"cut\.jp2"):
        read_overview(str(cut))


def test_windows(path: Path) -> None:
    np.testing.assert_array_equal(read_window(str(path), 1, 130, 7, 300, 200), IMAGE[130:430, 7:207])
    with pytest.raises(ImageError, match="no layer 2 of 1"):
        read_window(str(path), 2, 0, 0, 1, 1)
    with pytest.raises(ImageError, match="leaves the image of 700 x 600"):
        read_window(str(path), 1, 690, 0, 20, 20)


def test_listening_leaves_the_logs_as_they_were(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    loggers = [logging.getLogger(name) for name in ERROR_LOGGERS]
    before = [(logger.level, list(logger.filters)) for logger in loggers]
    with caplog.at_level(logging.WARNING):
        read = read_image("absent.jp2")
    assert read.gdal_errors
    assert [record for record in caplog.records if record.levelno < logging.WARNING] == []
    assert [(logger.level, list(logger.filters)) for logger in loggers] == before


def test_an_application_that_wants_the_lines_still_gets_them(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="rasterio"):
        assert read_image("absent.jp2").gdal_errors
    assert any("absent.jp2" in record.getMessage() for record in caplog.records)


def test_threads_hear_only_their_own_errors(path: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jp2"
    cut.write_bytes(path.read_bytes()[:150_000])
    with ThreadPoolExecutor(4) as pool:
        reads = list(pool.map(lambda number: read_image(str(cut if number % 2 else path)), range(12)))
    assert [read.complete for read in reads] == [True, False] * 6
    assert all(read.gdal_errors for read in reads[1::2])


@pytest.mark.filterwarnings("ignore", category=NotGeoreferencedWarning)
@pytest.mark.parametrize(
    ("tile", "key", "shape", "pixel"),
    [
        ("T29UNU", ("B01", 60), (1830, 1830), 60.0),
        ("T30TXR", ("B02", 10), (106, 523), 10.0),
        ("T56JMM", ("B02", 10), (439, 439), 250.1),
        ("T55JEJ", ("B8A", 20), (86, 86), 1280.0),
    ],
)
def test_real_images(realdata: Path, tile: str, key: tuple[str, int], shape: tuple[int, int], pixel: float) -> None:
    (path,) = (realdata / "products").glob(f"*_{tile}_*")
    with open_safe(path) as safe:
        read = read_image(safe.container.gdal_path(safe.granules[0].images[key]))
    assert read.complete
    assert (read.shape, read.dtype) == (shape, "uint16")
    assert read.transform is not None
    assert read.transform[0] == pytest.approx(pixel, abs=0.1)


def test_real_empty_bands_are_errors(realdata: Path) -> None:
    (path,) = (realdata / "products").glob("*_T32TNM_*")
    with open_safe(path) as safe:
        for member in list(safe.granules[0].images.values())[:3]:
            assert not read_image(safe.container.gdal_path(member)).complete
