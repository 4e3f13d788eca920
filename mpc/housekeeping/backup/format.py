"""What a backup looks like: names of its members, what its first and last member say, and how a value is written."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any

from django.db import models

FORMAT = 1
ABOUT, MANIFEST = "about.json", "manifest.json"
PART_BYTES = 4 * 1024 * 1024
INDEX_EVERY = 1000
# No member that is read as a whole, and no row, is larger than this.
LINE_BYTES_MAX = 256 * 1024 * 1024
ROOMS = ("uploads", "runs", "measurements")

_TABLE_PART = re.compile(r"^tables/([a-z0-9_]+)/(\d{6,})\.jsonl$")
_FILE = re.compile(r"^files/(uploads|runs|measurements)/(.+)$", re.DOTALL)
_INDEX = re.compile(r"^index/\d{6,}\.jsonl$")


class BackupError(Exception):
    """The backup could not be written, or not be restored here; the text says why and what to do."""


class BadArchive(BackupError):
    """The file is no whole backup: cut short, changed, or made to do harm. Nothing was restored from it."""


@dataclass(frozen=True)
class Table:
    """One table and its columns, in the order in which the rows hold them."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class About:
    """The first member. ``migrations`` are the applied ones as (app, name)."""

    made: str
    software_version: str
    git_commit: str
    database: str
    uploads: str
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]

    def as_bytes(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> About:
        """Raises BadArchive."""
        try:
            found = json.loads(text)
            if found.pop("format") != FORMAT:
                raise BadArchive("The backup was written in a form that this version of the software does not know.")
            tables = tuple(Table(t["name"], tuple(t["columns"])) for t in found.pop("tables"))
            migrations = tuple((app, name) for app, name in found.pop("migrations"))
            return cls(tables=tables, migrations=migrations, **found)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArchive(f"{ABOUT} of the archive makes no sense: {error}") from error


@dataclass(frozen=True)
class Manifest:
    """The last member. ``last_ids`` are the highest identifiers that tables ever gave, so that none comes twice."""

    rows: dict[str, int]
    last_ids: dict[str, int]
    files: dict[str, int]
    bytes: dict[str, int]
    missing: int
    members: int
    indexes: dict[str, str]

    def as_bytes(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> Manifest:
        """Raises BadArchive."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise BadArchive(f"{MANIFEST} of the archive makes no sense: {error}") from error


# --- Names -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class TablePart:
    table: str
    number: int


@dataclass(frozen=True)
class StoredFile:
    room: str
    path: str


@dataclass(frozen=True)
class Other:
    """``about.json``, ``manifest.json`` or an index."""

    name: str


def part_name(table: str, number: int) -> str:
    return f"tables/{table}/{number:06d}.jsonl"


def file_name(room: str, path: str) -> str:
    return f"files/{room}/{path}"


def index_name(number: int) -> str:
    return f"index/{number:06d}.jsonl"


def what_is(name: str) -> TablePart | StoredFile | Other:
    """What a member of this name holds. Raises BadArchive for a name that no backup has or that leads elsewhere."""
    if name in (ABOUT, MANIFEST) or _INDEX.match(name):
        return Other(name)
    if part := _TABLE_PART.match(name):
        return TablePart(part[1], int(part[2]))
    if stored := _FILE.match(name):
        path = stored[2]
        if all(piece not in ("", ".", "..") for piece in path.split("/")) and "\0" not in path and "\\" not in path:
            return StoredFile(stored[1], path)
    raise BadArchive(f"The archive holds “{name[:200]}”, which no backup has.")


# --- Values ----------------------------------------------------------------------------------------------------------
def encode(value: Any) -> Any:
    """A value of a column as JSON can hold it; the reverse is ``decode`` with the column's field."""
    if value is None or isinstance(value, (str, bool, int, float, dict, list)):
        return value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    return str(value)  # decimals, durations, UUIDs, time zones: their fields read them from text


def decode(value: Any, field: models.Field) -> Any:
    """What ``encode`` made of a value of this field. Raises ValidationError or ValueError for what cannot be one."""
    if value is None or isinstance(field, models.JSONField):
        return value
    return field.to_python(value)
