"""A JPEG 2000 file that has lost anything is found by its structure, at whatever byte it was cut."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest

from mpc.msi.container import open_container
from mpc.msi.jp2 import CodestreamCheck, check_codestream
from mpc.msi.safe import open_safe
from tests.msi.rasters import scene, write_jp2


def check(content: bytes) -> CodestreamCheck:
    return check_codestream(io.BytesIO(content), len(content))


@pytest.fixture(scope="module", params=["tiles", "one tile", "tile-parts", "layers", "no position"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("jp2") / "a.jp2"
    image = scene(300, 420)
    if request.param == "tiles":
        write_jp2(path, image, block=128)
    elif request.param == "one tile":
        write_jp2(path, image, block=512)
    elif request.param == "tile-parts":
        write_jp2(path, image, block=256, TILEPARTS="RESOLUTIONS", PROGRESSION="RPCL", PLT="YES")
    elif request.param == "layers":
        write_jp2(path, np.stack([image, image, image]).astype(np.uint8), block=256)
    else:
        write_jp2(path, image, origin=None)
    return path.read_bytes()


def test_a_whole_file_has_nothing_to_say(whole: bytes) -> None:
    result = check(whole)
    assert result.whole
    assert (result.problem, result.truncated, result.format) == ("", False, "jp2")
    assert (result.width, result.height) == (420, 300)
    assert result.tiles_found == result.tiles_expected >= 1


def test_every_truncation_is_found(whole: bytes) -> None:
    """All lengths over the headers and the end, and a sample of those between."""
    lengths = {*range(900), *range(len(whole) - 300, len(whole)), *random.Random(1).sample(range(len(whole)), 300)}
    missed = [length for length in sorted(lengths) if length < len(whole) and not check(whole[:length]).truncated]
    assert missed == []


def test_a_truncated_file_says_where_it_ends(whole: bytes) -> None:
    half = len(whole) // 2
    result = check(whole[:half])
    assert f"the file ends at byte {half} of {half}, within tile" in result.problem
    assert result.tiles_found < result.tiles_expected


def test_a_file_padded_with_zeros_after_a_lost_transfer_is_found(whole: bytes) -> None:
    for kept in (0, 30, 300, len(whole) // 2, len(whole) - 5000):
        content = whole[:kept] + bytes(len(whole) - kept)
        result = check(content)
        assert not result.whole, f"zeros from byte {kept} on were not seen"


def test_a_hole_of_zeros_within_the_data_is_found(whole: bytes) -> None:
    middle = len(whole) // 2
    result = check(whole[:middle] + bytes(8192) + whole[middle + 8192 :])
    assert "zeros" in result.problem or "marker" in result.problem or "stands at byte" in result.problem


def test_a_missing_tile_is_found(tmp_path: Path) -> None:
    """The last tile is cut out cleanly: only the count of tiles tells it."""
    content = write_jp2(tmp_path / "a.jp2", scene(300, 420), block=128).read_bytes()
    last = content.rindex(b"\xff\x90\x00\x0a")
    result = check(content[:last] + b"\xff\xd9")
    assert result.problem == "1 of 12 tiles are missing or have parts missing"
    assert (result.tiles_found, result.truncated) == (11, False)


def test_facts_of_the_header(tmp_path: Path) -> None:
    result = check(write_jp2(tmp_path / "a.jp2", scene(300, 420), block=128).read_bytes())
    assert (result.components, result.bit_depth, result.tile_size) == (1, 16, (128, 128))
    assert result.tiles_expected == 3 * 4


def test_a_constant_image_is_whole(tmp_path: Path) -> None:
    """Empty packets are zeros, but never as many as a hole."""
    empty = np.zeros((1000, 1000), np.uint16)
    for block in (64, 256, 1024):
        result = check(write_jp2(tmp_path / f"{block}.jp2", empty, block=block).read_bytes())
        assert (result.problem, result.tiles_found) == ("", result.tiles_expected)


@pytest.mark.parametrize(
    ("content", "says", "truncated", "format_"),
    [
        (b"", "empty", True, ""),
        (bytes(5000), "begins with zeros", False, ""),
        (b"<VRTDataset rasterXSize='1'>", "does not begin like JPEG 2000", False, ""),
        (b"II*\0" + bytes(100), "TIFF", False, "tiff"),
        (b"\xff\x4f\xff\x51" + bytes(10), "impossible length", False, "j2k"),
        (b"\xff\x4f\xff", "the file ends at byte 3", True, "j2k"),
    ],
)
def test_what_is_no_jpeg_2000(content: bytes, says: str, truncated: bool, format_: str) -> None:
    result = check(content)
    assert says in result.problem
    assert (result.truncated, result.format) == (truncated, format_)


def test_noise_never_raises(whole: bytes) -> None:
    noise = random.Random(2)
    for _ in range(300):
        content = bytearray(whole[: noise.randrange(len(whole))])
        for _ in range(min(4, len(content))):
            content[noise.randrange(min(len(content), 600))] = noise.randrange(256)
        result = check(bytes(content))
        assert result.problem


def test_reads_forward_only_from_a_zip(realdata: Path) -> None:
    (path,) = (realdata / "products").glob("*.zip")
    with open_safe(path) as safe:
        for member in safe.granules[0].images.values():
            with safe.container.open(member) as stream:
                assert check_codestream(stream, safe.container.size(member)).problem == ""


@pytest.mark.parametrize(
    ("tile", "problems"),
    [("T56JMM", {""}), ("T29UNU", {""}), ("T32TNM", {"the file is empty (0 bytes)"}), ("T34UCF", {"tiff"})],
)
def test_real_images(realdata: Path, tile: str, problems: set[str]) -> None:
    (path,) = (realdata / "products").glob(f"*_{tile}_*")
    seen = set()
    with open_container(path) as container:
        for member in container.names():
            if member.endswith(".jp2") and "/IMG_DATA/" in member:
                with container.open(member) as stream:
                    result = check_codestream(stream, container.size(member))
                seen.add("tiff" if result.format == "tiff" else result.problem)
    assert seen == problems
