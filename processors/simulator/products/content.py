"""What metadata and reports say of a product's content: percentages recounted from the pixels as written."""

from __future__ import annotations

from processors.simulator.products.faults import Fault
from processors.simulator.products.pixels import Pixels

DEGRADED_MSI_PERCENTAGE = 3.2187
MEAN_AOT = 0.121
MEAN_WATER_VAPOUR = 1.734
OZONE = 321.750572

# classes of the scene classification in the order of the metadata, with their element names
_CLASS_ELEMENTS = (
    ("SATURATED_DEFECTIVE_PIXEL_PERCENTAGE", 1),
    ("DARK_FEATURES_PERCENTAGE", 2),
    ("CLOUD_SHADOW_PERCENTAGE", 3),
    ("VEGETATION_PERCENTAGE", 4),
    ("NOT_VEGETATED_PERCENTAGE", 5),
    ("WATER_PERCENTAGE", 6),
    ("UNCLASSIFIED_PERCENTAGE", 7),
    ("MEDIUM_PROBA_CLOUDS_PERCENTAGE", 8),
    ("HIGH_PROBA_CLOUDS_PERCENTAGE", 9),
    ("THIN_CIRRUS_PERCENTAGE", 10),
    ("SNOW_ICE_PERCENTAGE", 11),
)


def degraded_msi(pixels: Pixels) -> float:
    """DEGRADED_MSI_DATA_PERCENTAGE of the tile."""
    return DEGRADED_MSI_PERCENTAGE if Fault.DEGRADED_MSI in pixels.spec.faults else 0.0


def class_percentages(pixels: Pixels) -> list[tuple[str, float]]:
    """L2A percentages of the 20 m scene classification: no-data of all pixels, each class of the valid ones."""
    counts = pixels.class_counts
    total, valid = int(counts.sum()), int(counts[1:].sum())
    cast_shadow = pixels.spec.era.has_cast_shadow
    percentages = [("NODATA_PIXEL_PERCENTAGE", 100 * int(counts[0]) / total)]
    for name, index in _CLASS_ELEMENTS:
        element = "CAST_SHADOW_PERCENTAGE" if index == 2 and cast_shadow else name
        percentages.append((element, 100 * int(counts[index]) / valid if valid else 0.0))
    return percentages


def cloudy(pixels: Pixels) -> float:
    """L2A cloudy percentage: classes 8, 9 and 10 of the valid pixels."""
    counts = pixels.class_counts
    valid = int(counts[1:].sum())
    return 100 * int(counts[8:11].sum()) / valid if valid else 0.0


def cloudy_over_land(pixels: Pixels) -> float:
    """The same without water pixels."""
    counts = pixels.class_counts
    land = int(counts[1:].sum() - counts[6])
    return 100 * int(counts[8:11].sum()) / land if land else 0.0


def _retrievals() -> list[tuple[str, str]]:
    return [
        ("RADIATIVE_TRANSFER_ACCURACY", "0.0"),
        ("WATER_VAPOUR_RETRIEVAL_ACCURACY", "0.0"),
        ("AOT_RETRIEVAL_ACCURACY", "0.0"),
        ("AOT_RETRIEVAL_METHOD", "SEN2COR_DDV"),
        ("GRANULE_MEAN_AOT", f"{MEAN_AOT:.6f}"),
        ("GRANULE_MEAN_WV", f"{MEAN_WATER_VAPOUR:.6f}"),
        ("OZONE_SOURCE", "AUX_ECMWFT"),
        ("OZONE_VALUE", f"{OZONE:.6f}"),
    ]


def tile_content(pixels: Pixels) -> list[tuple[str, str]]:
    """``Image_Content_QI`` of the tile metadata."""
    degraded = ("DEGRADED_MSI_DATA_PERCENTAGE", f"{degraded_msi(pixels):g}")
    if pixels.spec.level == "L1C":
        content = [("CLOUDY_PIXEL_PERCENTAGE", f"{pixels.cloud_percentage:.12g}"), degraded]
        if pixels.spec.era.has_offsets:
            content.append(("SNOW_PIXEL_PERCENTAGE", "0"))
        return content
    return [
        ("CLOUDY_PIXEL_PERCENTAGE", f"{cloudy(pixels):.6f}"),
        ("CLOUDY_PIXEL_OVER_LAND_PERCENTAGE", f"{cloudy_over_land(pixels):.6f}"),
        degraded,
        *((name, f"{value:.6f}") for name, value in class_percentages(pixels)),
        *_retrievals(),
    ]


def product_content(pixels: Pixels) -> list[tuple[str, str]]:
    """``Image_Content_QI`` of the L2A product metadata; nothing at L1C."""
    if pixels.spec.level == "L1C":
        return []
    return [
        ("CLOUDY_PIXEL_OVER_LAND_PERCENTAGE", f"{cloudy_over_land(pixels):.6f}"),
        *((name, f"{value:.6f}") for name, value in class_percentages(pixels)),
        *_retrievals(),
    ]


def product_cloud(pixels: Pixels) -> float:
    """Cloud cover of the product metadata, percent."""
    return pixels.cloud_percentage if pixels.spec.level == "L1C" else cloudy(pixels)
