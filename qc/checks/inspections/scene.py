"""Percentages that level 2A declares, counted again."""

from __future__ import annotations

from collections.abc import Mapping

from qc.checks.finding import Finding, failed, not_checked, passed
from qc.checks.inspections.common import some
from qc.checks.registry import inspection
from qc.checks.subject import Subject

SCL_RESOLUTION = 20
TOLERANCE = 0.01
"""Per cent; metadata give six decimals of percentages that were counted on the same raster."""

NODATA_CLASS = 0
NAMES = {
    "SATURATED_DEFECTIVE_PIXEL_PERCENTAGE": (1,),
    "DARK_FEATURES_PERCENTAGE": (2,),
    "CAST_SHADOW_PERCENTAGE": (2,),
    "CLOUD_SHADOW_PERCENTAGE": (3,),
    "VEGETATION_PERCENTAGE": (4,),
    "NOT_VEGETATED_PERCENTAGE": (5,),
    "WATER_PERCENTAGE": (6,),
    "UNCLASSIFIED_PERCENTAGE": (7,),
    "MEDIUM_PROBA_CLOUDS_PERCENTAGE": (8,),
    "HIGH_PROBA_CLOUDS_PERCENTAGE": (9,),
    "THIN_CIRRUS_PERCENTAGE": (10,),
    "SNOW_ICE_PERCENTAGE": (11,),
    "CLOUDY_PIXEL_PERCENTAGE": (8, 9, 10),
}
"""Elements of Image_Content_QI and the classes of the scene classification behind them."""


def class_percentages(classes: Mapping[int, int]) -> dict[str, float]:
    """Percentages by element name from pixel counts by class: no-data of all pixels, the rest of the valid ones."""
    total = sum(classes.values())
    valid = total - classes.get(NODATA_CLASS, 0)
    found = {"NODATA_PIXEL_PERCENTAGE": 100 * classes.get(NODATA_CLASS, 0) / total if total else 0.0}
    if valid:
        found |= {name: 100 * sum(classes.get(value, 0) for value in values) / valid for name, values in NAMES.items()}
    return found


@inspection(
    id="general.scene_classes",
    title="Class percentages agree with the scene classification",
    group="general",
    severity="informative",
    levels=("L2A",),
    kinds=("product",),
    reference="Tile metadata, Image_Content_QI; counted on the scene classification of 20 m",
)
def scene_classes(subject: Subject) -> Finding:
    if not subject.params.statistics:
        return not_checked("image statistics were left out of this run (parameter statistics)")
    wrong: list[dict[str, object]] = []
    compared = 0
    for granule, tile in zip(subject.safe.granules, subject.tiles, strict=True):
        classes = next(
            (
                i.classes
                for i in subject.pixels.images
                if i.tile == (granule.tile or "") and i.classes and i.resolution == SCL_RESOLUTION
            ),
            None,
        )
        if classes is None or tile.record is None:
            continue
        for name, value in class_percentages(classes).items():
            declared = tile.record.content.get(name)
            if declared is None:
                continue
            compared += 1
            if abs(declared - value) > TOLERANCE:
                wrong.append({"tile": granule.tile, "element": name, "expected": value, "measured": declared})
    if not compared:
        return not_checked("no scene classification of 20 m, or no percentages in the tile metadata")
    expected = f"{compared} percentages within {TOLERANCE:g}"
    if wrong:
        first = wrong[0]
        return failed(
            expected,
            f"{len(wrong)} differ",
            f"{first['element']} is declared as {first['measured']:.4f} and counted as {first['expected']:.4f}",
            where=some(str(item["element"]) for item in wrong),
            items=wrong,
        )
    return passed(expected, "all")
