"""Which files a compact SAFE of each level holds, and where: paths relative to the product's folder."""

from __future__ import annotations

from processors.simulator.instrument import BAND_NAMES
from processors.simulator.products.spec import ProductSpec

L2A_IMAGES: dict[int, tuple[str, ...]] = {
    10: ("AOT", "B02", "B03", "B04", "B08", "TCI", "WVP"),
    20: ("AOT", "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B11", "B12", "B8A", "SCL", "TCI", "WVP"),
    60: ("AOT", "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B09", "B11", "B12", "B8A", "SCL", "TCI", "WVP"),
}
"""Images of an L2A product by resolution (manifest of a product of baseline 04.00)."""

L1C_IMAGES = (*BAND_NAMES, "TCI")


def product_file(spec: ProductSpec) -> str:
    return f"MTD_MSI{spec.level}.xml"


def granule_path(spec: ProductSpec) -> str:
    return f"GRANULE/{spec.granule_folder}"


def datastrip_path(spec: ProductSpec) -> str:
    return f"DATASTRIP/{spec.datastrip_folder}"


def image_member(spec: ProductSpec, name: str, gsd: int) -> str:
    """Path of an image; L1C images have one resolution and do not name it."""
    folder = f"{granule_path(spec)}/IMG_DATA"
    if spec.level == "L1C":
        return f"{folder}/{spec.image_prefix}_{name}.jp2"
    return f"{folder}/R{gsd}m/{spec.image_prefix}_{name}_{gsd}m.jp2"


def image_members(spec: ProductSpec) -> list[str]:
    """Paths of all images in the order of the product metadata."""
    if spec.level == "L1C":
        return [image_member(spec, name, 10) for name in L1C_IMAGES]
    return [image_member(spec, name, gsd) for gsd, names in L2A_IMAGES.items() for name in names]


def preview_member(spec: ProductSpec) -> str:
    return f"{granule_path(spec)}/QI_DATA/{spec.image_prefix}_PVI.jp2"
