"""Metadata of products, tiles and datastrips as records.

Source: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), issues 14.2 to 15, as real files follow it.

Each reader takes the bytes of a file, raises :class:`~mpc.msi.xmlio.XmlProblem` when they are no XML and
:class:`MetadataProblem` when they are other metadata, and nothing else. A fact that the file does not have is None, an
empty text or an empty collection; one that cannot be true as well, and then the list given as ``problems`` gets a line
that names the element and the value.
"""

from mpc.msi.metadata.common import MetadataProblem, read_time
from mpc.msi.metadata.datastrip import read_datastrip_metadata
from mpc.msi.metadata.product import read_product_metadata
from mpc.msi.metadata.tile import read_tile_metadata

__all__ = [
    "MetadataProblem",
    "read_datastrip_metadata",
    "read_product_metadata",
    "read_tile_metadata",
    "read_time",
]
