"""Detector footprints: what they hold and how they agree with the images."""

from __future__ import annotations

from typing import Any

from mpc.msi.bands import BANDS
from qc.checks.finding import Finding, failed, not_checked, passed, warning
from qc.checks.inspections.common import number, some
from qc.checks.registry import inspection
from qc.checks.subject import Subject

PRODUCT = ("product",)
NO_STATISTICS = "image statistics were left out of this run (parameter statistics)"
HIGHEST_DETECTOR = 12


@inspection(
    id="sensor.footprint.values",
    title="Detector footprints name detectors 1 to 12",
    group="sensor",
    kinds=PRODUCT,
    reference="Products Specification Document, MSK_DETFOO: 0 no detector, 1 to 12",
)
def footprint_values(subject: Subject) -> Finding:
    if not subject.params.statistics:
        return not_checked(NO_STATISTICS)
    footprints = subject.pixels.footprints
    read = [found for found in footprints if found.path]
    if not read:
        return not_checked("no detector footprint in this product")
    wrong: list[dict[str, object]] = []
    blind: list[dict[str, object]] = []
    for found in read:
        strange = [value for value in found.values if not 0 <= value <= HIGHEST_DETECTOR]
        if strange:
            wrong.append({"band": found.band, "tile": found.tile, "file": found.path, "values": strange})
        elif found.problem:
            blind.append({"band": found.band, "tile": found.tile, "file": found.path, "problem": found.problem})
    expected = f"0 to 12 in {number(len(read), 'footprint')}"
    if wrong:
        return failed(
            expected,
            some(f"{item['band']} holds {some(item['values'])}" for item in wrong),  # type: ignore[arg-type]
            "a mask names detectors that do not exist",
            where=some(str(item["band"]) for item in wrong),
            items=wrong + blind,
        )
    if blind:
        return failed(
            expected,
            f"{len(blind)} unreadable",
            str(blind[0]["problem"]),
            where=some(str(item["band"]) for item in blind),
            items=blind,
        )
    # That a footprint is absent is the finding of format.masks.present; but what is absent was not looked at.
    missing = len(BANDS) * len(subject.safe.granules) - len(read)
    if missing > 0:
        return not_checked(f"{number(missing, 'footprint')} of {len(read) + missing} absent", expected=expected)
    seen = sorted({value for found in read for value in found.values if value})
    return passed(expected, f"detectors {some(seen, 12)}" if seen else "no detector")


@inspection(
    id="sensor.footprint.agreement",
    title="Images have data where a detector is named, and nowhere else",
    group="sensor",
    severity="informative",
    kinds=PRODUCT,
    reference="MSK_DETFOO and NODATA (0) of the image; a few edge pixels differ in real products",
)
def footprint_agreement(subject: Subject) -> Finding:
    if not subject.params.statistics:
        return not_checked(NO_STATISTICS)
    compared = [found for found in subject.pixels.footprints if found.valid_outside is not None and found.pixels]
    if not compared:
        return not_checked("no band has both an image and a detector footprint")
    limit = subject.params.footprint_tolerance
    items: list[dict[str, Any]] = []
    for found in compared:
        outside, inside = found.valid_outside or 0, found.nodata_inside or 0
        items.append(
            {
                "band": found.band,
                "tile": found.tile,
                "share": 100 * (outside + inside) / found.pixels,
                "data_outside": outside,
                "nodata_inside": inside,
                "pixels": found.pixels,
            }
        )
    worst = max(items, key=lambda item: item["share"])
    expected = f"at most {limit:g} % of the pixels differ"
    measured = f"{worst['share']:.4f} % in {worst['band']}"
    many = [item for item in items if item["share"] > limit]
    if many:
        return warning(
            expected,
            measured,
            f"{worst['band']}: {worst['data_outside']} pixels have data where no detector is named, "
            f"{worst['nodata_inside']} have none inside a detector",
            where=some(item["band"] for item in many),
            items=items,
        )
    return passed(expected, measured, items=items)


@inspection(
    id="sensor.footprint.detectors",
    title="Footprints and viewing angles name the same detectors",
    group="sensor",
    severity="informative",
    kinds=PRODUCT,
    reference="MSK_DETFOO; tile metadata, Viewing_Incidence_Angles_Grids",
)
def footprint_detectors(subject: Subject) -> Finding:
    if not subject.params.statistics:
        return not_checked(NO_STATISTICS)
    grids = {
        granule.tile or "": reading.record.detectors
        for granule, reading in zip(subject.safe.granules, subject.tiles, strict=True)
        if reading.record and reading.record.detectors
    }
    if not grids:
        return not_checked("the tile metadata hold no viewing angles by detector")
    compared = 0
    wrong = []
    for found in subject.pixels.footprints:
        told = grids.get(found.tile, {}).get(found.band)
        if told is None or found.problem or not found.path:
            continue
        compared += 1
        seen = {value for value in found.values if value}
        if seen != set(told):
            wrong.append({"band": found.band, "tile": found.tile, "angles": sorted(told), "footprint": sorted(seen)})
    if not compared:
        return not_checked("no band has both a detector footprint and viewing angles")
    expected = f"the same detectors in {number(compared, 'band')}"
    if wrong:
        first = wrong[0]
        return warning(
            expected,
            f"{len(wrong)} differ",
            f"{first['band']}: angles of detectors {some(first['angles'], 12)}, footprint of "
            f"{some(first['footprint'], 12)}",
            where=some(str(item["band"]) for item in wrong),
            items=wrong,
        )
    return passed(expected, "all")
