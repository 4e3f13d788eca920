"""Folders with pipes, links, odd names, or hardly anything in them; names that lie about what they hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mpc.products.models import Intake, Product
from processors.simulator.products import Fault
from tests.road.hostile import copy_of, zip_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_end")]


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "GRANULE" / "pipe.xml")


def link_out(folder: Path) -> None:
    (folder / "HTML" / "passwd.html").symlink_to("/etc/passwd")


def link_to_folder_outside(folder: Path) -> None:
    (folder / "AUX").symlink_to("/etc")


def link_nowhere(folder: Path) -> None:
    (folder / "INSPIRE.xml").unlink()
    (folder / "INSPIRE.xml").symlink_to(folder / "gone.xml")


def link_in_a_ring(folder: Path) -> None:
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")


def name_without_letters(folder: Path) -> None:
    with open(os.fsencode(folder) + b"/HTML/\xff\xfe.html", "wb") as file:
        file.write(b"x")


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (pipe, "no ordinary file"),
    "link to a file outside": (link_out, "leaves the product"),
    "link to a folder outside": (link_to_folder_outside, "leaves the product"),
    "link that leads nowhere": (link_nowhere, "leads nowhere"),
    "links in a ring": (link_in_a_ring, "leads nowhere"),
    "name that is no text": (name_without_letters, "no name in UTF-8"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_leads_elsewhere_is_refused(manage, made, tmp_path: Path, how: str) -> None:
    spoil, words = REFUSED[how]
    folder = copy_of(made(), tmp_path)
    spoil(folder)
    called = manage("ingest", folder, "--wait")
    assert (called.status, called.line["result"], called.line["product"]) == (1, "refused", None)
    assert words in called.line["message"]
    assert words in Intake.objects.get().message
    assert Product.objects.count() == 0


def test_links_within_the_product_are_followed_once(manage, made, tmp_path: Path) -> None:
    folder = copy_of(made(), tmp_path)
    (folder / "self").symlink_to(folder)
    (folder / "HTML" / "again.html").symlink_to(folder / "INSPIRE.xml")
    called = manage("ingest", folder, "--wait")
    assert (called.status, called.line["status"]) == (0, "INCOMPLETE")


@pytest.mark.parametrize("name", ["a\nb.html", "q\"uo'te.html", "naïve ☃.html", "%s {0} <b>.html", "-rf", " "])
def test_odd_names_of_files_are_told_and_do_no_harm(manage, made, tmp_path: Path, name: str) -> None:
    folder = copy_of(made(), tmp_path)
    (folder / "GRANULE" / name).write_text("x")
    called = manage("ingest", folder, "--wait")
    assert (called.status, called.line["status"]) == (0, "INCOMPLETE")
    report = manage("report", called.line["product"], "--json").json
    (extra,) = (c for c in report["checks"] if c["id"] == "format.manifest.extra")
    assert (extra["status"], extra["measured"]) == ("warning", "1 not listed")


def test_an_archive_with_odd_names_does_no_harm(manage, made, tmp_path: Path) -> None:
    extra = {f"{made().name}/HTML/{name}": b"x" for name in ("a\nb", "q\"uo'te", "naïve ☃", "%s {0}", "}{")}
    called = manage("ingest", zip_of(made().path, tmp_path / "x}{y.zip", extra=extra), "--wait")
    assert (called.status, called.line["status"]) == (0, "INCOMPLETE"), called


def test_a_path_that_is_no_text_is_refused(manage, made, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.zip")
    shutil.copyfile(made(zipped=True).path, path)
    called = manage("ingest", tmp_path)
    assert (called.status, called.line["result"]) == (1, "refused")
    assert "not UTF-8" in called.line["message"]
    assert Intake.objects.get().source.endswith("\\udcff\\udcfe.zip")


def test_a_path_that_is_too_long_to_keep_is_refused(manage, made, tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d" * 200] * 5)
    folder.mkdir(parents=True)
    shutil.copyfile(made(zipped=True).path, folder / "x.zip")
    called = manage("ingest", folder / "x.zip")
    assert (called.status, called.line["result"]) == (1, "refused")
    assert "move it to a shorter one" in called.line["message"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "holds no file"),
        (["GRANULE/"], "holds no file"),
        (["readme.txt"], "no Sentinel-2 product"),
        (["manifest.safe"], "no Sentinel-2 product"),
    ],
)
def test_a_folder_with_hardly_anything_is_refused(manage, made, tmp_path: Path, files: list[str], words: str) -> None:
    folder = tmp_path / made().name
    folder.mkdir()
    for name in files:
        (folder / name).mkdir() if name.endswith("/") else (folder / name).write_text("")
    called = manage("ingest", folder, "--wait")
    assert (called.status, called.line["result"]) == (1, "refused")
    assert words in called.line["message"]


@pytest.mark.usefixtures("next_is_good")
@pytest.mark.parametrize("left", ["MTD_MSIL1C.xml", "GRANULE/*/MTD_TL.xml", "DATASTRIP/*/MTD_DS.xml"])
def test_a_product_of_which_one_file_is_left_fails(manage, made, tmp_path: Path, left: str) -> None:
    folder = copy_of(made(), tmp_path)
    (kept,) = folder.glob(left)
    for path in folder.rglob("*"):
        if path.is_file() and path != kept:
            path.unlink()
    called = manage("ingest", folder, "--wait")
    assert (called.status, called.line["result"], called.line["status"]) == (1, "taken", "FAILED")
    report = manage("report", called.line["product"], "--json").json
    failed = {c["id"] for c in report["checks"] if c["status"] == "failed"}
    assert failed & {"format.images.present", "general.metadata.readable", "general.olqc.present"}, failed
    assert "error" not in {c["status"] for c in report["checks"]}


def test_a_file_that_cannot_be_read_any_more_fails_the_product(manage, made, tmp_path: Path) -> None:
    """Between intake and quality control a file becomes a folder: nothing of it can be read."""
    folder = copy_of(made(), tmp_path)
    manage("ingest", folder)
    (image,) = folder.glob("GRANULE/*/IMG_DATA/*_B02.jp2")
    image.unlink()
    image.mkdir()
    called = manage("run", "qc.product", "--product", made().name, "--wait", "--json")
    assert (called.status, called.line["state"], called.line["verdict"]) == (0, "succeeded", "FAILED")
    failed = {c["id"] for c in manage("report", made().name, "--json").json["checks"] if c["status"] == "failed"}
    assert failed == {"format.manifest.present", "format.images.present"}


# --- Names that lie --------------------------------------------------------------------------------------------------
LIES = {
    "another tile": ("_T32TNM_", "_T33UUP_", "tile of"),
    "another orbit": ("_R139_", "_R001_", "relative orbit"),
    "another unit": ("S2B_", "S2A_", "unit"),
    "another level": ("_MSIL1C_", "_MSIL2A_", "level"),
    "another baseline": ("_N0511_", "_N0208_", "processing baseline"),
    "another day": ("_20260914T102029_", "_20260915T102029_", "start of the datatake"),
}


@pytest.mark.parametrize(("lie", "as_zip"), [*((lie, False) for lie in LIES), ("another tile", True)])
def test_a_name_that_lies_is_found(manage, made, tmp_path: Path, lie: str, as_zip: bool) -> None:
    true, false, words = LIES[lie]
    name = made().name.replace(true, false, 1)
    assert name != made().name
    if as_zip:
        path = zip_of(made().path, tmp_path / name.replace(".SAFE", ".zip"), root=name)
    else:
        path = Path(shutil.copytree(made().path, tmp_path / name))
    called = manage("ingest", path, "--wait")
    assert (called.status, called.line["product"]) == (1, name.removesuffix(".SAFE"))
    checks = {c["id"]: c for c in manage("report", name, "--json").json["checks"]}
    assert checks["format.identity"]["status"] == "failed"
    assert "error" not in {c["status"] for c in checks.values()}
    told = Product.objects.get().quality_reports.get().checks.get(check_id="format.identity")
    assert words in f"{told.message} {told.where}"


def test_the_name_of_an_archive_that_lies_is_found(manage, made, tmp_path: Path) -> None:
    path = zip_of(made().path, tmp_path / made().name.replace("_T32TNM_", "_T33UUP_").replace(".SAFE", ".zip"))
    called = manage("ingest", path, "--wait")
    assert (called.status, called.line["product"]) == (1, made().name.removesuffix(".SAFE"))
    checks = {c["id"]: c for c in manage("report", made().name, "--json").json["checks"]}
    assert checks["format.identity"]["status"] == "failed"
    assert "T33UUP" in checks["format.identity"]["message"]


@pytest.mark.parametrize(
    "name", ["S2B_MSIL1C_20261314T102029_N0511_R139_T32TNM_20260914T122629.SAFE", "S9X_MSIL1C.SAFE", "x.SAFE"]
)
def test_a_name_that_is_none_is_replaced_by_what_the_metadata_say(manage, made, tmp_path: Path, name: str) -> None:
    called = manage("ingest", shutil.copytree(made().path, tmp_path / name), "--wait")
    assert (called.status, called.line["product"]) == (1, made().name.removesuffix(".SAFE"))
    checks = {c["id"]: c for c in manage("report", made().name, "--json").json["checks"]}
    assert checks["format.identity"]["status"] == "failed"


def test_other_content_under_a_known_name_is_refused(manage, made, tmp_path: Path) -> None:
    manage("ingest", made().path, "--wait")
    folder = copy_of(made(), tmp_path)
    (folder / "INSPIRE.xml").write_text("<other/>")
    called = manage("ingest", folder, "--wait")
    assert (called.status, called.line["result"]) == (1, "refused")
    assert "already with other content" in called.line["message"]
    assert Product.objects.get().path == str(made().path)


def test_a_product_that_says_it_is_another_is_found(manage, made) -> None:
    written = made(baseline="05.10", faults=(Fault.WRONG_NAME,))
    called = manage("ingest", written.path, "--wait")
    checks = {c["id"]: c for c in manage("report", called.line["product"], "--json").json["checks"]}
    assert {i for i, c in checks.items() if c["required"] and c["status"] == "failed"} >= {"format.identity"}
