"""An archive that is not whole, not true or not harmless is refused, whatever is wrong with it."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from mpc.accounts.models import AuditEntry, Organisation
from mpc.housekeeping.backup import BackupError, BadArchive, Written, restore, tables, write_backup
from mpc.housekeeping.backup import format as form
from mpc.housekeeping.backup.reading import Archive
from tests.housekeeping import archives

pytestmark = pytest.mark.django_db(transaction=True)
LINES = "tables/accounts_organisation/000001.jsonl"


@pytest.fixture
def folders(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Own folders; hands back where archives may lie. Nobody else writes here, so any connection will do to look."""
    monkeypatch.setattr(tables, "snapshot", lambda: contextlib.nullcontext(connection))
    data = tmp_path / "data"
    data.mkdir()
    settings.MPC_DATA_DIR, settings.MPC_RUNS_DIR, settings.MPC_UPLOADS_DIR = data, data / "runs", data / "uploads"
    return tmp_path


@pytest.fixture
def good(folders: Path, settings: Any) -> Path:
    """A small backup: two organisations and two uploads."""
    for number in (1, 2):
        Organisation.objects.create(name=f"Laboratory {number}", short_name=f"L{number}")
        place = settings.MPC_UPLOADS_DIR / f"u{number}" / "product.zip"
        place.parent.mkdir(parents=True)
        place.write_bytes(bytes([number]) * 70_000)
    write_backup(folders / "good.tar.gz")
    Organisation.objects.all().delete()
    return folders / "good.tar.gz"


def read(path: Path) -> list[str]:
    """Read all of an archive; the names of its files."""
    archive, found = Archive(path), []
    for member in archive.members():
        if isinstance(member.what, form.StoredFile):
            found.append(member.what.path)
        else:
            for _ in member.rows():
                archive.count_row(member.what.table)
    return found


def test_the_remade_archive_is_as_good_as_the_first(good: Path) -> None:
    """What the other tests spoil is right before they do."""
    again = archives.write(good.with_name("again.tar.gz"), archives.members_of(good))
    assert read(good) == read(again) == ["u1/product.zip", "u2/product.zip"]
    restore(again)
    assert sorted(Organisation.objects.values_list("name", flat=True)) == ["Laboratory 1", "Laboratory 2"]
    assert AuditEntry.objects.get(action="site.restore").after["files"] == 2


def test_a_cut_archive_is_refused_wherever_it_is_cut(good: Path) -> None:
    data = good.read_bytes()
    cut = good.with_name("cut.tar.gz")
    for length in [0, 1, 9, 10, 40, *range(100, len(data), len(data) // 40), len(data) - 8, len(data) - 1]:
        cut.write_bytes(data[:length])
        with pytest.raises(BadArchive):
            read(cut)


def test_a_flipped_bit_is_found_or_changes_nothing(good: Path) -> None:
    """Some bits of a gzip have no say in what comes out: those of its header, those of codes that nobody uses."""
    data, flipped = good.read_bytes(), good.with_name("flipped.tar.gz")
    chosen = random.Random(7)
    kept = 0
    for position in sorted(chosen.sample(range(len(data)), 150) + list(range(12))):
        bad = bytearray(data)
        bad[position] ^= 1 << chosen.randrange(8)
        flipped.write_bytes(bad)
        try:
            assert read(flipped) == ["u1/product.zip", "u2/product.zip"]
        except BackupError:
            continue
        assert gzip.decompress(bad) == gzip.decompress(data)
        kept += 1
    assert kept < 100


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/etc/evil", "evil", "files/uploads/../../evil", "files/uploads//evil", "files/uploads/./evil",
        "files/other/evil", "files/uploads/..", "files/runs/a\\..\\evil", "tables/../x/000001.jsonl",
        "tables/accounts_organisation/1.jsonl", "index/../000001.jsonl", "about.json/x",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(good: Path, folders: Path, name: str) -> None:
    members = archives.members_of(good)
    bad = archives.write(folders / "bad.tar.gz", [*members[:-1], (name, b"evil"), members[-1]])
    before = sorted(folders.rglob("*"))
    with pytest.raises(BadArchive, match="which no backup has"):
        restore(bad)
    assert sorted(folders.rglob("*")) == before
    assert not Organisation.objects.exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_only_plain_files_are_taken(good: Path, folders: Path, kind: bytes) -> None:
    def spoil(entry: tarfile.TarInfo) -> None:
        if entry.name.startswith("files/uploads/u2"):
            entry.type, entry.linkname, entry.size = kind, "/etc/passwd", 0

    bad = archives.write(folders / "bad.tar.gz", archives.members_of(good), change=spoil)
    with pytest.raises(BadArchive, match="no plain file"):
        restore(bad)


def replaced(members: archives.Members, name: str, content: bytes) -> archives.Members:
    return [(n, content if n == name else c) for n, c in members]


def row(members: archives.Members, **changes: Any) -> bytes:
    """The organisations, the first of them with other values; "other" stands for those of the second."""
    about = json.loads(dict(members)["about.json"])
    columns = next(t["columns"] for t in about["tables"] if t["name"] == "accounts_organisation")
    rows = [json.loads(line) for line in dict(members)[LINES].splitlines()]
    for name, value in changes.items():
        at = columns.index(name)
        rows[0][at] = rows[1][at] if value == "other" else value
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


GRANT = b'[1, 4711, "viewer", null, "2026-01-01T00:00:00+00:00"]\n'
SPOILT: dict[str, tuple[Callable[[archives.Members], archives.Members], str]] = {
    "a row too short": (lambda m: replaced(m, LINES, b"[1, 2]\n"), "does not fit its columns"),
    "a row that is no list": (lambda m: replaced(m, LINES, b'{"id": 1}\n'), "no list"),
    "a row that is no JSON": (lambda m: replaced(m, LINES, b"[1, 2\n"), "no JSON"),
    "a value of another kind": (lambda m: replaced(m, LINES, row(m, active="perhaps")), "a value that does not fit"),
    "the same key twice": (lambda m: replaced(m, LINES, row(m, id="other")), "does not take the backup"),
    "a reference to nothing": (
        lambda m: [m[0], ("tables/accounts_rolegrant/000001.jsonl", GRANT), *m[1:]], "do not fit together",
    ),
    "an unknown table": (lambda m: [m[0], ("tables/evil/000001.jsonl", b"[1]\n"), *m[1:]], "does not fit its columns"),
    "a part too many": (
        lambda m: [*m[:2], (LINES.replace("1.", "3."), b"[1]\n"), *m[2:]], "missing or in disorder|not as many",
    ),
    "a file twice": (lambda m: [*m[:-1], m[-2], m[-1]], "twice"),
    "another form": (lambda m: replaced(m, "about.json", b'{"format": 2}'), "does not know"),
    "nonsense about itself": (lambda m: replaced(m, "about.json", b'{"format": 1}'), "makes no sense"),
    "nothing about itself": (lambda m: m[1:], "does not begin|holds nothing"),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_wrong_inside_is_said_and_nothing_changes(good: Path, folders: Path, what: str) -> None:
    spoil, words = SPOILT[what]
    members = archives.members_of(good)
    bad = archives.write(folders / "bad.tar.gz", spoil(members))
    Organisation.objects.create(name="Before", short_name="B")
    before = sorted(folders.rglob("*"))
    with pytest.raises(BackupError, match=words):
        restore(bad, replace=True)
    assert Organisation.objects.get().name == "Before"
    assert sorted(folders.rglob("*")) == before


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda m: m[:-1], "its end is missing"),
        (lambda m: [*m, m[1]], "goes on after its end"),
        (lambda m: [x for x in m if not x[0].startswith("index/")], "not those of its manifest"),
        (lambda m: [x for x in m if x[0] != LINES], "not what its checksum says"),
        (lambda m: replaced(m, "files/uploads/u1/product.zip", b"other"), "not what its checksum says"),
        (lambda m: replaced(m, "manifest.json", b"{}"), "makes no sense"),
    ],
)
def test_index_and_manifest_must_tell_the_truth(good: Path, folders: Path, spoil: Any, words: str) -> None:
    with tarfile.open(good) as archive:
        exact = [(entry.name, archive.extractfile(entry).read()) for entry in archive]
    bad = archives.pack(folders / "bad.tar.gz", spoil(exact))
    with pytest.raises(BadArchive, match=words):
        read(bad)


def test_many_members_have_many_indexes(folders: Path, settings: Any) -> None:
    for number in range(form.INDEX_EVERY + 5):
        place = settings.MPC_UPLOADS_DIR / f"{number}" / "f.zip"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"x" * (number % 7))
    written: Written = write_backup(folders / "many.tar.gz")
    with tarfile.open(folders / "many.tar.gz") as archive:
        names = archive.getnames()
    assert [name for name in names if name.startswith("index/")] == ["index/000001.jsonl", "index/000002.jsonl"]
    assert written.files == len(read(folders / "many.tar.gz")) == form.INDEX_EVERY + 5


def test_what_is_still_coming_in_and_what_leads_out_is_not_backed_up(folders: Path, settings: Any) -> None:
    uploads = settings.MPC_UPLOADS_DIR
    (uploads / "u").mkdir(parents=True)
    (uploads / "u" / ".incoming").write_bytes(b"half")
    (uploads / "u" / "whole.zip").write_bytes(b"whole")
    (uploads / "link.zip").symlink_to("/etc/passwd")
    write_backup(folders / "b.tar.gz")
    assert read(folders / "b.tar.gz") == ["u/whole.zip"]


def test_a_full_disk_ends_the_backup_and_leaves_nothing(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BackupError, match="No space left on device"):
        write_backup(folders / "b.tar.gz")
    assert [path.name for path in folders.iterdir()] == ["data"]
