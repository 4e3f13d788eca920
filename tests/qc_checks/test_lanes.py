"""Several images at once: order of results, memory, digests, and what stands in for a full decoding."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from qc.checks.inspections.images import images_readable
from qc.checks.inspections.manifest import file_checksums
from qc.checks.lanes import Piece, run_lanes
from qc.checks.pixels import granule
from qc.checks.settings import QcParams
from tests.qc_checks import small
from tests.qc_checks.small import subject_of

IMAGES = Path("GRANULE") / small.GRANULE / "IMG_DATA"
TCI = IMAGES / "T34UCF_20230823T095559_TCI.jp2"


def test_results_stand_in_the_order_of_the_pieces_and_the_costly_begin_first() -> None:
    told: list[tuple[float, str]] = []
    pieces = [Piece(f"piece {n}", lambda threads, n=n: n * n, cost=n) for n in (3, 1, 4, 2)]
    found = run_lanes(pieces, threads=1, memory=0, progress=lambda share, title: told.append((share, title)))
    assert found == [9, 1, 16, 4]
    assert told == [(0.0, "piece 4"), (0.4, "piece 3"), (0.7, "piece 2"), (0.9, "piece 1")]
    assert run_lanes([], threads=2, memory=0) == []


@pytest.mark.parametrize(
    ("threads", "memory", "lanes", "share"), [(1, 1000, 1, 1), (2, 1000, 2, 1), (8, 1000, 3, 2), (8, 100, 1, 8)]
)
def test_memory_bounds_how_many_are_under_way_and_they_share_the_threads(
    threads: int, memory: int, lanes: int, share: int
) -> None:
    """Each piece waits until as many are under way as there are lanes, so that more would be seen."""
    gate = threading.Barrier(lanes, timeout=20)
    lock = threading.Lock()
    now = most = 0
    shares: set[int] = set()

    def work(given: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            shares.add(given)
        gate.wait()
        with lock:
            now -= 1

    run_lanes([Piece("", work, cost=1, memory=300)] * (4 * lanes), threads=threads, memory=memory)
    assert most == lanes
    assert shares == {share}


def test_the_first_exception_ends_the_rest_without_waiting_for_what_is_under_way() -> None:
    release, done = threading.Event(), []

    def slow(threads: int) -> None:
        release.wait(20)
        done.append("slow")

    def breaks(threads: int) -> None:
        raise ValueError("broken")

    pieces = [
        Piece("", slow, cost=9),
        Piece("", breaks, cost=8),
        Piece("", lambda threads: done.append("late"), cost=1),
    ]
    with pytest.raises(ValueError, match="broken"):
        run_lanes(pieces, threads=2, memory=0)
    assert done == []
    release.set()


def test_what_the_threads_find_is_what_one_finds(pristine: Path) -> None:
    one, many = (subject_of(pristine) for _ in range(2))
    many.threads = 6
    assert one.pixels.images == many.pixels.images
    assert one.pixels.footprints == many.pixels.footprints
    for first, second in zip(one.pixels.pictures, many.pixels.pictures, strict=True):
        assert (first.frame, first.mask_band) == (second.frame, second.mask_band) == (first.frame, "B02")
        for name in ("colour", "nodata", "detectors"):
            assert np.array_equal(getattr(first, name), getattr(second, name))


def test_each_file_is_hashed_once(pristine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from qc.checks import digests

    counted: Counter[str] = Counter()
    real = digests.hash_member

    def counting(container: object, path: str, algorithm: str) -> str:
        counted[path] += 1
        return real(container, path, algorithm)  # type: ignore[arg-type]

    monkeypatch.setattr(digests, "hash_member", counting)
    monkeypatch.setattr(granule, "SMALL", 0)
    subject = subject_of(pristine)
    assert subject.pixels.images
    assert file_checksums(subject).status == "passed"
    assert set(counted.values()) == {1}
    assert len(counted) == len(subject.manifest.entries)


def _images_read(subject: object, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that are decoded in full."""
    names: list[str] = []
    real = granule.read_image

    def noting(gdal_path: str, **options: object) -> object:
        names.append(gdal_path.rsplit("_", 1)[-1].removesuffix(".jp2"))
        return real(gdal_path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(granule, "read_image", noting)
    assert subject.pixels  # type: ignore[attr-defined]
    return names


def test_a_large_colour_image_with_the_right_digest_is_decoded_as_small_as_its_picture(
    pristine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granule, "SMALL", 0)
    subject = subject_of(pristine)
    assert "TCI" not in _images_read(subject, monkeypatch)
    image = next(image for image in subject.pixels.images if image.name == "TCI")
    assert (image.reduced, image.problems, image.layers, image.dtype) == (True, (), 3, "uint8")
    assert subject.pixels.pictures[0].colour_source == "TCI"
    finding = images_readable(subject)
    assert finding.status == "passed"
    assert "TCI 10 m decoded as small as the picture" in finding.message
    assert {image.name for image in subject.pixels.images if image.reduced} == {"TCI"}, "bands always in full"


@pytest.mark.parametrize("doubt", ["small", "no digests wanted", "another digest", "no manifest"])
def test_else_it_is_decoded_in_full(product: Path, monkeypatch: pytest.MonkeyPatch, doubt: str) -> None:
    monkeypatch.setattr(granule, "SMALL", 1 << 30 if doubt == "small" else 0)
    if doubt == "another digest":
        path = product / TCI
        data = bytearray(path.read_bytes())
        data[-200] ^= 0x55
        path.write_bytes(data)
    if doubt == "no manifest":
        (product / "manifest.safe").unlink()
    subject = subject_of(product, params=QcParams(checksums=doubt != "no digests wanted"))
    assert "TCI" in _images_read(subject, monkeypatch)
    assert not any(image.reduced for image in subject.pixels.images)
    assert "as small as" not in images_readable(subject).message


def test_a_torn_colour_image_is_found_whatever_its_digest(product: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(granule, "SMALL", 0)
    path = product / TCI
    path.write_bytes(path.read_bytes()[:-300])
    small.write_manifest(product)
    subject = subject_of(product)
    assert file_checksums(subject).status == "passed"
    finding = images_readable(subject)
    assert finding.status == "failed"
    assert finding.where == "TCI 10 m"
