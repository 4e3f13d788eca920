"""The thirteen spectral bands of the MSI, their numbers, ground sampling distances and detectors.

Source: Sentinel-2 Products Specification Document, S2-PDGS-TAS-DI-PSD, tables of bands and of ``bandId``.
"""

from __future__ import annotations

from dataclasses import dataclass

GSDS = (10, 20, 60)
"""Ground sampling distances in metres."""

DETECTORS = range(1, 13)
"""Numbers of the staggered detectors across the swath."""

TILE_PIXELS = {10: 10980, 20: 5490, 60: 1830}
"""Rows (and columns) of a full tile by ground sampling distance."""


@dataclass(frozen=True)
class Band:
    """One spectral band.

    ``name`` is "B01".."B12" or "B8A"; ``band_id`` is the number that metadata use in ``bandId`` (B8A is 8, B09 is 9);
    ``gsd`` is in metres; ``key`` is the name again, for use as a key of mappings.
    """

    name: str
    band_id: int
    gsd: int

    @property
    def key(self) -> str:
        return self.name


BANDS: tuple[Band, ...] = tuple(
    Band(name, band_id, gsd)
    for band_id, (name, gsd) in enumerate(
        (
            ("B01", 60),
            ("B02", 10),
            ("B03", 10),
            ("B04", 10),
            ("B05", 20),
            ("B06", 20),
            ("B07", 20),
            ("B08", 10),
            ("B8A", 20),
            ("B09", 60),
            ("B10", 60),
            ("B11", 20),
            ("B12", 20),
        )
    )
)
"""All bands in the order of their ``bandId``."""

_BY_NAME = {band.name: band for band in BANDS} | {
    f"B{int(band.name[1:])}": band for band in BANDS if band.name != "B8A"
}


def band_by_name(name: str) -> Band:
    """The band called ``name``: "B8A", "B01" or the short "B1", in any case.

    Raises:
        KeyError: there is no such band.
    """
    try:
        return _BY_NAME[name.strip().upper()]
    except KeyError:
        raise KeyError(f"there is no band {name!r}; bands are {', '.join(band.name for band in BANDS)}") from None


def band_by_id(band_id: int) -> Band:
    """The band with this ``bandId`` (0..12).

    Raises:
        KeyError: there is no such number.
    """
    if not 0 <= band_id < len(BANDS):
        raise KeyError(f"there is no bandId {band_id}; they run from 0 to {len(BANDS) - 1}")
    return BANDS[band_id]
