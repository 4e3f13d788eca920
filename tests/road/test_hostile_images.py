"""Images that are cut, hollow, huge, or something else under their name, in products that are good otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mpc.runs.models import Run
from tests.road.hostile import Edit, claim_size, copy_of, edit, only, retile, seal, tile_parts, zip_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_end")]

B02 = "GRANULE/*/IMG_DATA/*_B02.jp2"
TILES = 4


@dataclass(frozen=True)
class Judged:
    line: dict[str, Any]
    checks: dict[str, dict[str, Any]]

    @property
    def failed(self) -> set[str]:
        return {i for i, check in self.checks.items() if check["required"] and check["status"] in ("failed", "error")}

    def told(self, check_id: str) -> str:
        check = self.checks[check_id]
        return f"{check['measured']} {check['message']}"


@pytest.fixture
def judge(manage) -> Callable[[Path], Judged]:  # type: ignore[no-untyped-def]
    """Take a product in, have it judged, and hand back what was found; it must come to a verdict in modest memory."""

    def take(path: Path) -> Judged:
        called = manage("ingest", path, "--wait")
        (line,) = called.lines
        assert [run["state"] for run in line["runs"]] == ["succeeded"], called
        assert called.status == (line["status"] == "FAILED")
        assert Run.objects.latest("pk").peak_rss_mb < 1200
        report = manage("report", line["product"], "--json").json
        assert "error" not in {check["status"] for check in report["checks"]}, report["checks"]
        return Judged(line, {check["id"]: check for check in report["checks"]})

    return take


def cut(place: Callable[[bytes], int]) -> Edit:
    return lambda data: data[: place(data)]


def last_tile(data: bytes) -> tuple[int, int]:
    parts = list(tile_parts(data))
    assert len(parts) == TILES
    return parts[-1]


CUTS = {
    "nothing left": (lambda d: 0, "0 bytes"),
    "one byte": (lambda d: 1, "ends at byte 1"),
    "in the signature": (lambda d: 11, "ends at byte 11"),
    "in the boxes": (lambda d: 60, "ends at byte 60"),
    "in the main header": (lambda d: d.index(b"\xff\x4f\xff\x51") + 30, "within the main header"),
    "behind the first tile": (lambda d: next(tile_parts(d))[1], "within the marker behind tile 0"),
    "where the last tile begins": (lambda d: last_tile(d)[0], "behind tile 2"),
    "in the header of the last tile": (lambda d: last_tile(d)[0] + 5, "ends at byte"),
    "in the data of the last tile": (lambda d: sum(last_tile(d)) // 2, "within tile 3 of 4"),
    "a byte before the end of the last tile": (lambda d: last_tile(d)[1] - 1, "within tile 3 of 4"),
    "without the end marker": (lambda d: last_tile(d)[1], "within the marker behind tile 3"),
    "without the last byte": (lambda d: len(d) - 1, "behind tile 3"),
}


@pytest.mark.parametrize("place", CUTS)
def test_a_cut_image_is_found_even_when_the_manifest_describes_it(judge, made, tmp_path: Path, place: str) -> None:
    where, words = CUTS[place]
    folder = copy_of(made(), tmp_path)
    retile(only(folder, B02), 32)
    edit(folder, B02, cut(where))
    judged = judge(folder)
    assert "format.images.readable" in judged.failed
    assert "format.manifest.size" not in judged.failed
    assert "B02 10 m" in judged.told("format.images.readable")
    assert words in judged.told("format.images.readable")


def test_a_cut_image_in_a_zip_is_found_twice(judge, made, tmp_path: Path) -> None:
    folder = copy_of(made(), tmp_path)
    edit(folder, B02, cut(lambda d: len(d) * 2 // 3), sealed=False)
    judged = judge(zip_of(folder, tmp_path / f"{folder.stem}.zip"))
    assert judged.failed == {"format.images.readable", "format.manifest.size", "format.manifest.checksum"}


def test_the_same_image_in_tiles_is_whole(judge, made, tmp_path: Path, schemas) -> None:
    folder = copy_of(made(), tmp_path)
    retile(only(folder, B02), 32)
    seal(folder)
    assert judge(folder).line["status"] == "PASSED"


def test_a_hole_of_zeros_is_found(judge, made, tmp_path: Path) -> None:
    def hollow(data: bytes) -> bytes:
        begin, end = next(tile_parts(data))
        return data[: begin + 400] + bytes(end - begin - 500) + data[end - 100 :]

    folder = copy_of(made(size_10m=240, baseline="05.10"), tmp_path)
    edit(folder, B02, hollow)
    judged = judge(folder)
    assert judged.failed == {"format.images.readable"}
    assert "zeros" in judged.told("format.images.readable")


@pytest.mark.usefixtures("next_is_good")
@pytest.mark.parametrize(("rows", "columns"), [(10**6, 10**6), (2**31 - 1, 2**31 - 1), (20_000, 20_000), (60, 10**9)])
def test_an_image_that_claims_to_be_huge_is_not_believed(judge, made, tmp_path: Path, rows: int, columns: int) -> None:
    folder = copy_of(made(), tmp_path)
    edit(folder, B02, claim_size(rows, columns))
    judged = judge(folder)
    assert "format.images.readable" in judged.failed
    assert "B02 10 m" in judged.told("format.images.readable")


@pytest.mark.parametrize("mask", ["MSK_DETFOO_B02", "MSK_CLASSI_B00", "MSK_QUALIT_B02"])
def test_a_mask_that_claims_to_be_huge_is_not_believed(judge, made, tmp_path: Path, mask: str) -> None:
    folder = copy_of(made(), tmp_path)
    edit(folder, f"GRANULE/*/QI_DATA/{mask}.jp2", claim_size(10**6, 10**6))
    judged = judge(folder)
    assert "format.masks.structure" in judged.failed
    assert mask in judged.told("format.masks.structure")


VIRTUAL = b"""<VRTDataset rasterXSize="60" rasterYSize="60"><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>
<SourceFilename relativeToVRT="0">/vsicurl/http://127.0.0.1:9/x.tif</SourceFilename></SimpleSource></VRTRasterBand>
</VRTDataset>"""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not an image at all, only some text", "does not begin like JPEG 2000"),
        (VIRTUAL, "does not begin like JPEG 2000"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "does not begin like JPEG 2000"),
        (b"\xff\x4f\xff\x51" + b"\xff" * 200, ""),
        (b"II*\0" + b"\xff" * 64, ""),
        (bytes(5000), "zeros"),
    ],
    ids=["text", "virtual raster", "png", "broken codestream", "broken tiff", "zeros"],
)
def test_what_is_no_image_under_the_name_of_one(judge, made, tmp_path: Path, content: bytes, words: str) -> None:
    folder = copy_of(made(), tmp_path)
    edit(folder, B02, lambda data: content)
    judged = judge(folder)
    assert "format.images.readable" in judged.failed
    assert words in judged.told("format.images.readable")


def test_an_image_of_another_band_and_size_is_found(judge, made, tmp_path: Path) -> None:
    folder = copy_of(made(), tmp_path)
    other = only(folder, "GRANULE/*/IMG_DATA/*_B01.jp2").read_bytes()
    edit(folder, B02, lambda data: other)
    judged = judge(folder)
    assert "format.raster.size" in judged.failed
    assert "10 x 10" in judged.told("format.raster.size")


@pytest.mark.usefixtures("next_is_good")
def test_all_images_empty_and_all_masks_too(judge, made, tmp_path: Path) -> None:
    folder = copy_of(made(), tmp_path)
    for path in folder.glob("GRANULE/*/*/*.jp2"):
        path.write_bytes(b"")
    judged = judge(folder)
    assert {"format.images.readable", "format.masks.structure", "format.manifest.size"} <= judged.failed
    assert "0 bytes" in judged.told("format.images.readable")
