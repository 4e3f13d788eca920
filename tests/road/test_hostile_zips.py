"""Archives that climb, lie, burst or end too early: refused with a reason, or taken and found to be damaged."""

from __future__ import annotations

import io
import os
import random
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from mpc.accounts.actors import local_actor
from mpc.products import uploads
from mpc.products.models import Intake, Product
from mpc.runs.models import Run, State
from tests.road.hostile import copy_of, zip_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_end")]


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def fifo(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFIFO | 0o666) << 16
    return info


def zeros(megabytes: int) -> bytes:
    return bytes(megabytes * 1_000_000)


MEMBERS: dict[str, tuple[Callable[[str], object], bytes, str]] = {
    "climbs out": (lambda root: "../../../../etc/cron.d/mpc", b"x", "climbs out"),
    "climbs out inside": (lambda root: f"{root}/../../escape.txt", b"x", "climbs out"),
    "absolute": (lambda root: "/etc/passwd", b"x", "absolute name"),
    "drive": (lambda root: "C:/windows/system32/x", b"x", "absolute name"),
    "backslash": (lambda root: f"{root}\\..\\x", b"x", "backslash"),
    "symbolic link": (lambda root: link(f"{root}/GRANULE/shadow.xml"), b"/etc/shadow", "symbolic link"),
    "pipe": (lambda root: fifo(f"{root}/pipe.xml"), b"", "no ordinary file"),
    "bomb by ratio": (lambda root: f"{root}/HTML/bomb.html", zeros(30), "zip bomb"),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_hostile_members_are_refused(manage, made, tmp_path: Path, name: str) -> None:
    member, data, words = MEMBERS[name]
    good = made()
    path = zip_of(good.path, tmp_path / "x.zip", extra={member(good.name): data})
    before = sorted(os.listdir(tmp_path))
    called = manage("ingest", path, "--wait")
    assert (called.status, called.line["result"], called.line["product"]) == (1, "refused", None)
    assert words in called.line["message"]
    assert "x.zip" in called.line["message"]
    assert Product.objects.count() == Run.objects.count() == 0
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.usefixtures("next_is_good")
def test_many_refusals_in_one_call_do_not_stop_it(manage, made, tmp_path: Path) -> None:
    for name, (member, data, _) in MEMBERS.items():
        zip_of(made().path, tmp_path / f"{name}.zip", extra={member(made().name): data})
    zip_of(made().path, tmp_path / "good.zip")
    called = manage("ingest", tmp_path, "--wait")
    assert called.status == 1
    results = {Path(line["path"]).stem: line["result"] for line in called.lines}
    assert results == {**dict.fromkeys(MEMBERS, "refused"), "good": "taken"}
    assert Intake.objects.filter(result="refused").count() == len(MEMBERS)


def test_an_archive_whose_members_overlap_is_refused(manage, made, tmp_path: Path) -> None:
    """A bomb without ratio: many names for the same bytes."""
    data = random.Random(1).randbytes(200_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{made().name}/MTD_MSIL1C.xml", data)
        (first,) = archive.infolist()
        for number in range(500):
            clone = zipfile.ZipInfo(f"{made().name}/copy{number}.xml")
            clone.file_size, clone.compress_size, clone.CRC = first.file_size, first.compress_size, first.CRC
            clone.header_offset = first.header_offset
            archive.filelist.append(clone)
    (tmp_path / "x.zip").write_bytes(buffer.getvalue())
    called = manage("ingest", tmp_path / "x.zip")
    assert (called.status, called.line["result"]) == (1, "refused")
    assert "overlap" in called.line["message"]


def test_an_archive_that_claims_more_than_a_disk_is_refused(manage, made, tmp_path: Path) -> None:
    """The directory says 8 x 4 GB, stored at a ratio that raises no doubt by itself; nothing of it is there."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(8):
            archive.writestr(f"{made().name}/part{number}.jp2", b"x")
        for info in archive.infolist():
            info.file_size = info.compress_size = 4_000_000_000
    (tmp_path / "x.zip").write_bytes(buffer.getvalue())
    called = manage("ingest", tmp_path / "x.zip")
    assert (called.status, called.line["result"]) == (1, "refused")
    assert "unpacks to more than" in called.line["message"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"PK\x05\x06" + bytes(18), "without any file"),
        (b"PK\x03\x04 and then nothing", "interrupted transfer"),
        (b"<html>Sign in to download</html>", "does not begin like a zip"),
        (b"\x1f\x8b\x08" + bytes(100), "does not begin like a zip"),
    ],
    ids=["empty file", "empty zip", "only a beginning", "web page", "gzip"],
)
def test_what_is_no_archive_is_refused(manage, made, tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / made(zipped=True).path.name
    path.write_bytes(content)
    called = manage("ingest", path, "--wait")
    assert (called.status, called.line["result"]) == (1, "refused")
    assert words in called.line["message"]


def test_an_archive_of_holiday_pictures_is_refused(manage, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("beach/one.jpg", b"sand")
    called = manage("ingest", tmp_path / "x.zip")
    assert (called.status, called.line["result"]) == (1, "refused")
    assert "no Sentinel-2 product" in called.line["message"]
    assert "one.jpg" in called.line["message"]


def test_two_products_in_one_archive_are_refused(manage, made, tmp_path: Path) -> None:
    other = made(baseline="05.10")
    extra = {f"{other.name}/{p.relative_to(other.path)}": p.read_bytes() for p in other.path.rglob("*") if p.is_file()}
    called = manage("ingest", zip_of(made().path, tmp_path / "x.zip", extra=extra))
    assert (called.status, called.line["result"]) == (1, "refused")
    assert "2 products" in called.line["message"]


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_a_truncated_archive_is_refused(manage, made, tmp_path: Path, part: float) -> None:
    data = made(zipped=True).path.read_bytes()
    path = tmp_path / made(zipped=True).path.name
    path.write_bytes(data[: int(len(data) * part)])
    called = manage("ingest", path, "--wait")
    assert (called.status, called.line["result"]) == (1, "refused")
    assert "interrupted transfer" in called.line["message"]


def test_a_damaged_image_in_an_archive_is_found(manage, made, tmp_path: Path) -> None:
    """Bytes are turned within a stored member: the zip's own check sum, the manifest and the image all speak."""
    good = made(zipped=True)
    data = bytearray(good.path.read_bytes())
    with zipfile.ZipFile(good.path) as archive:
        (info,) = (i for i in archive.infolist() if "/IMG_DATA/" in i.filename and i.filename.endswith("_B8A.jp2"))
    begin = info.header_offset + 30 + len(info.filename)
    for place in range(begin + info.compress_size - 900, begin + info.compress_size - 800):
        data[place] ^= 0xFF
    path = tmp_path / good.path.name
    path.write_bytes(bytes(data))
    called = manage("ingest", path, "--wait")
    assert (called.status, called.line["status"]) == (1, "FAILED")
    checks = {c["id"]: c for c in manage("report", called.line["product"], "--json").json["checks"]}
    assert checks["format.images.readable"]["status"] == checks["format.manifest.checksum"]["status"] == "failed"
    assert "damaged" in checks["format.images.readable"]["message"]


def test_damaged_metadata_in_an_archive_are_found(manage, made, tmp_path: Path) -> None:
    good = made(zipped=True)
    data = bytearray(good.path.read_bytes())
    with zipfile.ZipFile(good.path) as archive:
        (info,) = (i for i in archive.infolist() if i.filename.endswith("/MTD_TL.xml"))
    begin = info.header_offset + 30 + len(info.filename)
    data[begin + 100 : begin + 140] = bytes(40)
    path = tmp_path / good.path.name
    path.write_bytes(bytes(data))
    called = manage("ingest", path, "--wait")
    assert (called.status, called.line["status"]) == (1, "FAILED")
    assert "MTD_TL.xml" in called.line["message"]
    checks = {c["id"]: c for c in manage("report", called.line["product"], "--json").json["checks"]}
    assert checks["general.metadata.readable"]["status"] == "failed"
    assert "error" not in {c["status"] for c in checks.values()}


@pytest.mark.parametrize("root", ["S2B_MSIL1C_20260914T102029_N0511_R139_T32TNM_20260914T122629.SAFE", "product", ""])
def test_the_folder_inside_decides_on_the_name(manage, made, tmp_path: Path, root: str) -> None:
    """A zip may be called as its sender likes; a folder that does not say what it holds is told by its metadata."""
    with zipfile.ZipFile(tmp_path / "my data (1).zip", "w") as archive:
        for path in sorted(p for p in made().path.rglob("*") if p.is_file()):
            archive.write(path, f"{root}/{path.relative_to(made().path)}".lstrip("/"))
    called = manage("ingest", tmp_path / "my data (1).zip", "--wait")
    assert called.line["product"] == made().name.removesuffix(".SAFE")
    assert called.line["status"] == "INCOMPLETE"


# --- Through the upload and a run ------------------------------------------------------------------------------------
def send(path: Path, name: str) -> Run:
    return uploads.receive(SimpleUploadedFile(name, path.read_bytes()), actor=local_actor())


def kept(settings) -> list[Path]:  # type: ignore[no-untyped-def]
    return [p for p in Path(settings.MPC_UPLOADS_DIR).rglob("*") if p.is_file()]


def do(manage, run: Run) -> Run:  # type: ignore[no-untyped-def]
    from mpc.runs import waiting

    (done,) = waiting.wait_for([run], lambda text: None)
    return done


def test_a_sent_product_is_taken_in_and_judged_by_runs(manage, made, settings) -> None:
    good = made(zipped=True)
    run = do(manage, send(good.path, good.path.name))
    assert (run.state, run.verdict) == (State.SUCCEEDED, "")
    product = Product.objects.get()
    assert Path(product.path) == kept(settings)[0]
    assert product.intakes.get().trigger == "upload"
    (judging,) = Run.objects.filter(product=product)
    assert do(manage, judging).verdict == "INCOMPLETE"


@pytest.mark.parametrize("name", ["climbs out", "symbolic link", "bomb by ratio"])
def test_a_hostile_archive_that_was_sent_leaves_only_its_refusal(manage, made, tmp_path, settings, name: str) -> None:
    member, data, words = MEMBERS[name]
    path = zip_of(made().path, tmp_path / "x.zip", extra={member(made().name): data})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda call, **_: call())
        run = do(manage, send(path, "sent.zip"))
    assert (run.state, run.verdict) == (State.SUCCEEDED, "FAILED")
    intake = Intake.objects.get()
    assert (intake.result, intake.source, intake.trigger) == (Intake.Result.REFUSED, "sent.zip", "upload")
    assert words in intake.message
    assert words in run.summary
    assert kept(settings) == []
    assert Product.objects.count() == 0


def test_sent_twice_is_kept_once(manage, made, settings) -> None:
    good = made(zipped=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda call, **_: call())
        do(manage, send(good.path, good.path.name))
        do(manage, send(good.path, good.path.name))
    assert [i.result for i in Intake.objects.order_by("pk")] == ["taken", "known"]
    assert [str(path) for path in kept(settings)] == [Product.objects.get().path]
    do(manage, Run.objects.get(kind="qc.product"))


@pytest.mark.parametrize(
    ("name", "cut", "words"),
    [
        ("good.zip", 0.9, "cut short"),
        ("good.tar", 1.0, "not the name of a zip"),
        ("../../x.zip", 0.5, "cut short"),
        ("-rf.zip", 1.0, "not the name of a zip"),
        ("a\nb.zip", 1.0, "not the name of a zip"),
    ],
)
def test_what_is_refused_at_the_door_is_not_kept(manage, made, settings, name: str, cut: float, words: str) -> None:
    data = made(zipped=True).path.read_bytes()
    with pytest.raises(uploads.UploadRefused, match=words):
        uploads.receive(SimpleUploadedFile(name, data[: int(len(data) * cut)]), actor=local_actor())
    assert kept(settings) == []
    assert words in Intake.objects.get().message
    assert Run.objects.count() == 0


def test_folder_copies_and_archives_agree(made, tmp_path: Path) -> None:
    """The helper of these tests makes archives that are as good as the simulator's own."""
    folder = copy_of(made(), tmp_path)
    with zipfile.ZipFile(zip_of(folder, tmp_path / "x.zip")) as archive, zipfile.ZipFile(made(zipped=True).path) as own:
        assert sorted(archive.namelist()) == sorted(own.namelist())
