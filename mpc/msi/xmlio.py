"""XML from outside, read without trusting it.

Metadata, manifests, masks and reports come with products that anybody may hand in. Nothing in this project parses
XML other than through :func:`parse_xml`:

* a DOCTYPE is refused wherever it stands in the prolog, so that no entity can be declared, expanded or fetched;
* nothing is ever loaded from a network or another file (no DTD, no XInclude, no schema hints);
* the size is limited before the parser sees a byte, the number of elements before a tree is built, and libxml2's own
  limits (depth 256, 10 MB a text) stay on. A datastrip of 13 MB with 200 000 elements is well inside all of them.
"""

from __future__ import annotations

import re
from typing import IO, Any

from lxml import etree

MEBIBYTE = 1 << 20
MAX_BYTES = 64 * MEBIBYTE
"""Largest document; real datastrip metadata reach 13 MB."""

MAX_TAGS = 4_000_000
"""Most ``<`` in a document (two for an element): some 600 MB of memory at worst. Real metadata stay below 400 000."""

MAX_ATTRIBUTES = 2_000_000
"""Most ``=`` in a document, which bounds its attributes. Real metadata stay below 40 000."""

MAX_DEPTH = 256
"""Deepest nesting: the limit of libxml2 as long as ``huge_tree`` is off. Real metadata stay below 15."""

_CHUNK = MEBIBYTE

_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf8": "UTF-8",
    "us-ascii": "US-ASCII",
    "ascii": "US-ASCII",
    "iso-8859-1": "ISO-8859-1",
    "latin-1": "ISO-8859-1",
    "latin1": "ISO-8859-1",
    "iso-8859-15": "ISO-8859-15",
    "windows-1252": "windows-1252",
}
"""What a declaration may name, besides UTF-16: encodings in which ``<!DOCTYPE`` has the bytes of ASCII."""

_DECLARATION = re.compile(rb"<\?xml\s[^>]*?\bencoding\s*=\s*(?:\"([^\"]*)\"|'([^']*)')[^>]*?\?>")
_BLANKS = re.compile(rb"[ \t\r\n]+")


class XmlProblem(ValueError):
    """A document that cannot be used.

    Attributes:
        kind: "empty", "malformed", "entities", "too_large" or "too_deep".
        message: what is wrong and where, for an engineer.
        line: line of the document, counted from 1; None where none applies.
    """

    def __init__(self, kind: str, message: str, line: int | None = None) -> None:
        super().__init__(kind, message, line)
        self.kind = kind
        self.message = message
        self.line = line

    def __str__(self) -> str:
        return self.message


def parse_xml(data: bytes | IO[bytes], *, what: str = "XML document", limit: int = MAX_BYTES) -> Any:
    """The root element of a document.

    Comments and processing instructions are left out of the tree, so that ``<A>1<!-- x -->2</A>`` has the text "12".

    Args:
        data: the document, or a binary stream of it, of which at most ``limit`` + 1 bytes are read.
        what: name of the document for messages, as a rule its path in the product.
        limit: largest size in bytes.

    Raises:
        XmlProblem: see its ``kind``; no other error comes of the content.
        OSError: the stream could not be read.
    """
    content = _bounded(data, what, limit)
    if not content.strip(b" \t\r\n"):
        raise XmlProblem("empty", f"{what} is empty")
    content, encoding = _ascii_compatible(content, what)
    _refuse_crowds(content, what)
    _refuse_doctype(content, what)
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _problem(error, what) from None
    except (ValueError, LookupError) as error:
        raise XmlProblem("malformed", f"{what} is not XML: {error}") from None
    if root.getroottree().docinfo.doctype:
        raise XmlProblem("entities", f"{what} has a DOCTYPE, which no Sentinel-2 file needs: refused")
    return root


def local_name(element: Any) -> str:
    """Name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace(element: Any) -> str:
    """Namespace of an element, "" if it has none."""
    return str(element.tag)[1:].partition("}")[0] if str(element.tag).startswith("{") else ""


def _bounded(data: bytes | IO[bytes], what: str, limit: int) -> bytes:
    if isinstance(data, (bytes, bytearray, memoryview)):
        size = len(data)
        if size <= limit:
            return bytes(data)
    else:
        parts: list[bytes] = []
        size = 0
        while size <= limit:
            part = data.read(min(_CHUNK, limit + 1 - size))
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
    raise XmlProblem("too_large", f"{what} is larger than {limit} bytes, the most that is read of an XML file")


def _ascii_compatible(content: bytes, what: str) -> tuple[bytes, str]:
    """The document in an encoding whose markup has the bytes of ASCII, and libxml2's name of that encoding."""
    if content.startswith((b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\x00<", b"<\x00\x00\x00")):
        raise XmlProblem("malformed", f"{what} is in UTF-32, which is not read; write it in UTF-8", 1)
    if content.startswith((b"\xfe\xff", b"\xff\xfe", b"\x00<", b"<\x00")):
        codec = "utf-16" if content[0] > 127 else ("utf-16-be" if content[0] == 0 else "utf-16-le")
        try:
            return content.decode(codec).encode("utf-8"), "UTF-8"
        except UnicodeError as error:
            raise XmlProblem("malformed", f"{what} looks like UTF-16 but is not: {error}", 1) from None
    if content.startswith(b"\xef\xbb\xbf"):
        return content[3:], "UTF-8"
    declaration = _DECLARATION.match(content[:1024])
    if declaration is None:
        return content, "UTF-8"
    name = (declaration[1] or declaration[2] or b"").decode("ascii", "replace")
    try:
        return content, _ENCODINGS[name.strip().lower()]
    except KeyError:
        raise XmlProblem(
            "malformed", f"{what}, line 1: encoding {name[:40]!r} is not read; write it in UTF-8", 1
        ) from None


def _refuse_doctype(content: bytes, what: str) -> None:
    """A DOCTYPE may only stand before the root element: walk over blanks, comments and instructions up to there."""
    position = 0
    while True:
        if blanks := _BLANKS.match(content, position):
            position = blanks.end()
        if content.startswith(b"<!--", position):
            end, length = content.find(b"-->", position + 4), 3
        elif content.startswith(b"<?", position):
            end, length = content.find(b"?>", position + 2), 2
        elif content.startswith(b"<!", position):
            line = content.count(b"\n", 0, position) + 1
            raise XmlProblem(
                "entities",
                f"{what}, line {line}: a DOCTYPE stands before the root element; it could declare entities or load "
                "files, and no Sentinel-2 file needs one: refused",
                line,
            )
        else:
            return
        if end < 0:
            return
        position = end + length


def _refuse_crowds(content: bytes, what: str) -> None:
    for sign, most, things in ((b"<", MAX_TAGS, "tags"), (b"=", MAX_ATTRIBUTES, "attributes")):
        count = content.count(sign)
        if count > most:
            raise XmlProblem("too_large", f"{what} has {count} {things}; more than {most} are not read")


def _problem(error: etree.XMLSyntaxError, what: str) -> XmlProblem:
    line = error.lineno or 1
    last = error.error_log.last_error
    text = (last.message if last is not None else str(error)).strip().split(", line ")[0]
    if "depth" in text.lower():
        return XmlProblem(
            "too_deep", f"{what}, line {line}: elements are nested deeper than is read ({MAX_DEPTH})", line
        )
    if last is not None and last.type_name == "ERR_RESOURCE_LIMIT":
        return XmlProblem("too_large", f"{what}, line {line}: one text or attribute is larger than 10 MB", line)
    if last is not None and last.type_name == "ERR_DOCUMENT_EMPTY":
        text = "there is no element"
    return XmlProblem("malformed", f"{what}, line {line}: not well-formed XML ({text[:200]})", line)
