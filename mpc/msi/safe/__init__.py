"""A product as its parts: which member is the product metadata, which belongs to which tile, band, mask and report.

The parts are told by names alone, so that a product with broken XML or missing files still opens and its faults can
be reported one by one. Folders and zips are read alike and nothing is unpacked:

    from mpc.msi.safe import hash_member, open_safe, read_manifest

    with open_safe("S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_20171207T032513.zip") as safe:
        safe.name                                        # 'S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_2017...'
        granule = safe.granules[0]
        granule.tile                                     # '55JEJ'
        path = granule.images["B02", 10]                 # 'GRANULE/L1C_T55JEJ_A012840_.../T55JEJ_..._B02.jp2'
        safe.container.gdal_path(path)                   # '/vsizip/{/data/....zip}/S2A_....SAFE/GRANULE/...'
        safe.container.read(safe.product_metadata)       # b'<?xml ...'
        for entry in read_manifest(safe):
            safe.container.exists(entry.path)
            hash_member(safe.container, entry.path, entry.checksum_name) == entry.checksum

Layouts:

* **compact**: ``MTD_MSIL1C.xml``, ``GRANULE/L1C_T.../``, ``DATASTRIP/DS_.../``.
* **old**: multi-tile products before December 2016, L1B datastrips, and stand-alone datastrips: the full identifiers.
* **flat**: the compact (or old) file names at the top of one folder, or the folder of a tile alone.
* **aws**: one tile of the public archives: ``metadata.xml`` (the tile's), ``tileInfo.json``, ``B01.jp2`` or
  ``R10m/B02.jp2``, ``qi/``, ``preview.jp2``, and, where they were fetched too, ``product/`` and ``datastrip/*/`` with
  their own ``metadata.xml``.

Needed at the least is one of: product metadata, datastrip metadata, tile metadata, one image.
"""

from __future__ import annotations

from pathlib import Path

from mpc.msi.container import DEFAULT_LIMITS, ContainerError, Limits, open_container
from mpc.msi.safe.layout import SafeError, SafeProduct, nested_safe, recognise
from mpc.msi.safe.manifest import ManifestEntry, hash_member, read_manifest
from mpc.msi.safe.parts import REPORTS, DatastripParts, GranuleParts

__all__ = [
    "REPORTS",
    "ContainerError",
    "DatastripParts",
    "GranuleParts",
    "ManifestEntry",
    "SafeError",
    "SafeProduct",
    "hash_member",
    "open_safe",
    "read_manifest",
]


def open_safe(path: Path | str, limits: Limits = DEFAULT_LIMITS) -> SafeProduct:
    """Open a product or stand-alone datastrip; use it in a ``with`` statement, or call ``close``.

    Broken XML inside never hinders it. A folder that only wraps one SAFE folder stands for that.

    Raises:
        ContainerError: the folder or zip cannot be read or must not be trusted.
        SafeError: it holds no part of a Sentinel-2 product.
    """
    container = open_container(path, limits)
    try:
        if container.kind == "folder" and (inner := nested_safe(container)):
            container = open_container(container.path / inner, limits)
        return recognise(container)
    except BaseException:
        container.close()
        raise
