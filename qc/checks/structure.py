"""The structure of an image file, walked through without decoding it."""

from __future__ import annotations

from dataclasses import dataclass

from mpc.msi.container import ContainerError
from mpc.msi.jp2 import check_codestream
from mpc.msi.safe import SafeProduct


@dataclass(frozen=True)
class Structure:
    """What the structure of an image file says, without decoding: its format and what is wrong with it."""

    format: str
    problems: tuple[str, ...] = ()


def check_structure(safe: SafeProduct, path: str) -> Structure:
    """Walk through an image file. A TIFF under the name of a JPEG 2000 has no codestream to walk through, and that it
    is one is the finding of another check than that it is damaged."""
    try:
        with safe.container.open(path) as stream:
            checked = check_codestream(stream, safe.container.size(path))
    except (ContainerError, OSError, EOFError) as error:
        return Structure("", (str(error),))
    if checked.format == "tiff" or not checked.problem:
        return Structure(checked.format)
    return Structure(checked.format, (checked.problem,))
