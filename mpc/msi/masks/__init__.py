"""Masks of a tile: detector footprint, clouds and snow, quality of pixels; as GML polygons (to 03.01) or JP2 rasters.

Class masks are read at full resolution only: a reduced one holds classes that do not exist.
Source: Products Specification Document, section on QI_DATA; Sentinel-2 L1C GML mask names of ``eop:MaskFeature``.
"""

from mpc.msi.masks.classes import CLASS_GSD, QUALITY_LAYERS, Classification, classification, quality_layer
from mpc.msi.masks.footprint import FootprintMask, detector_footprint
from mpc.msi.masks.gml import MaskFeature, MaskProblem, Ring, read_gml_mask

__all__ = [
    "CLASS_GSD",
    "QUALITY_LAYERS",
    "Classification",
    "FootprintMask",
    "MaskFeature",
    "MaskProblem",
    "Ring",
    "classification",
    "detector_footprint",
    "quality_layer",
    "read_gml_mask",
]
