"""Makes and remakes archives, so that one thing is wrong with them and nothing else."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

Members = list[tuple[str, bytes]]


def members_of(path: Path) -> Members:
    """Name and content of all members but the indexes and the manifest, which ``write`` makes anew."""
    with tarfile.open(path) as archive:
        found = [(entry.name, archive.extractfile(entry).read()) for entry in archive]
    return [(name, content) for name, content in found if not name.startswith("index/")]


def write(path: Path, members: Members, *, change: Callable[[tarfile.TarInfo], None] = lambda entry: None) -> Path:
    """An archive of these members with a right index, and the manifest changed to fit them.

    ``change`` may spoil the header of a member.
    """
    kept = [(name, content) for name, content in members if name != "manifest.json"]
    manifest = json.loads(dict(members)["manifest.json"])
    lines = [
        json.dumps({"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()})
        for name, content in kept
    ]
    index = "".join(f"{line}\n" for line in lines).encode()
    manifest["members"] = len(kept)
    manifest["indexes"] = {"index/000001.jsonl": hashlib.sha256(index).hexdigest()}
    for room in ("uploads", "runs"):
        own = [content for name, content in kept if name.startswith(f"files/{room}/")]
        manifest["files"][room], manifest["bytes"][room] = len(own), sum(map(len, own))
    for table in manifest["rows"]:
        parts = [content for name, content in kept if name.startswith(f"tables/{table}/")]
        manifest["rows"][table] = sum(part.count(b"\n") for part in parts)
    return pack(path, [*kept, ("index/000001.jsonl", index), ("manifest.json", json.dumps(manifest).encode())], change)


def pack(path: Path, members: Members, change: Callable[[tarfile.TarInfo], None] = lambda entry: None) -> Path:
    """An archive of exactly these members."""
    with gzip.open(path, "wb") as zipped, tarfile.open(fileobj=zipped, mode="w|") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            change(entry)
            archive.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    return path
