"""What the report page and its parts show, read from the stored report in a fixed number of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mpc.msi.bands import BANDS
from mpc.ui import figures
from mpc.ui.focal import FocalPlane, focal_plane
from mpc.ui.numbers import number
from qc.models import BandStatistics, CheckResult, CheckStatus, OlqcReport, QualityReport

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
class Items:
    """The single results of one check as a table: ``rows`` of texts under ``columns`` (none: plain lines)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    count: int

    @property
    def left_out(self) -> int:
        return self.count - len(self.rows)


@dataclass(frozen=True)
class CheckRow:
    check: CheckResult
    items: Items | None


@dataclass(frozen=True)
class ChecksShown:
    rows: Sequence[CheckRow]
    groups: Sequence[CheckGroup]
    chosen: str
    missing: Sequence[CheckResult]
    """Required checks that could not look: what an incomplete report lacks."""


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
    return ChecksShown(
        rows=[CheckRow(check, items_of(check.details)) for check in rows],
        groups=[CheckGroup(code, title, n, code == chosen) for code, title, n in titles],
        chosen=chosen,
        missing=[check for check in everything if check.required and check.status == CheckStatus.NOT_CHECKED],
    )


def items_of(details: Mapping[str, Any]) -> Items | None:
    """Single results of a check for reading: mappings become columns, anything else a line each."""
    items = details.get("items") or []
    if not items:
        return None
    count = max(len(items), int(details.get("count") or 0))
    if not all(isinstance(item, Mapping) for item in items):
        return Items((), tuple((_text(item),) for item in items), count)
    columns = tuple(dict.fromkeys(key for item in items for key in item))
    rows = tuple(tuple(_text(item.get(column)) for column in columns) for item in items)
    return Items(tuple(column.replace("_", " ") for column in columns), rows, count)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(inner) for inner in value)
    return str(value)


@dataclass(frozen=True)
class OlqcScope:
    """The reports of the on-line control about one datastrip, granule or product, those that did not pass first."""

    scope: str
    item: str
    reports: Sequence[OlqcReport]


@dataclass(frozen=True)
class OlqcShown:
    """What the ground segment's own control said; ``status`` is the word over all of it, "" without a report."""

    scopes: Sequence[OlqcScope]
    passed: int
    total: int
    status: str


def olqc_shown(report: QualityReport) -> OlqcShown:
    everything = list(report.olqc_reports.prefetch_related("checks"))
    by_scope: dict[tuple[str, str], list[OlqcReport]] = {}
    for found in everything:
        by_scope.setdefault((found.scope, found.item), []).append(found)
    scopes = [OlqcScope(*key, sorted(found, key=_olqc_passed)) for key, found in by_scope.items()]
    passed = sum(map(_olqc_passed, everything))
    status = ("PASSED" if passed == len(everything) else "FAILED") if everything else ""
    return OlqcShown(scopes, passed, len(everything), status)


def _olqc_passed(report: OlqcReport) -> bool:
    return report.readable and report.status == "PASSED"


def scene_rows(scene: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Classes of a scene classification with their share in percent, in words."""
    names = {name: name.removesuffix("_PERCENTAGE").removesuffix("_PIXEL") for name in scene["percentages"]}
    return [(names[name].replace("_", " ").capitalize(), share) for name, share in scene["percentages"].items()]


@dataclass(frozen=True)
class Step:
    """How much the right detector is brighter than the left at their boundary, in percent of the left."""

    detectors: str
    percent: float
    uncertainty: float | None


def steps_of(report: QualityReport, s: BandStatistics) -> list[Step]:
    """Steps at the detector boundaries of one band; none where the report holds none."""
    for band in report.facts.get("detector_steps", []):
        if (band["tile"], band["band"]) == (s.tile, s.band) and band.get("resolution", s.resolution) == s.resolution:
            return [
                Step(
                    f"D{step['left']} to D{step['right']}",
                    100.0 * (step["ratio"] - 1.0),
                    None if step["uncertainty"] is None else 100.0 * step["uncertainty"],
                )
                for step in band["steps"]
            ]
    return []


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


def plane(
    statistics: Sequence[BandStatistics], statistic: str, scale: str, address: Callable[[BandStatistics], str]
) -> FocalPlane:
    """Bands by detectors of one statistic; the finest image of each band counts. A cell leads to its band's image."""
    values: dict[tuple[str, str], float | None] = {}
    shown = {s.band: s for s in finest(statistics)}
    for s in shown.values():
        for index, detector in enumerate(s.detectors):
            if detector is not None:
                values[(s.band, detector)] = value_of(s, statistic, index, scale)
    known = _BY_CODE[statistic]
    return focal_plane(
        values,
        known.title,
        unit_of(statistic, scale),
        url=lambda band, detector: address(shown[band]),
        per_band=known.kind not in ("pixels", "relative"),
    )


def finest(statistics: Sequence[BandStatistics]) -> list[BandStatistics]:
    """Of each reflectance band, the image with the smallest pixels."""
    best: dict[str, BandStatistics] = {}
    for s in statistics:
        if s.band in BAND_NAMES and (s.band not in best or s.resolution < best[s.band].resolution):
            best[s.band] = s
    return [best[name] for name in BAND_NAMES if name in best]


@dataclass(frozen=True)
class Cell:
    label: str
    text: str


@dataclass(frozen=True)
class BandRow:
    """One image, the whole band: texts under the same labels in every row."""

    s: BandStatistics
    code: str
    cells: tuple[Cell, ...]


_LOCATIONS = (("minimum", "Min"), ("p1", "P 1"), ("p50", "Median"), ("p99", "P 99"), ("maximum", "Max"))


def image_code(s: BandStatistics) -> str:
    """How an address names one image of a tile."""
    return f"{s.band}-{s.resolution}"


def band_table(statistics: Sequence[BandStatistics], scale: str) -> list[BandRow]:
    """One row an image: the whole band. Reflectances have four decimals, counts none and their means one."""
    digits, mean_digits = (0, 1) if scale == "DN" else (4, 4)
    rows = []
    for s in statistics:
        whole = _whole(s)
        pixels = s.by_detector["pixels"][whole]
        share = 100.0 * s.by_detector["nodata"][whole] / pixels if pixels else None
        cells = [
            Cell("Valid pixels", number(s.by_detector["count"][whole])),
            Cell("No data %", number(share, 2)),
            Cell("Saturated", number(s.by_detector["saturated"][whole])),
        ]
        cells += [Cell(title, number(value_of(s, code, whole, scale), digits)) for code, title in _LOCATIONS]
        cells += [
            Cell(title, number(value_of(s, code, whole, scale), mean_digits))
            for code, title in (("mean", "Mean"), ("std", "Std"))
        ]
        rows.append(BandRow(s, image_code(s), tuple(cells)))
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
    return figures.figure(
        [trace] if counts else [],
        x_title=s.scaled_unit if reflectance else "counts (DN)",
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
    return figures.figure(
        [trace] if picked else [],
        y_title=s.scaled_unit if scale == "reflectance" else "counts (DN)",
        layout={"showlegend": False, "xaxis": {"type": "category"}},
        empty="No detector footprint could be read, so the pixels cannot be told apart by detector.",
    )
