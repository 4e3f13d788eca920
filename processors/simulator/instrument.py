"""The instrument's numbers as the simulator believes them: spectral ranges, irradiances, gains, timing, detectors.

They are written down here a second time on purpose. Readers and checks have tables of their own; a simulator that
borrowed theirs would agree with them also where they are wrong.

Sources: L1C and L2A product metadata of S2A (2017 to 2022) and S2B (2022, 2023); spectral responses
COPE-GSEG-EOPG-TN-15-0007 v4.0. The irradiances of S2C are computed from that response and the spectrum of
Thuillier (2003); its gains, and all numbers of S2D, are assumed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from mpc.msi.bands import BANDS

BAND_NAMES = tuple(band.name for band in BANDS)
GSD = {band.name: band.gsd for band in BANDS}
BAND_ID = {band.name: band.band_id for band in BANDS}
UNITS = ("S2A", "S2B", "S2C", "S2D")

SPACECRAFT = {unit: f"Sentinel-2{unit[2]}" for unit in UNITS}
NSSDC = {"S2A": "2015-000A", "S2B": "2017-000A", "S2C": "2024-000A", "S2D": "0000-000A"}


def _by_band(*values: float) -> dict[str, float]:
    return dict(zip(BAND_NAMES, values, strict=True))


SOLAR_IRRADIANCE: Mapping[str, Mapping[str, float]] = {
    "S2A": _by_band(
        1884.69, 1959.66, 1823.24, 1512.06, 1424.64, 1287.61, 1162.08, 1041.63, 955.32, 812.92, 367.15, 245.59, 85.25
    ),
    "S2B": _by_band(
        1874.3, 1959.75, 1824.93, 1512.79, 1425.78, 1291.13, 1175.57, 1041.28, 953.93, 817.58, 365.41, 247.08, 87.75
    ),
    "S2C": _by_band(
        1914.61, 1972.03, 1822.48, 1506.76, 1410.33, 1287.26, 1154.9, 1037.07, 957.9, 807.63, 367.87, 246.31, 86.94
    ),
}
"""W/m2/um at one astronomical unit."""

SOLAR_IRRADIANCE_2017 = _by_band(
    1913.57, 1941.63, 1822.61, 1512.79, 1425.56, 1288.32, 1163.19, 1036.39, 955.19, 813.04, 367.15, 245.59, 85.25
)
"""The table of S2A that baselines up to 02.05 carry."""

PHYSICAL_GAINS: Mapping[str, Mapping[str, float]] = {
    "S2A": _by_band(
        4.10907633,
        3.75048246,
        4.17298218,
        4.50361647,
        5.1868737,
        4.85163686,
        4.51546220,
        6.13501996,
        5.11228279,
        8.48866339,
        54.8806461,
        35.1806126,
        106.03388763,
    ),
    "S2B": _by_band(
        3.96374669,
        3.82020478,
        4.23767272,
        4.77546721,
        5.18343615,
        5.08988587,
        4.76395679,
        6.82067015,
        5.7604695,
        9.37540607,
        56.4054263,
        37.17859102,
        108.68988978,
    ),
    "S2C": _by_band(
        4.03641151,
        3.78534362,
        4.20532742,
        4.63954184,
        5.18515492,
        4.97076137,
        4.63970949,
        6.47784505,
        5.43637614,
        8.93203473,
        55.6430362,
        36.17960181,
        107.3618887,
    ),
}
"""Counts per W/m2/sr/um."""  # fmt: skip

_WAVELENGTHS = {
    "B01": (412, 456, 442.7), "B02": (456, 533, 492.7), "B03": (538, 583, 559.8), "B04": (646, 684, 664.6),
    "B05": (695, 714, 704.1), "B06": (731, 749, 740.5), "B07": (769, 797, 782.8), "B08": (760, 907, 832.8),
    "B8A": (837, 881, 864.7), "B09": (932, 958, 945.1), "B10": (1337, 1412, 1373.5), "B11": (1539, 1682, 1613.7),
    "B12": (2078, 2320, 2202.4),
}  # fmt: skip
_CENTRE_SHIFT = {
    "S2A": _by_band(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "S2B": _by_band(-0.4, -0.4, -0.8, 0.4, -0.3, -1.4, -3.1, 0.2, -0.7, -1.9, 3.4, -3.3, -16.5),
    "S2C": _by_band(1.5, -3.7, 0.8, 1.9, 3.0, 0.6, 1.9, 1.8, 0.9, 2.1, -1.3, -1.7, -11.1),
}


@dataclass(frozen=True)
class Wavelength:
    """Spectral range of a band in nm."""

    minimum: int
    maximum: int
    central: float


def wavelength(unit: str, band: str) -> Wavelength:
    """Spectral range of ``band`` on ``unit``."""
    low, high, centre = _WAVELENGTHS[band]
    shift = _CENTRE_SHIFT[_like(unit)][band]
    return Wavelength(low + round(shift), high + round(shift), round(centre + shift, 1))


def spectral_response(unit: str, band: str) -> np.ndarray:
    """Relative response per nm over the band's range, float64 (n,): a smooth flat top, no measured table."""
    span = wavelength(unit, band)
    nm = np.arange(span.minimum, span.maximum + 1, dtype=float)
    half = (span.maximum - span.minimum) / 2
    middle = (span.maximum + span.minimum) / 2
    return np.round(1 / (1 + np.abs((nm - middle) / (0.82 * half)) ** 14), 8)


INTEGRATION_TIME: Mapping[str, Mapping[str, float]] = {
    "S2A": _by_band(
        7.4473767, 1.2821506, 1.3230393, 1.3872929, 2.844058, 2.7251472, 2.7489293, 1.2704681, 2.5586717, 7.593408,
        5.6989655, 1.4035684, 1.5003662,
    ),
    "S2B": _by_band(
        7.22833, 1.2646269, 1.2996743, 1.3405629, 2.7846026, 2.7727115, 2.7727115, 1.3872929, 2.7608204, 8.031501,
        5.5537686, 1.3793689, 1.4761667,
    ),
}  # fmt: skip
"""Milliseconds."""

COMPRESSION_RATE = _by_band(2.655, 2.97, 2.97, 2.97, 2.655, 2.655, 2.655, 2.97, 2.655, 2.655, 2.655, 2.4, 2.4)

NOISE_MODEL: Mapping[str, tuple[float, float]] = {
    "B01": (0.56, 0.00054), "B02": (0.567, 0.04696), "B03": (0.488, 0.03482), "B04": (0.489, 0.04047),
    "B05": (0.578, 0.03123), "B06": (0.576, 0.04388), "B07": (0.576, 0.0422), "B08": (0.571, 0.04447),
    "B8A": (0.574, 0.08714), "B09": (0.563, 0.10258), "B10": (1.067, 0.00961), "B11": (0.683, 0.09292),
    "B12": (0.704, 0.08259),
}  # fmt: skip
"""Declared noise model: variance = ALPHA^2 + BETA * counts."""

TDI_BANDS = ("B03", "B04", "B11", "B12")
LINE_PERIOD_MS = 1.565873622
"""Of the 10 m bands; 20 and 60 m bands have 2 and 6 times as much."""


def solar_irradiance(unit: str, baseline: str) -> Mapping[str, float]:
    """The irradiance table (W/m2/um) that products of this unit and baseline carry."""
    if unit == "S2A" and baseline < "02.06":
        return SOLAR_IRRADIANCE_2017
    return SOLAR_IRRADIANCE[_like(unit)]


def physical_gains(unit: str) -> Mapping[str, float]:
    """Counts per W/m2/sr/um of each band."""
    return PHYSICAL_GAINS[_like(unit)]


def integration_time(unit: str) -> Mapping[str, float]:
    """Integration time of each band in ms."""
    return INTEGRATION_TIME["S2A" if unit == "S2A" else "S2B"]


def _like(unit: str) -> str:
    return "S2C" if unit == "S2D" else unit


_EPOCH = datetime(1950, 1, 1, 12, tzinfo=UTC)


def sun_distance_correction(start: datetime) -> float:
    """U = 1/d^2 (d in au) of a datatake that starts at ``start``, by the ground segment's own formula.

    ``(1 - 0.01673 cos(0.0172 (t - 2)))^-2`` with t in days since 1950-01-01T12:00 UTC (Sentinel-2 L1 ATBD).
    """
    days = (start - _EPOCH) / timedelta(days=1)
    return (1 - 0.01673 * math.cos(0.0172 * (days - 2))) ** -2


def relative_orbit(unit: str, absolute: int, when: datetime) -> int:
    """Relative orbit 1..143 of an absolute orbit: ``((absolute - k) mod 143) + 1``, k of the unit's slot at ``when``.

    S2A flew with k = 141 until it moved early in 2025 and with 27 since; S2B 27; S2C 114; S2D is assumed at 70.
    """
    moved = datetime(2025, 1, 1, tzinfo=UTC)
    offset = {"S2A": 141 if when < moved else 27, "S2B": 27, "S2C": 114, "S2D": 70}[unit]
    return (absolute - offset) % 143 + 1


def leap_seconds(when: datetime) -> int:
    """GPS time minus UTC in s."""
    return 18 if when >= datetime(2017, 1, 1, tzinfo=UTC) else 17


def detector_gain(unit: str, band: str, detector: int) -> float:
    """Residual relative response of a detector in a band, near 1: steps of some tenths of a per mille, 1.5 at most.

    It stands for what is left of the detector-to-detector differences after equalisation; the same for all products of
    a unit, so that a mean over many products shows it.
    """
    rng = np.random.default_rng([UNITS.index(unit), BAND_ID[band], detector, 20150623])
    return float(1 + 1e-3 * np.clip(rng.normal(0, 0.7), -1.5, 1.5))
