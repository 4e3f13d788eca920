"""Reading a backup from its first byte to its last, believing nothing that was not compared with its checksum."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mpc.housekeeping.backup import format as form
from mpc.housekeeping.backup.format import About, BackupError, BadArchive, Manifest, Other, StoredFile, TablePart

_CHUNK = 1 << 20
# What the readers of gzip and tar raise on a file that is cut short or changed.
_DAMAGED = (gzip.BadGzipFile, zlib.error, tarfile.TarError, EOFError, UnicodeDecodeError)


@dataclass(frozen=True)
class Member:
    """A part of a table or a file, with its content to be read now or never."""

    what: TablePart | StoredFile
    size: int
    content: IO[bytes]

    def rows(self) -> Iterator[list[Any]]:
        """The rows of a part of a table. Raises BadArchive."""
        lines = io.BufferedReader(self.content, _CHUNK)
        while line := lines.readline(form.LINE_BYTES_MAX):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise BadArchive(f"A row of {self.what} is no JSON: {error}") from error
            if not isinstance(row, list):
                raise BadArchive(f"A row of {self.what} is no list of values.")
            yield row


class Archive:
    """A backup that is read once through. After ``members()`` has ended without an error it is known to be whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending: list[dict[str, Any]] = []
        self._indexes: dict[str, str] = {}
        self._members = 0
        self._rows: Counter[str] = Counter()
        self._parts: Counter[str] = Counter()
        self._files: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self.about: About | None = None
        self.manifest: Manifest | None = None

    def read_about(self) -> About:
        """The first member alone. Raises BadArchive, and BackupError when the file cannot be read."""
        for _ in self.members():
            break
        if self.about is None:
            raise BadArchive(f"{self._path} holds nothing.")
        return self.about

    def members(self) -> Iterator[Member]:
        """Each part of a table and each file, in the order of the archive; compares all checksums and counts.

        Raises BadArchive, where the damage begins or at the end, and BackupError when the file cannot be read.
        """
        try:
            with gzip.open(self._path, "rb") as unzipped:
                with tarfile.open(fileobj=unzipped, mode="r|", tarinfo=_PlainMember) as tar:
                    yield from self._read(tar)
                while unzipped.read(_CHUNK):  # to the end, where the checksum of the whole stands
                    pass
        except _DAMAGED as error:
            raise BadArchive(f"The archive is damaged or cut short ({error}).") from error
        except OSError as error:
            raise BackupError(f"{self._path} cannot be read: {error}") from error
        self._judge()

    def _read(self, tar: tarfile.TarFile) -> Iterator[Member]:
        while (entry := tar.next()) is not None:
            tar.members.clear()  # tarfile would remember every member for ever
            if self.manifest is not None:
                raise BadArchive(f"The archive goes on after its end with “{entry.name[:200]}”.")
            if not entry.isreg() or entry.issparse():
                raise BadArchive(f"“{entry.name[:200]}” of the archive is no plain file.")
            what = form.what_is(entry.name)
            content = _Hashed(tar.extractfile(entry))
            if isinstance(what, Other):
                self._take_other(entry, content)
                continue
            if self.about is None:
                raise BadArchive(f"The archive does not begin with {form.ABOUT}.")
            self._expect(what)
            yield Member(what, entry.size, content)
            self._finish(entry, content)

    def _take_other(self, entry: tarfile.TarInfo, content: _Hashed) -> None:
        if entry.size > form.LINE_BYTES_MAX:
            raise BadArchive(f"{entry.name} of the archive is larger than makes sense.")
        text = content.read()
        if entry.name == form.ABOUT:
            if self.about is not None:
                raise BadArchive(f"The archive holds two {form.ABOUT}.")
            self.about = About.from_bytes(text)
            self._finish(entry, content)
        elif entry.name == form.MANIFEST:
            self.manifest = Manifest.from_bytes(text)
        else:
            self._compare(text)
            self._indexes[entry.name] = content.hexdigest()

    def _expect(self, what: TablePart | StoredFile) -> None:
        if isinstance(what, StoredFile):
            self._files[what.room] += 1
            return
        self._parts[what.table] += 1
        if what.number != self._parts[what.table]:
            raise BadArchive(f"Parts of the table {what.table} are missing or in disorder.")

    def count_row(self, table: str) -> None:
        """Whoever reads the rows counts them here, to be compared with the manifest."""
        self._rows[table] += 1

    def _finish(self, entry: tarfile.TarInfo, content: _Hashed) -> None:
        while content.read(_CHUNK):  # what the reader left
            pass
        self._members += 1
        kind, _, rest = entry.name.partition("/")
        if kind == "files":
            self._bytes[rest.partition("/")[0]] += entry.size
        self._pending.append({"name": entry.name, "size": entry.size, "sha256": content.hexdigest()})
        if len(self._pending) > form.INDEX_EVERY:
            raise BadArchive("An index of the archive is missing.")

    def _compare(self, index: bytes) -> None:
        try:
            said = [json.loads(line) for line in index.splitlines()]
        except ValueError as error:
            raise BadArchive(f"An index of the archive is no JSON: {error}") from error
        if said != self._pending:
            wrong = next((f["name"] for f, s in zip(self._pending, said, strict=False) if f != s), "")
            raise BadArchive(f"The content of “{wrong or 'the archive'}” is not what its checksum says.")
        self._pending = []

    def _judge(self) -> None:
        said = self.manifest
        if said is None or self.about is None:
            raise BadArchive(f"{self._path} is cut short: its end is missing.")
        if self._pending or said.indexes != self._indexes or said.members != self._members:
            raise BadArchive("The archive's members are not those of its manifest.")
        for room in form.ROOMS:
            if (said.files.get(room, 0), said.bytes.get(room, 0)) != (self._files[room], self._bytes[room]):
                raise BadArchive(f"The archive's {room} are not those of its manifest.")
        wrong = [table for table, count in said.rows.items() if self._rows[table] != count]
        if wrong or set(self._parts) - set(said.rows):
            raise BadArchive(f"The rows of {', '.join(wrong) or 'a table'} are not as many as the manifest says.")


class _PlainMember(tarfile.TarInfo):
    """A header whose size is not negative: such a one would lead the reader backwards, and round for ever."""

    def _block(self, count: int) -> int:
        if count < 0:
            raise tarfile.ReadError("a member has a negative size")
        return super()._block(count)


class _Hashed(io.RawIOBase):
    """A member's content that is hashed as it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._source.read(len(buffer))
        except _DAMAGED as error:
            raise BadArchive(f"The archive is damaged or cut short ({error}).") from error
        buffer[: len(piece)] = piece
        self._digest.update(piece)
        return len(piece)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
