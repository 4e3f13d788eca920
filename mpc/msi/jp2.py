"""Is a JPEG 2000 file whole? Told by its structure alone, without decoding a pixel.

Some decoders hand back zeros for what is missing and raise nothing; the file's own structure cannot lie that way: every
tile-part says its length, the next marker must follow it, and the end of the codestream must be reached.

Source: ISO/IEC 15444-1 (ITU-T T.800), annex A (codestream syntax) and annex I (JP2 file format).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Protocol

SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_SOC, _SIZ, _COD, _SOT, _SOD, _EOC = 0xFF4F, 0xFF51, 0xFF52, 0xFF90, 0xFF93, 0xFFD9
_CHUNK = 1 << 20
MIN_ZERO_RUN = 4096
"""Zeros in a row that no entropy coder writes; only packets without content do, and their number is known."""


class _Stream(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class CodestreamCheck:
    """What the structure of a JPEG 2000 file says.

    Attributes:
        width, height: pixels of the image; 0 where the header was not reached.
        components: layers.
        bit_depth: of the first component.
        tile_size: (rows, columns) of a tile.
        tiles_expected, tiles_found: tiles by the header, tiles with all their parts whole.
        truncated: the file ends too early.
        problem: what is wrong and where, "" when the file is whole.
        format: "jp2", "j2k" (bare codestream), "tiff" (public samples hold TIFF under the name .jp2) or "" (unknown),
            by the first bytes.
    """

    width: int = 0
    height: int = 0
    components: int = 0
    bit_depth: int = 0
    tile_size: tuple[int, int] = (0, 0)
    tiles_expected: int = 0
    tiles_found: int = 0
    truncated: bool = False
    problem: str = ""
    format: str = ""

    @property
    def whole(self) -> bool:
        return not self.problem


class _Ends(Exception):
    """The file ends at a place where it must go on."""


class _Wrong(Exception):
    """The file goes on, but not as the standard says."""


class _Reader:
    """Forward reading with a known position: members of a zip are slow to go back in."""

    def __init__(self, stream: _Stream, size: int) -> None:
        self._stream = stream
        self.size = size
        self.position = 0
        self._kept = b""

    def take(self, count: int, what: str) -> bytes:
        parts = [self._kept[:count]]
        self._kept = self._kept[count:]
        missing = count - len(parts[0])
        while missing > 0:
            block = self._stream.read(min(missing, _CHUNK))
            if not block:
                raise _Ends(f"the file ends at byte {self.position + count - missing} of {self.size}, within {what}")
            parts.append(block)
            missing -= len(block)
        self.position += count
        return b"".join(parts)

    def peek(self, count: int, what: str) -> bytes:
        data = self.take(count, what)
        self._kept = data + self._kept
        self.position -= count
        return data

    def number(self, count: int, what: str) -> int:
        return int.from_bytes(self.take(count, what), "big")

    def skip(self, count: int, what: str) -> None:
        while count > 0:
            count -= len(self.take(min(count, _CHUNK), what))


@dataclass(frozen=True)
class _Header:
    check: CodestreamCheck
    zero_run: int


def check_codestream(stream: _Stream, size: int) -> CodestreamCheck:
    """Walk over boxes, main header and tile-parts of a JP2 file or bare codestream of ``size`` bytes.

    Finds files that are empty, cut anywhere before the end of the codestream, zeroed in part (a run of zeros longer
    than the empty packets of a tile could make), or without some of their tiles. The stream is read once, forwards.
    It does not find single wrong bits: decode the image, or compare its digest, for that.
    """
    reader = _Reader(stream, size)
    if size == 0:
        return CodestreamCheck(truncated=True, problem="the file is empty (0 bytes)")
    check = CodestreamCheck(format=_format(reader.peek(min(12, size), "the signature")))
    try:
        end = _find_codestream(reader, check.format)
        header = _main_header(reader, check)
        check = header.check
        check = _tile_parts(reader, end, header)
        if not check.problem and end is not None and end > size:
            raise _Ends(f"the box of the codestream ends at byte {end}, the file at {size}")
        if not check.problem and end is not None:
            _trailing_boxes(reader, end)
    except _Ends as error:
        return replace(check, truncated=True, problem=str(error))
    except _Wrong as error:
        return replace(check, problem=str(error))
    return check


def _format(begin: bytes) -> str:
    if begin[:2] == b"\xff\x4f":
        return "j2k"
    if begin[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    return "jp2" if begin == SIGNATURE[: len(begin)] else ""


def _find_codestream(reader: _Reader, kind_of_file: str) -> int | None:
    """Go to the first byte of the codestream; its end by the box's length, None where it runs to the file's end."""
    if kind_of_file == "j2k":
        return None
    if kind_of_file == "tiff":
        raise _Wrong("the file is a TIFF, not JPEG 2000, whatever its name says")
    if not kind_of_file:
        begin = reader.peek(min(12, reader.size), "the signature")
        if not begin.strip(b"\0"):
            raise _Wrong("the file begins with zeros where the signature of JPEG 2000 should be")
        raise _Wrong(f"the file does not begin like JPEG 2000 (first bytes {begin.hex(' ')})")
    while True:
        if reader.position >= reader.size:
            raise _Ends(f"the file ends at byte {reader.size} before any codestream")
        start = reader.position
        length, kind, header = _box(reader)
        if kind == b"jp2c":
            return None if length == 0 else start + length
        if length == 0:
            raise _Wrong(f"the box {_shown(kind)} at byte {start} runs to the end of the file: there is no codestream")
        reader.skip(length - header, f"the box {_shown(kind)} that begins at byte {start}")


def _box(reader: _Reader) -> tuple[int, bytes, int]:
    """Length of a box with its header, kind, length of the header."""
    start = reader.position
    length, kind = struct.unpack(">I4s", reader.take(8, "the header of a box"))
    header = 8
    if length == 1:
        length = reader.number(8, "the long length of a box")
        header = 16
    if length != 0 and length < header:
        raise _Wrong(f"the box {_shown(kind)} at byte {start} has the impossible length {length}")
    return length, kind, header


def _shown(kind: bytes) -> str:
    return repr(kind.decode("latin-1"))


def _trailing_boxes(reader: _Reader, end: int) -> None:
    reader.skip(end - reader.position, "the box of the codestream")
    while reader.size - reader.position >= 8:
        start = reader.position
        length, kind, header = _box(reader)
        if length == 0:
            return
        reader.skip(length - header, f"the box {_shown(kind)} that begins at byte {start}")


def _main_header(reader: _Reader, check: CodestreamCheck) -> _Header:
    if reader.number(2, "the start of the codestream") != _SOC:
        raise _Wrong(f"the codestream does not begin with its marker (SOC) at byte {reader.position - 2}")
    siz = b""
    packets = 0
    while True:
        start = reader.position
        marker = reader.number(2, "the main header")
        if marker == _SOT:
            if not check.components:
                raise _Wrong("the main header says no size (SIZ) before the first tile")
            return _Header(check, max(MIN_ZERO_RUN, packets + 64))
        if marker < 0xFF00 or marker in (_SOD, _EOC):
            raise _Wrong(f"the main header has {marker:#06x} at byte {start} where a marker should be")
        length = reader.number(2, "the main header")
        if length < 2:
            raise _Wrong(f"the marker {marker:#06x} at byte {start} has the impossible length {length}")
        body = reader.take(length - 2, "the main header")
        if marker == _SIZ:
            siz = body
            check = _size(body, check.format)
        elif marker == _COD and siz:
            packets = _packets(body, check)


def _size(body: bytes, kind_of_file: str) -> CodestreamCheck:
    if len(body) < 39:
        raise _Wrong("the size marker (SIZ) is too short")
    _, x1, y1, x0, y0, tile_x, tile_y, tile_x0, tile_y0, components = struct.unpack(">HIIIIIIIIH", body[:36])
    if not (tile_x and tile_y and components and x1 > x0 and y1 > y0 and tile_x0 <= x0 and tile_y0 <= y0):
        raise _Wrong("the size marker (SIZ) has impossible values")
    columns = -(-(x1 - tile_x0) // tile_x)
    rows = -(-(y1 - tile_y0) // tile_y)
    return CodestreamCheck(
        width=x1 - x0,
        height=y1 - y0,
        components=components,
        bit_depth=(body[36] & 0x7F) + 1,
        tile_size=(tile_y, tile_x),
        tiles_expected=columns * rows,
        format=kind_of_file,
    )


def _packets(cod: bytes, check: CodestreamCheck) -> int:
    """At most how many packets a tile has: an empty one is a single zero byte."""
    if len(cod) < 10:
        raise _Wrong("the marker of the coding style (COD) is too short")
    layers = int.from_bytes(cod[2:4], "big")
    levels = cod[5]
    precincts = 0
    rows, columns = min(check.tile_size[0], check.height), min(check.tile_size[1], check.width)
    for resolution in range(levels + 1):
        exponents = cod[10 + resolution] if cod[0] & 1 and len(cod) > 10 + resolution else 0xFF
        shrink = levels - resolution
        height, width = -(-rows >> shrink) + 1, -(-columns >> shrink) + 1
        precincts += ((height >> (exponents >> 4)) + 2) * ((width >> (exponents & 15)) + 2)
    return min(layers * check.components * precincts, 1 << 24)


def _tile_parts(reader: _Reader, end: int | None, header: _Header) -> CodestreamCheck:
    """From behind the first SOT marker to the end of the codestream."""
    check = header.check
    parts: dict[int, set[int]] = {}
    wanted: dict[int, int] = {}
    last = reader.size if end is None else min(end, reader.size)

    def state() -> CodestreamCheck:
        found = sum(1 for tile, seen in parts.items() if len(seen) >= wanted.get(tile, 1))
        return replace(check, tiles_found=found)

    try:
        while True:
            start = reader.position - 2
            length, tile, size, part, count = struct.unpack(">HHIBB", reader.take(10, "the header of a tile-part"))
            if length != 10 or tile >= check.tiles_expected:
                raise _Wrong(f"the tile-part at byte {start} has an impossible header (tile {tile})")
            where = f"tile {tile} of {check.tiles_expected} (tile-part {part}, begun at byte {start})"
            stop = start + size if size else last - 2
            if stop < reader.position + 2:
                raise _Wrong(f"{where} has the impossible length {size}")
            _walk_tile_part(reader, stop, where, header.zero_run)
            parts.setdefault(tile, set()).add(part)
            if count:
                wanted[tile] = count
            marker = reader.number(2, f"the marker behind {where}")
            if marker == _EOC:
                break
            if marker != _SOT:
                raise _Wrong(f"{marker:#06x} stands at byte {stop} behind {where}, where the next must begin")
    except _Ends as error:
        return replace(state(), truncated=True, problem=str(error))
    except _Wrong as error:
        return replace(state(), problem=str(error))
    done = state()
    if done.tiles_found < done.tiles_expected:
        missing = done.tiles_expected - done.tiles_found
        return replace(done, problem=f"{missing} of {done.tiles_expected} tiles are missing or have parts missing")
    return done


def _walk_tile_part(reader: _Reader, stop: int, where: str, zero_run: int) -> None:
    """Over the markers of a tile-part to its data, and over the data, which may not hold a long run of zeros."""
    while True:
        start = reader.position
        marker = reader.number(2, where)
        if marker == _SOD:
            break
        if marker < 0xFF00 or start + 4 > stop:
            raise _Wrong(f"{marker:#06x} stands at byte {start} in the header of {where}, where a marker should be")
        length = reader.number(2, where)
        if length < 2:
            raise _Wrong(f"a marker with the impossible length {length} stands at byte {start} in {where}")
        reader.skip(length - 2, where)
    tail = b""
    needle = bytes(zero_run)
    while reader.position < stop:
        begin = reader.position
        block = tail + reader.take(min(_CHUNK, stop - begin), where)
        at = block.find(needle)
        if at >= 0:
            raise _Wrong(f"{where} holds {zero_run} or more zeros from byte {begin - len(tail) + at} on: data are lost")
        tail = block[-(zero_run - 1) :]
