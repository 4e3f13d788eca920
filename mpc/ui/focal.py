"""The focal plane: bands down, detectors across; the same grid in every page that shows detectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mpc.msi import bands as msi
from mpc.ui.numbers import number

DETECTORS = tuple(f"{detector:02d}" for detector in msi.DETECTORS)
BANDS = tuple(band.name for band in msi.BANDS)


@dataclass(frozen=True)
class FocalCell:
    """One detector of one band. ``strength`` 0 to 100 of the scale, None where there is no value."""

    detector: str
    text: str
    strength: int | None
    hot: bool
    url: str
    label: str


@dataclass(frozen=True)
class FocalRow:
    band: str
    cells: tuple[FocalCell, ...]


@dataclass(frozen=True)
class FocalPlane:
    """What ``{% focal_plane grid %}`` draws; ``low`` and ``high`` are the ends of the scale beside it."""

    rows: tuple[FocalRow, ...]
    detectors: tuple[str, ...]
    low: str
    high: str
    unit: str
    quantity: str
    hot_count: int
    hot_meaning: str


def focal_plane(
    values: Mapping[tuple[str, str], float | None],
    quantity: str,
    unit: str = "",
    *,
    bands: Sequence[str] = BANDS,
    limit: float | None = None,
    is_hot: Callable[[str, str, float], bool] | None = None,
    hot_meaning: str = "over its limit",
    url: Callable[[str, str], str] | None = None,
    per_band: bool = False,
) -> FocalPlane:
    """Build the grid from values by (band, detector "01".."12").

    A cell is outlined where ``is_hot(band, detector, value)`` or, without it, where the value is above ``limit``. NaN
    and None are drawn as missing. The scale runs from the smallest to the largest finite value, of all bands or (where
    bands differ by nature, as their means do) of each band alone with ``per_band``.
    """
    known = {key: float(v) for key, v in values.items() if v is not None and math.isfinite(v) and key[0] in bands}
    spans = {band: _span([v for (b, _), v in known.items() if not per_band or b == band]) for band in bands}
    hot_count = 0
    rows: list[FocalRow] = []
    for band in bands:
        cells: list[FocalCell] = []
        for detector in DETECTORS:
            value = known.get((band, detector))
            name = f"{band} detector {int(detector)}"
            if value is None:
                cells.append(FocalCell(detector, "", None, False, "", f"{name}: no value"))
                continue
            hot = is_hot(band, detector, value) if is_hot else (limit is not None and value > limit)
            hot_count += hot
            low, high = spans[band]
            strength = round(100 * (value - low) / (high - low)) if high > low else 50
            text = f"{number(value)} {unit}".strip()
            label = f"{name}: {text}{f', {hot_meaning}' if hot else ''}"
            cells.append(FocalCell(detector, text, strength, hot, url(band, detector) if url else "", label))
        rows.append(FocalRow(band, tuple(cells)))
    low, high = _span(list(known.values()))
    ends = ("lowest of its band", "highest") if per_band else (_short(low), f"{_short(high)} {unit}".strip())
    ends = ends if known else ("", "")
    return FocalPlane(tuple(rows), DETECTORS, *ends, unit, quantity, hot_count, hot_meaning)


def _short(value: float) -> str:
    """Three significant digits are enough for the end of a scale."""
    return number(float(f"{value:.3g}"))


def _span(values: Sequence[float]) -> tuple[float, float]:
    return (min(values), max(values)) if values else (0.0, 0.0)
