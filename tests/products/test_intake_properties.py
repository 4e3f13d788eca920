"""Properties of the intake over generated cases: names, sizes, pieces, bytes as an archive, text as metadata."""

# A case that may end in several ways is judged in each of them.
# ruff: noqa: PT017

from __future__ import annotations

import io
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpc.accounts.actors import local_actor
from mpc.msi.describe import Description, Refused, describe_product
from mpc.products import resumable, services, uploads
from mpc.products.models import Intake, Product, Upload
from mpc.runs.models import Run
from processors.simulator.products import ProductSpec, write_product

pytestmark = pytest.mark.django_db


def cases(count: int) -> settings:
    # Each case undoes what it did; the folder of the test is shared by its cases.
    return settings(
        max_examples=count, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MPC_DATA_DIR = tmp_path
    settings.MPC_RUNS_DIR = tmp_path / "runs"
    settings.MPC_UPLOADS_DIR = tmp_path / "uploads"
    settings.MPC_MIN_FREE_MB = 0
    return tmp_path


def forget_all(folder: Path) -> None:
    shutil.rmtree(folder / "uploads", ignore_errors=True)
    for model in (Upload, Intake, Run):
        model.objects.all().delete()


def kept(folder: Path) -> list[Path]:
    return [path for path in (folder / "uploads").rglob("*") if path.is_file()]


def archive_of(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x", content)
    return buffer.getvalue()


# --- Names and sizes -------------------------------------------------------------------------------------------------
NAMES = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="ab.-_/\\ \n\x00é", max_size=12).map(lambda stem: f"{stem}.zip"),
    st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.\-]{0,30}\.(zip|ZIP)\Z"),
)
ZIP = archive_of(b"note")


@given(name=NAMES)
@cases(60)
def test_any_name_is_refused_with_a_reason_or_names_a_file_in_its_own_folder(folder: Path, name: str) -> None:
    try:
        run = uploads.receive(SimpleUploadedFile(name or "x", ZIP), actor=local_actor())
    except uploads.UploadRefused as refusal:
        assert Intake.objects.get().message == services.as_text(str(refusal))
        assert kept(folder) == []
    else:
        (path,) = kept(folder)
        assert path.parent.parent == folder / "uploads"
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]*\.zip", path.name, re.IGNORECASE)
        assert (run.params["path"], path.read_bytes()) == (str(path), ZIP)
    finally:
        forget_all(folder)


@given(name=NAMES, size=st.integers(-(1 << 40), 1 << 62), sha256=st.one_of(st.just(""), st.text(max_size=70)))
@cases(60)
def test_anything_announced_is_refused_with_a_reason_or_begun(folder: Path, name: str, size: int, sha256: str) -> None:
    try:
        upload = resumable.create(actor=local_actor(), name=name, size=size, sha256=sha256)
    except uploads.UploadRefused as refusal:
        assert Intake.objects.get().message == services.as_text(str(refusal))
    else:
        assert 0 < upload.size <= 4096 << 20
        assert resumable.folder_of(upload).parent == folder / "uploads"
        assert Path(upload.name).name == upload.name
    finally:
        assert kept(folder) == []
        forget_all(folder)


# --- Pieces ----------------------------------------------------------------------------------------------------------
@st.composite
def deliveries(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, int, int]]]:
    """A file, and attempts to send it: (how far beside the right offset, announced bytes, bytes that really come)."""
    content = archive_of(draw(st.binary(max_size=300)))
    attempts = []
    for _ in range(draw(st.integers(1, 12))):
        shift = draw(st.sampled_from([0, 0, 0, 0, -1, 1, -50, 1000]))
        length = draw(st.integers(0, 200))
        attempts.append((shift, length, draw(st.one_of(st.just(length), st.integers(0, length)))))
    return content, attempts


@given(deliveries())
@cases(80)
def test_any_split_with_repeats_and_wrong_offsets_ends_in_the_same_file(folder: Path, sent: Any) -> None:
    content, attempts = sent
    actor = local_actor()
    upload = resumable.create(actor=actor, name="a.zip", size=len(content))
    here = 0  # what the sender was told
    try:
        for shift, length, comes in attempts:
            offset = max(0, here + shift)
            piece = io.BytesIO(content[offset : offset + min(length, comes)])
            expected = min(length, comes, max(0, len(content) - offset))
            try:
                after = resumable.append(upload, piece, actor=actor, offset=offset, length=length)
                assert offset == here
                assert after.received == here + length
                here = after.received
            except resumable.WrongOffset as wrong:
                assert offset != here
                assert wrong.offset == here
            except resumable.TooLong:
                assert offset + length > len(content)
            except resumable.CutShort as cut:
                assert expected < length
                here += expected
                assert cut.offset == here
            except resumable.NotOpen:
                assert here == len(content)
        if here < len(content):
            rest = content[here:]
            resumable.append(upload, io.BytesIO(rest), actor=actor, offset=here, length=len(rest))
        (path,) = kept(folder)
        assert path.read_bytes() == content
        assert (Upload.objects.get().state, Run.objects.count()) == ("complete", 1)
    finally:
        forget_all(folder)


# --- Bytes as an archive ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny product as a folder. Each case puts back what it changed."""
    return write_product(ProductSpec(size_10m=60), tmp_path_factory.mktemp("made")).path


@pytest.fixture(scope="module")
def small_zip(product: Path) -> bytes:
    """The parts of it that an archive needs to be read at all, without images."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in product.rglob("*.xml") if "QI_DATA" not in p.parts):
            archive.write(path, f"{product.name}/{path.relative_to(product)}")
    return buffer.getvalue()


def taken_or_refused(path: Path) -> None:
    """Whatever lies there: one arrival that says what came of it, at most one product, nothing else."""
    taken = services.take_in(str(path), actor=local_actor())
    try:
        assert Intake.objects.count() == 1
        if taken.product is None:
            assert taken.result == Intake.Result.REFUSED
            assert taken.intake.message.strip()
            assert Product.objects.count() == 0
        else:
            assert taken.result == Intake.Result.TAKEN
            assert Product.objects.get().name == taken.product.name
            assert Run.objects.filter(product=taken.product, kind="qc.product").count() <= 1
    finally:
        Intake.objects.all().delete()
        Run.objects.all().delete()
        Product.objects.all().delete()


@given(content=st.one_of(st.binary(max_size=400), st.binary(max_size=200).map(lambda b: b"PK\x05\x06" + b)))
@cases(60)
def test_any_bytes_called_a_zip_are_refused_with_a_reason(folder: Path, content: bytes) -> None:
    path = folder / "x.zip"
    path.write_bytes(content)
    with pytest.raises(Refused, match=r"\S"):
        describe_product(str(path))
    taken_or_refused(path)


@given(data=st.data())
@cases(60)
def test_an_archive_with_wrong_bytes_is_taken_or_refused(folder: Path, small_zip: bytes, data: st.DataObject) -> None:
    """Bytes of the directory at its end, of the headers and of the content, changed, cut out and put in."""
    content = bytearray(small_zip)
    for _ in range(data.draw(st.integers(1, 4))):
        near_end = data.draw(st.booleans())
        begin = max(0, len(content) - 600) if near_end else 0
        at = data.draw(st.integers(begin, len(content) - 1))
        how = data.draw(st.sampled_from(["change", "cut", "put"]))
        wrong = data.draw(st.binary(min_size=1, max_size=6))
        content[at : at + (0 if how == "put" else len(wrong))] = b"" if how == "cut" else wrong
    path = folder / "x.zip"
    path.write_bytes(bytes(content))
    taken_or_refused(path)


# --- Text as metadata ------------------------------------------------------------------------------------------------
METADATA = ("MTD_MSIL1C.xml", "manifest.safe", "GRANULE/*/MTD_TL.xml", "DATASTRIP/*/MTD_DS.xml")
ELEMENTS = st.recursive(
    st.sampled_from(["", "x", "1e999", "-1", "NaN", "2026-99-99T99:99:99Z", "&amp;", "&nothing;", "<", "\ufffe", "٣"]),
    lambda inner: st.builds(
        lambda tag, children: f"<{tag}>{''.join(children)}</{tag}>",
        st.sampled_from(
            ["n1:General_Info", "Product_Info", "PRODUCT_URI", "Tile_Geocoding", "Size", "Datatake", "TILE_ID", "a"]
        ),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@given(data=st.data())
@cases(60)
def test_any_text_as_metadata_is_described_or_refused(product: Path, data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(METADATA))
    (path,) = product.glob(pattern)
    whole = path.read_bytes()
    how = data.draw(st.sampled_from(["bytes", "elements", "text of an element"]))
    if how == "bytes":
        changed = data.draw(st.binary(max_size=200))
    elif how == "elements":
        changed = f'<?xml version="1.0"?><n1:x xmlns:n1="y">{data.draw(ELEMENTS)}</n1:x>'.encode()
    else:
        texts = list(re.finditer(rb">([^<>\s][^<>]*)<", whole))
        found = texts[data.draw(st.integers(0, len(texts) - 1))]
        text = data.draw(st.one_of(ELEMENTS, st.text(max_size=30), st.from_regex(r"\A-?\d{1,40}(\.\d{1,30})?\Z")))
        changed = whole[: found.start(1)] + text.encode("utf-8", "surrogatepass") + whole[found.end(1) :]
    path.write_bytes(changed)
    try:
        described = describe_product(str(product))
    except Refused as refusal:
        assert str(refusal).strip()
    else:
        assert isinstance(described, Description)
        taken_or_refused(product)
    finally:
        path.write_bytes(whole)
