"""The manifest of a product and the digests that it lists."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mpc.msi.container import CHUNK, Container
from mpc.msi.xmlio import XmlProblem, local_name, parse_xml

if TYPE_CHECKING:
    from mpc.msi.safe import SafeProduct

ALGORITHMS = {
    "MD5": "md5",
    "SHA3-256": "sha3_256",
    "SHA256": "sha256",
    "SHA-256": "sha256",
    "SHA1": "sha1",
    "SHA-1": "sha1",
}
"""Names of digests in manifests, and what :mod:`hashlib` calls them."""

MAX_MANIFEST_BYTES = 16 << 20
"""Largest manifest: some 700 bytes a file, and a container has at most 20 000."""


@dataclass(frozen=True)
class ManifestEntry:
    """One file of the manifest.

    ``path`` is relative to the product's root; ``size`` in bytes; ``checksum_name`` as written ("MD5" up to about
    baseline 03.00 and in L2A by Sen2Cor, "SHA3-256" since); ``checksum`` in lower case. None where nothing is said.
    """

    path: str
    size: int | None
    checksum_name: str | None
    checksum: str | None


def read_manifest(safe: SafeProduct) -> tuple[ManifestEntry, ...]:
    """All files that ``manifest.safe`` lists, in its order; () when the product has no manifest.

    Source: SAFE control book, ``dataObjectSection/dataObject/byteStream``.

    Raises:
        XmlProblem: the manifest is no XML, or no manifest.
        ContainerError: it cannot be read.
    """
    if safe.manifest_path is None:
        return ()
    with safe.container.open(safe.manifest_path) as stream:
        root = parse_xml(stream, what=safe.manifest_path, limit=MAX_MANIFEST_BYTES)
    if local_name(root) != "XFDU":
        raise XmlProblem("malformed", f"{safe.manifest_path} is no manifest: its root is {local_name(root)}, not XFDU")
    return tuple(entry for element in root.iter("{*}byteStream") if (entry := _entry(element)))


def hash_member(container: Container, name: str, algorithm: str, chunk: int = CHUNK) -> str:
    """Digest of a member in hexadecimal, read as a stream.

    ``algorithm`` is a manifest's name ("MD5", "SHA3-256") or one of :mod:`hashlib`.

    Raises:
        ValueError: the algorithm is not known.
        ContainerError: the member is absent or damaged.
    """
    known = ALGORITHMS.get(algorithm.upper(), algorithm.lower())
    if known not in hashlib.algorithms_available:
        raise ValueError(f"digest {algorithm!r} is not known; manifests use {', '.join(ALGORITHMS)}")
    digest = hashlib.new(known, usedforsecurity=False)
    if not digest.digest_size:
        raise ValueError(f"digest {algorithm!r} has no length of its own; manifests use {', '.join(ALGORITHMS)}")
    with container.open(name) as stream:
        while block := stream.read(chunk):
            digest.update(block)
    return digest.hexdigest()


def _entry(element: Any) -> ManifestEntry | None:
    location = element.find("{*}fileLocation")
    href = (location.get("href") or "").strip() if location is not None else ""
    if not href:
        return None
    checksum = element.find("{*}checksum")
    size = (element.get("size") or "").strip()
    return ManifestEntry(
        path=href.removeprefix("./"),
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 19 else None,
        checksum_name=checksum.get("checksumName") if checksum is not None else None,
        checksum=(checksum.text or "").strip().lower() or None if checksum is not None else None,
    )
