"""Metadata that would load files, fill the memory, or say what cannot be."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mpc.products.models import Product
from mpc.runs.models import Run
from tests.road.hostile import copy_of, edit, only, replace_text, seal, zip_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_end")]

PRODUCT, TILE, DATASTRIP = "MTD_MSIL1C.xml", "GRANULE/*/MTD_TL.xml", "DATASTRIP/*/MTD_DS.xml"
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
MODEST_MB = 700


@dataclass(frozen=True)
class Judged:
    line: dict[str, Any]
    checks: dict[str, dict[str, Any]]
    peak_mb: float

    def status(self, check_id: str) -> str:
        return self.checks[check_id]["status"]

    def message(self, check_id: str) -> str:
        return self.checks[check_id]["message"]

    @property
    def failed(self) -> set[str]:
        return {i for i, check in self.checks.items() if check["required"] and check["status"] == "failed"}


@pytest.fixture
def judge(manage) -> Callable[[Path], Judged]:  # type: ignore[no-untyped-def]
    def take(path: Path) -> Judged:
        called = manage("ingest", path, "--wait")
        (line,) = called.lines
        assert line["result"] == "taken", line
        assert [run["state"] for run in line["runs"]] == ["succeeded"], called
        report = manage("report", line["product"], "--json").json
        assert "error" not in {check["status"] for check in report["checks"]}, report["checks"]
        checks = {check["id"]: check for check in report["checks"]}
        return Judged(line, checks, Run.objects.latest("pk").peak_rss_mb)

    return take


def with_doctype(doctype: bytes, use: bytes = b"") -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        begin = data.index(b"<", data.index(b"?>"))
        return HEAD + doctype + data[begin:].replace(b"<PROCESSING_BASELINE>", b"<PROCESSING_BASELINE>" + use)

    return change


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
ENTITIES = {
    "internal": (b'<!DOCTYPE x [<!ENTITY a "05">]>', b"&a;"),
    "billion laughs": (b'<!DOCTYPE x [<!ENTITY l0 "ha">' + LAUGHS + b"]>", b"&l9;"),
    "external file": (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', b"&a;"),
    "external address": (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', b""),
    "parameter": (b'<!DOCTYPE x [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>', b""),
}


@pytest.mark.parametrize(("kind", "pattern"), [*((kind, PRODUCT) for kind in ENTITIES), ("external file", TILE)])
def test_entities_are_refused_and_told(judge, made, tmp_path: Path, kind: str, pattern: str) -> None:
    folder = copy_of(made(), tmp_path)
    file = edit(folder, pattern, with_doctype(*ENTITIES[kind])).name
    judged = judge(folder)
    assert judged.line["status"] == "FAILED"
    assert {"format.xml.wellformed", "general.metadata.readable"} <= judged.failed
    for text in (judged.line["message"], judged.message("format.xml.wellformed")):
        assert file in text
        assert "DOCTYPE" in text
    assert "root:" not in str(judged)
    assert judged.peak_mb < MODEST_MB


@pytest.mark.parametrize("file", ["manifest.safe", "GRANULE/*/QI_DATA/GENERAL_QUALITY.xml", "INSPIRE.xml"])
def test_entities_elsewhere_too(judge, made, tmp_path: Path, file: str) -> None:
    folder = copy_of(made(), tmp_path)
    edit(folder, file, with_doctype(*ENTITIES["external file"]), sealed=file != "manifest.safe")
    judged = judge(folder)
    assert "format.xml.wellformed" in judged.failed
    assert "DOCTYPE" in judged.message("format.xml.wellformed")


def of_200_mb(path: Path) -> None:
    """A file of 200 MB that begins like XML and takes no room on the disk."""
    with path.open("r+b") as file:
        file.truncate(200_000_000)


@pytest.mark.usefixtures("next_is_good")
@pytest.mark.parametrize("pattern", [PRODUCT, TILE, "manifest.safe"])
def test_200_mb_of_xml_in_a_folder_are_not_read(judge, made, tmp_path: Path, pattern: str) -> None:
    folder = copy_of(made(), tmp_path)
    of_200_mb(only(folder, pattern))
    judged = judge(folder)
    assert judged.line["status"] == "FAILED"
    assert "format.xml.wellformed" in judged.failed
    assert any(words in judged.message("format.xml.wellformed") for words in ("more than", "larger than"))
    assert judged.peak_mb < MODEST_MB


def test_masks_of_300_mb_are_not_read(judge, made, tmp_path: Path) -> None:
    folder = copy_of(made(unit="S2A", baseline="02.06"), tmp_path)
    for mask in ("MSK_DETFOO_B02.gml", "MSK_DETFOO_B8A.gml", "MSK_CLOUDS_B00.gml"):
        with only(folder, f"GRANULE/*/QI_DATA/{mask}").open("r+b") as file:
            file.truncate(300_000_000)
    judged = judge(folder)
    assert {"format.xml.wellformed", "format.manifest.size"} <= judged.failed
    assert "more than" in judged.message("format.xml.wellformed")
    assert judged.status("sensor.footprint.values") == "failed"
    assert judged.peak_mb < MODEST_MB


@pytest.mark.usefixtures("next_is_good")
def test_200_mb_of_xml_in_an_archive_are_not_read(judge, made, tmp_path: Path) -> None:
    """Compressed a hundred fold, below what counts as a bomb: taken in, and refused as a document."""
    salt = random.Random(7)
    path = zip_of(made().path, tmp_path / "x.zip", instead={"MTD_TL.xml": b"<x/>"})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        info = zipfile.ZipInfo(f"{made().name}/{only(made().path, TILE).relative_to(made().path).parent}/big.xml")
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w") as member:
            member.write(HEAD + b"<big>")
            for _ in range(200):
                member.write(b"<a>0</a>" * 120_000 + salt.randbytes(5_000).hex().encode())
            member.write(b"</big>")
        assert info.file_size > 190_000_000
    assert path.stat().st_size < 5_000_000
    judged = judge(path)
    assert "format.xml.wellformed" in judged.failed
    assert "big.xml" in judged.message("format.xml.wellformed")
    assert judged.peak_mb < MODEST_MB


def test_xml_that_repeats_itself_into_a_bomb_is_refused(manage, made, tmp_path: Path) -> None:
    path = zip_of(made().path, tmp_path / "x.zip", instead={"MTD_TL.xml": HEAD + b"<a>" + b"<b/>" * 12_500_000})
    called = manage("ingest", path, "--wait")
    assert (called.status, called.line["result"]) == (1, "refused")
    assert "MTD_TL.xml" in called.line["message"]
    assert "zip bomb" in called.line["message"]


SHAPES = {
    "deep": (HEAD + b"<a>" * 100_000, "nested"),
    "many attributes": (HEAD + b"<a " + b" ".join(b'b%d=""' % n for n in range(50_000)) + b">", "XML"),
    "a text of 20 MB": (HEAD + b"<a>" + b"x" * 20_000_000 + b"</a>", ""),
    "another document": (HEAD + b"<html><body>Sign in</body></html>", "html"),
    "not XML": (b"%PDF-1.7 \xde\xad\xbe\xef", "XML"),
    "nothing": (b"", "empty"),
    "zeros": (bytes(10_000), "XML"),
    "UTF-16": ('<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"), ""),
    "wrong bytes": (HEAD + b"<a>\xff\xfe\xfd</a>", "XML"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_odd_documents_are_told(judge, made, tmp_path: Path, shape: str) -> None:
    content, words = SHAPES[shape]
    folder = copy_of(made(), tmp_path)
    file = edit(folder, TILE, lambda data: content).name
    judged = judge(folder)
    assert judged.line["status"] == "FAILED"
    assert file in judged.line["message"]
    assert words in judged.line["message"]
    assert "general.metadata.readable" in judged.failed
    assert judged.peak_mb < MODEST_MB


# --- What cannot be --------------------------------------------------------------------------------------------------
def number(name: str, value: str) -> Callable[[bytes], bytes]:
    return replace_text(rf"(<{name}[^>]*>)[^<]*(</{name}>)", rf"\g<1>{value}\g<2>")


def test_absurd_numbers_are_left_out_and_told(judge, made, tmp_path: Path) -> None:
    folder = copy_of(made(), tmp_path)
    for pattern, name, value in (
        (PRODUCT, "Cloud_Coverage_Assessment", "1e308"),
        (TILE, "CLOUDY_PIXEL_PERCENTAGE", "-0.1"),
        (PRODUCT, "SENSING_ORBIT_NUMBER", "-99999999999999999999999"),
        (PRODUCT, "QUANTIFICATION_VALUE", "0"),
        (PRODUCT, "RADIO_ADD_OFFSET", "NaN"),
        (PRODUCT, "U", "inf"),
        (PRODUCT, "SOLAR_IRRADIANCE", "1" * 400),
        (PRODUCT, "PROCESSING_BASELINE", "99.99.99"),
        (PRODUCT, "GENERATION_TIME", "99999-99-99T99:99:99Z"),
        (PRODUCT, "EXT_POS_LIST", "1e999 " * 10),
        (TILE, "NROWS", "9" * 30),
        (TILE, "NCOLS", "-1"),
        (TILE, "ULX", "1e300"),
        (TILE, "ZENITH_ANGLE", "-361"),
        (TILE, "SENSING_TIME", "0000-00-00T00:00:00Z"),
        (TILE, "HORIZONTAL_CS_CODE", "EPSG:999999999999"),
        (DATASTRIP, "NUMBER_OF_LOST_PACKETS", "1e30"),
    ):
        path = only(folder, pattern)
        path.write_bytes(number(name, value)(path.read_bytes()))
    seal(folder)
    judged = judge(folder)
    assert judged.line["status"] == "FAILED"
    product = Product.objects.get()
    assert (product.cloud_cover, product.footprint, product.sun_zenith) == (None, None, None)
    assert product.relative_orbit == 139, "the name still says it"
    assert product.facts.quantification is None
    assert product.facts.offsets == {}
    remarks = "\n".join(product.facts.remarks)
    for words in ("Cloud_Coverage_Assessment", "SENSING_ORBIT_NUMBER", "QUANTIFICATION_VALUE", "NROWS", "ULX"):
        assert words in remarks
    assert judged.peak_mb < MODEST_MB


@pytest.mark.parametrize(
    ("longitudes", "known"),
    [
        (("10", "350"), False),
        (("179.5", "-179.5"), True),
        (("-359", "-1"), False),
        (("7.5", "7.5"), True),
    ],
)
def test_footprints_around_the_earth(judge, made, tmp_path: Path, longitudes: tuple[str, str], known: bool) -> None:
    folder = copy_of(made(), tmp_path)
    one, two = longitudes
    edit(folder, PRODUCT, number("EXT_POS_LIST", f"42 {one} 42 {two} 41 {two} 41 {one} 42 {one} "))
    judge(folder)
    product = Product.objects.get()
    assert (product.footprint is not None) == (product.west is not None) == known


def test_long_texts_do_not_overflow(judge, made, tmp_path: Path) -> None:
    folder = copy_of(made(), tmp_path)
    edit(folder, PRODUCT, number("PRODUCT_URI", "S2A_" + "x" * 100_000), sealed=False)
    for name in ("datatakeIdentifier", "datastripIdentifier"):
        edit(folder, PRODUCT, replace_text(f'{name}="[^"]*"', f'{name}="{"G" * 450}"'), sealed=False)
    edit(folder, TILE, number("DATASTRIP_ID", "D" * 450))
    judge(folder)
    product = Product.objects.get()
    for name in ("name", "observation", "datatake_id", "datastrip_id", "tile", "baseline", "discriminator", "checksum"):
        assert len(getattr(product, name)) <= Product._meta.get_field(name).max_length, name


# --- Manifests -------------------------------------------------------------------------------------------------------
def listing(*paths: str, size: int = 10) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        entries = "".join(
            f'<dataObject ID="x{n}"><byteStream mimeType="text/xml" size="{size}"><fileLocation href="{path}"/>'
            f'<checksum checksumName="MD5">{"0" * 32}</checksum></byteStream></dataObject>'
            for n, path in enumerate(paths)
        )
        return data.replace(b"</dataObjectSection>", entries.encode() + b"</dataObjectSection>")

    return change


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "GRANULE/../../../etc/passwd", "http://127.0.0.1:9/x"],
)
def test_a_manifest_that_lists_what_is_not_the_products(judge, made, tmp_path: Path, path: str) -> None:
    folder = copy_of(made(), tmp_path)
    edit(folder, "manifest.safe", listing(path, size=Path("/etc/passwd").stat().st_size), sealed=False)
    judged = judge(folder)
    assert judged.failed == {"format.manifest.present"}
    assert "1 file" in judged.message("format.manifest.present")


def test_a_manifest_of_a_million_entries(judge, made, tmp_path: Path) -> None:
    def many(data: bytes) -> bytes:
        entry = b'<byteStream><fileLocation href="%d"/></byteStream>'
        return data.replace(
            b"</dataObjectSection>", b"".join(entry % n for n in range(1_000_000)) + b"</dataObjectSection>"
        )

    folder = copy_of(made(), tmp_path)
    edit(folder, "manifest.safe", many, sealed=False)
    judged = judge(folder)
    assert "format.manifest.present" in judged.failed
    assert judged.peak_mb < 1500


@pytest.mark.parametrize(
    ("algorithm", "words"), [("CRC-0815", "cannot be recomputed"), ("shake_128", "cannot be recomputed")]
)
def test_a_manifest_with_a_digest_that_nobody_knows(judge, made, tmp_path: Path, algorithm: str, words: str) -> None:
    folder = copy_of(made(), tmp_path)
    edit(folder, "manifest.safe", replace_text('checksumName="[^"]*"', f'checksumName="{algorithm}"'), sealed=False)
    judged = judge(folder)
    assert judged.status("format.manifest.checksum") == "not_checked"
    assert words in judged.message("format.manifest.checksum")


# --- Masks of old products -------------------------------------------------------------------------------------------
FOOTPRINT = "GRANULE/*/QI_DATA/MSK_DETFOO_B02.gml"
RINGS = {
    "two points": "0 0 0 1 1 0",
    "three points": "500000 4700000 0 500100 4700000 0 500100 4699000 0",
    "far away": "1e300 1e300 0 -1e300 1e300 0 -1e300 -1e300 0 1e300 -1e300 0 1e300 1e300 0",
    "not finite": "nan nan 0 inf 0 0 0 0 0 nan nan 0",
    "no numbers": "north south east west up down",
    "too few numbers": "1 2 3 4 5 6 7",
    "crossing itself": "499980 4700040 0 500580 4699440 0 500580 4700040 0 499980 4699440 0 499980 4700040 0",
    "nothing": "",
    "many": " ".join(f"{499980 + n % 600} {4700040 - n % 571} 0" for n in range(20_000)),
}


@pytest.mark.parametrize("ring", RINGS)
def test_absurd_polygons_are_told_or_drawn(judge, made, tmp_path: Path, ring: str) -> None:
    folder = copy_of(made(unit="S2A", baseline="02.06"), tmp_path)
    edit(folder, FOOTPRINT, replace_text(r"(<gml:posList[^>]*>)[^<]*(</gml:posList>)", rf"\g<1>{RINGS[ring]}\g<2>"))
    judged = judge(folder)
    footprints = {i: check for i, check in judged.checks.items() if i.startswith("sensor.footprint")}
    assert {check["status"] for check in footprints.values()} & {"failed", "warning"}, footprints
    assert judged.peak_mb < MODEST_MB
