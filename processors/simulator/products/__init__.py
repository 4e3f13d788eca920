"""Simulated Sentinel-2 products (SAFE) with known truth and planted faults.

Products are structurally true: names, files, metadata, masks and reports are those of their level and processing
baseline and fit ESA's schema sets. Their scene is invented. Unless asked for at full size they are *reduced*: true
ground sampling, fewer pixels, hence a smaller ground area from the tile's upper left corner, with all metadata in
agreement; the detectors are made narrower in proportion, so that a tile still shows four to seven of them.
"""

from processors.simulator.products.demo import DEMO_SEED, DemoItem, demo_items, demo_mission, demo_specs
from processors.simulator.products.faults import DELIVERY_FAULTS, Fault, PlantedFault
from processors.simulator.products.imagery import write_band
from processors.simulator.products.old_layout import WrittenOldProduct, write_old_product
from processors.simulator.products.spec import FULL_SIZE_10M, ProductSpec, Tile
from processors.simulator.products.truth import BandTruth, ProductTruth
from processors.simulator.products.writer import WrittenProduct, write_datastrip, write_product

__all__ = [
    "DELIVERY_FAULTS",
    "DEMO_SEED",
    "FULL_SIZE_10M",
    "BandTruth",
    "DemoItem",
    "Fault",
    "PlantedFault",
    "ProductSpec",
    "ProductTruth",
    "Tile",
    "WrittenOldProduct",
    "WrittenProduct",
    "demo_items",
    "demo_mission",
    "demo_specs",
    "write_band",
    "write_datastrip",
    "write_old_product",
    "write_product",
]
