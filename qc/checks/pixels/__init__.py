"""The one pass over the pixels of a product.

Every image is decoded once. While it is in memory everything that needs its pixels is taken from it: whether it could
be read, its frame, its histogram by detector and its small version for the pictures. Then it is let go. As many images
are under way at once as the threads and :data:`MEMORY` allow: two bands of 10 m with their footprints (722 MB).
"""

from qc.checks.pixels.facts import (
    BAND_NAMES,
    PVI,
    FootprintFacts,
    ImageFacts,
    Pictures,
    PixelFacts,
    PixelOptions,
)
from qc.checks.pixels.granule import images_of, preferred_resolution
from qc.checks.pixels.reading import MEMORY, read_pixels

__all__ = [
    "BAND_NAMES",
    "MEMORY",
    "PVI",
    "FootprintFacts",
    "ImageFacts",
    "Pictures",
    "PixelFacts",
    "PixelOptions",
    "images_of",
    "preferred_resolution",
    "read_pixels",
]
