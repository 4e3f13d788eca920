"""Two periods, two units or two baselines of a metric: which values are compared, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpc.monitoring.detectors.comparison import (
    Difference,
    Statistic,
    compare,
    compare_pairs,
    holm,
    in_words,
)
from mpc.monitoring.filters import Window
from mpc.monitoring.models import Metric, Series
from mpc.monitoring.reading import band_order
from mpc.monitoring.trends.data import Points, read_chosen


def known(number: float) -> float | None:
    """None for what is not a number: what a table and a file say of it."""
    return number if math.isfinite(number) else None


FEWEST_PAIRS = 10
"""Common days (or months) from which values are compared pair by pair."""

PARTS = ("unit", "band", "detector", "site", "level", "baseline")


@dataclass(frozen=True)
class Side:
    """One of the two: which series and which time."""

    name: str
    window: Window
    unit: str = ""
    baseline: str = ""

    def holds(self, series: Series) -> bool:
        return self.unit in ("", series.unit) and self.baseline in ("", series.baseline)


@dataclass(frozen=True)
class Row:
    """One part of the mission on both sides; ``chance`` is the probability corrected for the number of rows."""

    series: Series
    part: str
    difference: Difference
    chance: float = float("nan")

    @property
    def verdict(self) -> str:
        return in_words(self.chance)

    @property
    def band(self) -> tuple[int, str]:
        return band_order(self.series.band)

    @property
    def relative(self) -> float | None:
        """The difference in per cent of the first side; None where that is 0."""
        first = self.difference.a.value
        return 100 * self.difference.value / abs(first) if first else None

    @property
    def a_uncertainty(self) -> float | None:
        return known(self.difference.a.uncertainty)

    @property
    def b_uncertainty(self) -> float | None:
        return known(self.difference.b.uncertainty)

    @property
    def uncertainty(self) -> float | None:
        return known(self.difference.uncertainty)

    @property
    def probability(self) -> float | None:
        return known(self.chance)

    @property
    def how(self) -> str:
        return f"{self.difference.pairs} pairs" if self.difference.pairs else "separately"


@dataclass(frozen=True)
class Compared:
    """The rows, the parts that have values on one side only, and what was compared: medians (means) of "day" or
    "month"."""

    rows: tuple[Row, ...] = ()
    alone: tuple[str, ...] = ()
    resolution: str = "day"


def rows_of(metric: Metric, chosen: Sequence[Series], a: Side, b: Side, statistic: Statistic) -> Compared:
    """Compare both sides, part by part; as many queries for many series as for one."""
    aside = {name for name in ("unit", "baseline") if getattr(a, name) or getattr(b, name)}
    resolution, first, second = _read(metric, chosen, a, b)
    paired = a.window == b.window
    ours, theirs = _by_part(first, aside), _by_part(second, aside)
    found, alone = [], []
    for key in dict.fromkeys([*ours, *theirs]):
        if key in ours and key in theirs:
            found.append(_row(ours[key], theirs[key], aside, statistic, paired=paired))
        else:
            alone.append(_words((ours.get(key) or theirs[key])[0].series, aside))
    found.sort(key=lambda row: (row.band, row.part))
    chances = holm(np.array([row.difference.probability for row in found], np.float64))
    rows = tuple(replace(row, chance=float(chance)) for row, chance in zip(found, chances, strict=True))
    return Compared(rows, tuple(alone), resolution)


def _read(metric: Metric, chosen: Sequence[Series], a: Side, b: Side) -> tuple[str, list[Points], list[Points]]:
    """Points of both sides by day; by month where one side has too many days."""
    for resolution in ("day", "month"):
        read = [
            read_chosen([metric], [s for s in chosen if side.holds(s)], side.window, resolution)[0] for side in (a, b)
        ]
        if read[0].resolution == read[1].resolution:
            break
    return read[0].resolution, list(read[0].points), list(read[1].points)


def _by_part(points: Iterable[Points], aside: set[str]) -> dict[Any, list[Points]]:
    """Points by what stays the same on both sides: several series, where they differ only in what is compared."""
    grouped: dict[Any, list[Points]] = {}
    for one in points:
        grouped.setdefault(tuple(getattr(one.series, p) for p in PARTS if p not in aside), []).append(one)
    return grouped


def _row(a: list[Points], b: list[Points], aside: set[str], statistic: Statistic, *, paired: bool) -> Row:
    times_a, values_a = _joined(a, statistic)
    times_b, values_b = _joined(b, statistic)
    _, in_a, in_b = np.intersect1d(times_a, times_b, return_indices=True)
    if paired and len(in_a) >= FEWEST_PAIRS:
        difference = compare_pairs(values_a[in_a], values_b[in_b], statistic)
    else:
        difference = compare(values_a, values_b, statistic)
    return Row(b[0].series, _words(b[0].series, aside), difference)


def _joined(points: Iterable[Points], statistic: Statistic) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Times and values of a side in order of time; of one moment the first."""
    members = list(points)
    times = np.concatenate([p.times for p in members])
    values = np.concatenate([p.mean if statistic == Statistic.MEAN else p.values for p in members])
    unique, first = np.unique(times, return_index=True)
    return unique, values[first]


def _words(series: Series, aside: set[str]) -> str:
    names = [getattr(series, name) for name in ("unit", "level", "baseline", "band") if name not in aside]
    names += [f"D{series.detector}" if series.detector else "", series.site]
    return " ".join(name for name in names if name) or "whole"
