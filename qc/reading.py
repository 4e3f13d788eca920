"""What the report page and its parts show, read from the stored report in a fixed number of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mpc.msi.bands import BANDS
from mpc.ui import figures
from mpc.ui.focal import FocalPlane, focal_plane
from qc.models import BandStatistics, CheckResult, CheckStatus, QualityReport

BAND_NAMES = tuple(band.name for band in BANDS)
GROUPS = ("format", "geometry", "radiometry", "sensor", "general")
NOT_PASSED = "not-passed"
EVERYTHING = "all"
_ORDER = (CheckStatus.ERROR, CheckStatus.FAILED, CheckStatus.WARNING, CheckStatus.NOT_CHECKED, CheckStatus.PASSED)


@dataclass(frozen=True)
class Statistic:
    """One statistic that the focal plane can show. ``kind`` says how counts become the shown value."""

    code: str
    title: str
    kind: str = "location"


STATISTICS = (
    Statistic("mean", "Mean"),
    Statistic("std", "Standard deviation", "spread"),
    Statistic("relative", "Mean relative to its band", "relative"),
    Statistic("p50", "Median"),
    Statistic("p1", "Percentile 1"),
    Statistic("p5", "Percentile 5"),
    Statistic("p95", "Percentile 95"),
    Statistic("p99", "Percentile 99"),
    Statistic("minimum", "Minimum"),
    Statistic("maximum", "Maximum"),
    Statistic("count", "Valid pixels", "pixels"),
    Statistic("nodata", "No-data pixels", "pixels"),
    Statistic("saturated", "Saturated pixels", "pixels"),
)
_BY_CODE = {s.code: s for s in STATISTICS}
SCALES = ("reflectance", "DN")


@dataclass(frozen=True)
class CheckGroup:
    """One choice above the table of checks."""

    code: str
    title: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class ChecksShown:
    rows: Sequence[CheckResult]
    groups: Sequence[CheckGroup]
    chosen: str


def checks_shown(report: QualityReport, wanted: str = "") -> ChecksShown:
    """The checks of one group, what is wrong first; without a choice those that did not pass, if any."""
    everything = list(report.checks.all())
    by_group = Counter(check.group for check in everything)
    trouble = [check for check in everything if check.status != CheckStatus.PASSED]
    known = {NOT_PASSED, EVERYTHING, *by_group}
    chosen = wanted if wanted in known else (NOT_PASSED if trouble else EVERYTHING)
    rows = trouble if chosen == NOT_PASSED else everything
    if chosen in by_group:
        rows = [check for check in everything if check.group == chosen]
    rows = sorted(rows, key=lambda c: (_ORDER.index(CheckStatus(c.status)), not c.required, c.order))
    titles = [(NOT_PASSED, "Not passed", len(trouble)), (EVERYTHING, "All", len(everything))]
    titles += [(group, group.capitalize(), by_group[group]) for group in GROUPS if by_group[group]]
    return ChecksShown(rows, [CheckGroup(code, title, n, code == chosen) for code, title, n in titles], chosen)


def value_of(s: BandStatistics, statistic: str, index: int, scale: str) -> float | None:
    """One statistic of one detector, in counts or as reflectance (exact: both are linear in the counts)."""
    known = _BY_CODE[statistic]
    if known.kind == "relative":
        mean, whole = (_scaled(s, s.by_detector["mean"][i], "location", "reflectance") for i in (index, _whole(s)))
        return 100.0 * (mean / whole - 1.0) if mean is not None and whole else None
    return _scaled(s, s.by_detector[statistic][index], known.kind, scale)


def _scaled(s: BandStatistics, value: float | None, kind: str, scale: str) -> float | None:
    if value is None or kind == "pixels" or scale == "DN":
        return value
    if not s.quantification or s.offset is None:
        return None
    return (value + (0.0 if kind == "spread" else s.offset)) / s.quantification


def _whole(s: BandStatistics) -> int:
    return s.detectors.index(None)


def unit_of(statistic: str, scale: str) -> str:
    kind = _BY_CODE[statistic].kind
    return {"pixels": "pixels", "relative": "%"}.get(kind, "" if scale == "reflectance" else "DN")


def plane(statistics: Sequence[BandStatistics], statistic: str, scale: str) -> FocalPlane:
    """Bands by detectors of one statistic; the finest image of each band counts."""
    values: dict[tuple[str, str], float | None] = {}
    for s in finest(statistics):
        for index, detector in enumerate(s.detectors):
            if detector is not None:
                values[(s.band, detector)] = value_of(s, statistic, index, scale)
    title = _BY_CODE[statistic].title
    pixels = _BY_CODE[statistic].kind == "pixels"
    return focal_plane(values, title, unit_of(statistic, scale), per_band=not pixels and statistic != "relative")


def finest(statistics: Sequence[BandStatistics]) -> list[BandStatistics]:
    """Of each reflectance band, the image with the smallest pixels."""
    best: dict[str, BandStatistics] = {}
    for s in statistics:
        if s.band in BAND_NAMES and (s.band not in best or s.resolution < best[s.band].resolution):
            best[s.band] = s
    return [best[name] for name in BAND_NAMES if name in best]


def band_table(statistics: Sequence[BandStatistics], scale: str) -> list[dict[str, Any]]:
    """One row an image: the whole band."""
    rows = []
    for s in statistics:
        whole = _whole(s)
        numbers = {code.code: value_of(s, code.code, whole, scale) for code in STATISTICS if code.kind != "relative"}
        pixels = s.by_detector["pixels"][whole]
        share = 100.0 * s.by_detector["nodata"][whole] / pixels if pixels else None
        rows.append({"s": s, "pixels": pixels, "nodata_share": share, **numbers})
    return rows


def histogram_figure(s: BandStatistics, scale: str) -> dict[str, Any]:
    """Counts of pixels by value, over the percentiles 0.1 to 99.9 of the whole band."""
    h = s.histogram
    counts = h.get("counts") or []
    reflectance = scale == "reflectance" and bool(s.quantification) and s.offset is not None
    divisor, offset = (s.quantification, s.offset) if reflectance else (1.0, 0.0)
    middles = [(h["start"] + (i + 0.5) * h["width"] + offset) / divisor for i in range(len(counts))]
    width = h["width"] / divisor if counts else None
    trace = {
        "type": "bar",
        "x": middles,
        "y": counts,
        "width": width,
        "marker": {"color": "var(--accent)", "line": {"width": 0}},
        "hovertemplate": "%{x:.4g}: %{y} pixels<extra></extra>",
    }
    quantity = (s.scaled_unit if reflectance else "counts (DN)") + f", {s.band} at {s.resolution} m"
    return figures.figure(
        [trace] if counts else [],
        x_title=quantity,
        y_title="pixels per bin",
        layout={"bargap": 0, "showlegend": False},
        empty="No valid pixel in this image, so there is nothing to draw.",
    )


def detector_figure(s: BandStatistics, scale: str) -> dict[str, Any]:
    """Mean and spread of the pixels by detector; the bars are the spread of the scene, not an uncertainty."""
    picked = [(d, i) for i, d in enumerate(s.detectors) if d is not None]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [f"D{d}" for d, _ in picked],
        "y": [value_of(s, "mean", i, scale) for _, i in picked],
        "error_y": {
            "type": "data",
            "array": [value_of(s, "std", i, scale) for _, i in picked],
            "thickness": 1,
            "width": 0,
        },
        "customdata": [[None, s.by_detector["count"][i]] for _, i in picked],
        "hovertemplate": "%{x}: mean %{y:.5g}, %{customdata[1]} valid pixels<extra></extra>",
        "marker": {"color": "var(--accent)", "size": 7},
    }
    unit = s.scaled_unit if scale == "reflectance" else "counts (DN)"
    return figures.figure(
        [trace] if picked else [],
        x_title="detector",
        y_title=f"mean {unit}; bar: standard deviation of the pixels",
        layout={"showlegend": False},
        empty="No detector footprint could be read, so the pixels cannot be told apart by detector.",
    )
