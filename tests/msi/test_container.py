"""Folders and zips: read alike, never unpacked, and refused with a reason when they cannot be trusted."""

from __future__ import annotations

import hashlib
import os
import random
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from mpc.msi.container import ContainerError, Limits, open_container

SAFE = "S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234.SAFE"
MEMBERS = {"MTD_MSIL1C.xml": b"<a/>", "GRANULE/L1C/MTD_TL.xml": b"<b/>" * 50, "GRANULE/L1C/IMG_DATA/B02.jp2": b"\1" * 9}


def write_zip(path: Path, members: dict[str, bytes], root: str = f"{SAFE}/") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(f"{root}{name}"), content, zipfile.ZIP_DEFLATED)
    return path


def write_folder(path: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def rename_in_place(path: Path, old: bytes, new: bytes) -> Path:
    """Give a member a name that zipfile itself would not write."""
    assert len(old) == len(new)
    content = path.read_bytes()
    assert content.count(old) >= 2
    path.write_bytes(content.replace(old, new))
    return path


@pytest.fixture(params=["folder", "zip"])
def product(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "folder":
        return write_folder(tmp_path / SAFE, MEMBERS)
    return write_zip(tmp_path / "p.zip", MEMBERS)


def test_members_are_told_relative_to_the_product(product: Path) -> None:
    with open_container(product) as container:
        assert container.kind == ("zip" if product.suffix == ".zip" else "folder")
        assert container.root == (SAFE if container.kind == "zip" else "")
        assert container.names() == tuple(sorted(MEMBERS))
        assert container.total_size() == sum(map(len, MEMBERS.values()))
        for name, content in MEMBERS.items():
            assert container.exists(name)
            assert container.size(name) == len(content)
            assert container.read(name) == content
            with container.open(name) as stream:
                assert stream.read(2) == content[:2]
        assert not container.exists("GRANULE")


def test_what_is_absent_or_too_large_is_said(product: Path) -> None:
    with open_container(product) as container:
        for action in (container.read, container.size, container.open, container.gdal_path):
            with pytest.raises(ContainerError, match="no member 'absent.xml'"):
                action("absent.xml")
        with pytest.raises(ContainerError, match="200 bytes, more than the 10 that may be read"):
            container.read("GRANULE/L1C/MTD_TL.xml", limit=10)


def test_gdal_paths(tmp_path: Path) -> None:
    with open_container(write_folder(tmp_path / SAFE, MEMBERS)) as folder:
        assert folder.gdal_path("MTD_MSIL1C.xml") == str(tmp_path / SAFE / "MTD_MSIL1C.xml")
    with open_container(write_zip(tmp_path / "p.bin", MEMBERS)) as archive:
        assert archive.gdal_path("MTD_MSIL1C.xml") == f"/vsizip/{{{tmp_path}/p.bin}}/{SAFE}/MTD_MSIL1C.xml"


def test_checksum_of_a_folder_tells_names_and_contents_apart(tmp_path: Path) -> None:
    sums = []
    for number, members in enumerate((MEMBERS, MEMBERS, MEMBERS | {"x": b""}, MEMBERS | {"MTD_MSIL1C.xml": b"<c/>"})):
        with open_container(write_folder(tmp_path / str(number), members)) as container:
            sums.append(container.checksum())
    assert sums[0] == sums[1]
    assert len(set(sums)) == 3
    assert all(text.startswith("sha256:") and len(text) == 71 for text in sums)


def test_checksum_of_a_zip_is_that_of_the_file_and_tells_progress(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", MEMBERS)
    seen: list[int] = []
    with open_container(path) as container:
        assert container.checksum(seen.append) == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert seen[-1] == path.stat().st_size


@pytest.mark.parametrize(
    ("root", "expected"),
    [(f"{SAFE}/", SAFE), ("", ""), ("a/b/", "a/b"), (f"out/{SAFE}/", f"out/{SAFE}")],
)
def test_root_of_a_zip(tmp_path: Path, root: str, expected: str) -> None:
    with open_container(write_zip(tmp_path / "p.zip", MEMBERS, root)) as container:
        assert container.root == expected
        assert container.names() == tuple(sorted(MEMBERS))


def test_parts_of_a_product_are_not_taken_for_its_root(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"GRANULE/L1C/MTD_TL.xml": b"x"}, "")
    with open_container(path) as container:
        assert (container.root, container.names()) == ("", ("GRANULE/L1C/MTD_TL.xml",))


def test_what_lies_beside_the_product_is_left_out(tmp_path: Path) -> None:
    members = {f"{SAFE}/{name}": content for name, content in MEMBERS.items()}
    path = write_zip(tmp_path / "p.zip", members | {"md5.txt": b"x", "__MACOSX/._a": b"x"}, "")
    with open_container(path) as container:
        assert container.root == SAFE
        assert container.names() == tuple(sorted(MEMBERS))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../evil.xml", r"climbs out of the archive by '\.\.'"),
        ("a/../../evil.xml", r"climbs out of the archive by '\.\.'"),
        ("/etc/evil.xml", "absolute name"),
        ("C:/evil.xml", "absolute name"),
        ("a//evil.xml", "empty part"),
        ("./evil.xml", "empty part or '.'"),
    ],
)
def test_names_that_leave_the_root_are_refused(tmp_path: Path, name: str, says: str) -> None:
    path = write_zip(tmp_path / "p.zip", MEMBERS | {name: b"x"}, "")
    with pytest.raises(ContainerError, match=says) as caught:
        open_container(path)
    assert name in str(caught.value)
    assert "p.zip" in str(caught.value)


@pytest.mark.parametrize(
    ("new", "says"), [(b"a\\b.xml", "backslash"), (b"a\0b.xml", "NUL"), (b"..\\.xml", "backslash")]
)
def test_names_with_backslash_or_nul_are_refused(tmp_path: Path, new: bytes, says: str) -> None:
    path = rename_in_place(write_zip(tmp_path / "p.zip", MEMBERS | {"aXb.xml": b"x"}, ""), b"aXb.xml", new)
    with pytest.raises(ContainerError, match=says):
        open_container(path)


def test_a_member_that_unpacks_a_thousandfold_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"MTD_MSIL1C.xml": b"<a/>", "bomb.xml": bytes(5_000_000)})
    with pytest.raises(ContainerError, match=r"bomb.xml' unpacks from \d+ to 5000000 bytes, more than 200 fold"):
        open_container(path)


def test_small_members_may_compress_by_any_ratio(tmp_path: Path) -> None:
    with open_container(write_zip(tmp_path / "p.zip", {"MSK_NODATA_B01.gml": b" " * 900_000})) as container:
        assert container.total_size() == 900_000


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_total_size_and_number_of_members_are_limited(tmp_path: Path, kind: str) -> None:
    members = {f"d/{number}": b"abcdefgh" for number in range(50)}
    path = write_zip(tmp_path / "p.zip", members) if kind == "zip" else write_folder(tmp_path / "p", members)
    with pytest.raises(ContainerError, match="more than 100 bytes"):
        open_container(path, Limits(max_total=100))
    with pytest.raises(ContainerError, match="more than 49"):
        open_container(path, Limits(max_members=49))
    with open_container(path, Limits(max_total=400, max_members=50)) as container:
        assert len(container.names()) == 50


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    """A quoted-overlap bomb points many entries of the directory at one member."""
    path = write_zip(tmp_path / "p.zip", {"a": random.Random(1).randbytes(50_000), "b": b"x"}, "")
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\5\6")
    directory = bytes(content[struct.unpack_from("<I", content, end + 16)[0] : end])
    entry = directory[: 46 + 1]
    clones = b"".join(entry[:46] + bytes([letter]) for letter in b"cdefghij")
    struct.pack_into("<HHI", content, end + 8, 10, 10, len(directory) + len(clones))
    content[end:end] = clones
    path.write_bytes(content)
    with pytest.raises(ContainerError, match=r"overlap|truncated"):
        open_container(path)


def test_duplicate_members_are_refused(tmp_path: Path) -> None:
    path = rename_in_place(write_zip(tmp_path / "p.zip", {"aa.xml": b"1", "bb.xml": b"2"}), b"bb.xml", b"aa.xml")
    with pytest.raises(ContainerError, match="twice"):
        open_container(path)


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"a.xml": b"1"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ContainerError, match="encrypted"):
        open_container(path)


@pytest.mark.parametrize(("mode", "says"), [(stat.S_IFLNK, "symbolic link"), (stat.S_IFIFO, "no ordinary file")])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, mode: int, says: str) -> None:
    path = tmp_path / "p.zip"
    info = zipfile.ZipInfo("p.SAFE/MTD_MSIL1C.xml")
    info.external_attr = (mode | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ContainerError, match=says):
        open_container(path)


def test_a_member_of_an_unreadable_method_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("p.SAFE/a.xml", b"abc" * 100)
    with pytest.raises(ContainerError, match="method 14"):
        open_container(path)


def test_every_truncation_of_a_zip_is_an_error_that_names_it(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "w.zip", {"a.bin": random.Random(2).randbytes(3000), "b.xml": b"x"}).read_bytes()
    path = tmp_path / "p.zip"
    for length in (0, 1, 2, 10, 500, len(whole) // 2, len(whole) - 60, len(whole) - 22, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ContainerError, match="p.zip") as caught:
            open_container(path)
        expected = "empty" if length == 0 else "begin like a zip" if length < 2 else "interrupted transfer"
        assert expected in str(caught.value)


def test_damaged_content_is_found_when_it_is_read(tmp_path: Path) -> None:
    members = {"a.bin": random.Random(3).randbytes(9000), "b.xml": b"<b/>"}
    path = write_zip(tmp_path / "p.zip", members)
    content = bytearray(path.read_bytes())
    content[4000] ^= 0xFF
    path.write_bytes(content)
    with open_container(path) as container:
        assert container.read("b.xml") == b"<b/>"
        with pytest.raises(ContainerError, match=r"a\.bin.* damaged"):
            container.read("a.bin")


def test_a_damaged_name_before_the_content_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"é.xml": b"<b/>", "b.xml": b"x"})
    content = bytearray(path.read_bytes())
    content[content.index("é".encode())] = 0xFF
    path.write_bytes(content)
    with open_container(path) as container, pytest.raises(ContainerError, match="cannot be opened"):
        container.read("é.xml")


def test_a_directory_that_lies_about_a_size_is_found(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"a.bin": b"0123456789" * 50})
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, 100)
    path.write_bytes(content)
    with open_container(path) as container, pytest.raises(ContainerError, match=r"a\.bin"):
        container.read("a.bin")


def test_noise_never_raises_anything_else(tmp_path: Path) -> None:
    """Flipped bytes anywhere either go unnoticed or give a ContainerError, never another exception."""
    whole = write_zip(tmp_path / "w.zip", {"d/a.bin": b"abc" * 100, "d/b.xml": b"<b/>"}).read_bytes()
    noise = random.Random(4)
    path = tmp_path / "p.zip"
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(3):
            content[noise.randrange(len(content))] = noise.randrange(256)
        path.write_bytes(content)
        try:
            with open_container(path) as container:
                for name in container.names():
                    container.read(name)
        except ContainerError:
            refused += 1
    assert refused > 50


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_text("hello, this is text")
    with pytest.raises(ContainerError, match="does not begin like a zip"):
        open_container(tmp_path / "p.zip")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match="does not exist"):
        open_container(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ContainerError, match="holds no file"):
        open_container(tmp_path / "empty")
    write_zip(tmp_path / "p.zip", {})
    with pytest.raises(ContainerError, match="without any file"):
        open_container(tmp_path / "p.zip")


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside", "/etc"])
def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").write_text("secret")
    folder = write_folder(tmp_path / "p", MEMBERS)
    (folder / "link").symlink_to(target)
    with pytest.raises(ContainerError, match=r"link is a symbolic link that leaves the product"):
        open_container(folder)


def test_a_link_within_the_folder_is_followed_once(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "p", MEMBERS)
    (folder / "again").symlink_to("MTD_MSIL1C.xml")
    (folder / "loop").symlink_to(".")
    with open_container(folder) as container:
        assert container.names() == tuple(sorted([*MEMBERS, "again"]))
        assert container.read("again") == b"<a/>"


def test_a_dead_link_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (write_folder(tmp_path / "p", MEMBERS) / "dead").symlink_to("nowhere")
    with pytest.raises(ContainerError, match="dead is a symbolic link that leads nowhere"):
        open_container(tmp_path / "p")
    os.mkfifo(write_folder(tmp_path / "q", MEMBERS) / "pipe")
    with pytest.raises(ContainerError, match="pipe is no ordinary file"):
        open_container(tmp_path / "q")


def test_a_zip_is_closed_at_the_end(tmp_path: Path) -> None:
    with open_container(write_zip(tmp_path / "p.zip", MEMBERS)) as container:
        stream = container.open("MTD_MSIL1C.xml")
        assert stream.read() == b"<a/>"
    with pytest.raises(ValueError, match="closed"):
        container.open("MTD_MSIL1C.xml")
