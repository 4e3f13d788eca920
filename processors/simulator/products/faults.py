"""Faults that can be planted in a simulated product, and the record of one that was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What shall be wrong with a product.

    *Delivery* faults hurt a product that was whole when its manifest was written: the manifest tells of them.
    *Content* faults are made before the manifest, which then describes the faulty file correctly: only a look at the
    content tells.
    """

    # delivery
    TRUNCATED_BAND = "truncated_band"
    """Delivery: the JP2 of B04 (10 m) is cut after 55 % of its bytes."""
    ZERO_BYTE_BAND = "zero_byte_band"
    """Delivery: the JP2 of B03 (10 m) is an empty file."""
    MISSING_FILE = "missing_file"
    """Delivery: the JP2 of B8A (20 m) is not there."""
    CORRUPT_CHECKSUM = "corrupt_checksum"
    """Delivery: some bytes in the comment of the JP2 of B12 (20 m) are changed; size and pixels stay."""
    MALFORMED_XML = "malformed_xml"
    """Delivery: the tile metadata ends in the middle of an element."""
    WRONG_NAME = "wrong_name"
    """Delivery: the folder is named after another tile and relative orbit than the metadata say."""

    # content: metadata
    WRONG_OFFSET = "wrong_offset"
    """Content: the product metadata have no radiometric offsets although the baseline has them."""
    WRONG_U = "wrong_u"
    """Content: U in the product metadata is 1 % too large."""
    SUN_TOO_LOW = "sun_too_low"
    """Content: the Sun stands at a zenith angle of at least 72 degrees (L2A limit 70) or 84 degrees (L1C limit 82)."""
    WRONG_RELATIVE_ORBIT = "wrong_relative_orbit"
    """Content: name and metadata agree on a relative orbit that does not fit the absolute orbit."""
    LOST_PACKETS = "lost_packets"
    """Content: the datastrip lost 37 packets and had 5 too degraded; the datastrip's GENERAL_QUALITY fails."""
    DEGRADED_MSI = "degraded_msi"
    """Content: the tile metadata say 3.2187 % of degraded MSI data."""
    WRONG_EPSG = "wrong_epsg"
    """Content: the tile metadata name the neighbouring UTM zone."""
    WRONG_SIZE = "wrong_size"
    """Content: the tile metadata give one row too few at 20 m."""
    INCOMPLETE_GIPP = "incomplete_gipp"
    """Content: the GIPP list of the product metadata lacks GIP_R2ABCA and one band of GIP_R2EQOG."""
    SCHEMA_VIOLATION = "schema_violation"
    """Content: the product metadata hold an element that the schema does not know."""

    # content: reports
    FAILED_OLQC = "failed_olqc"
    """Content: the datastrip's GEOMETRIC_QUALITY failed on corrected attitudes, and the product's flags say so."""
    MISSING_OLQC = "missing_olqc"
    """Content: the datastrip has no SENSOR_QUALITY report, and the manifest names none."""
    BAD_OLQC_SCHEMA = "bad_olqc_schema"
    """Content: an inspection of the tile's GENERAL_QUALITY has no status and its report an unknown one."""

    # content: pixels
    DETFOO_OUT_OF_RANGE = "detfoo_out_of_range"
    """Content: the detector footprint of B04 holds the value 17 (JP2 masks), or detector 17 (GML)."""
    STRIPED_BAND = "striped_band"
    """Content: one detector of B05 is 2 % too bright."""


DELIVERY_FAULTS = frozenset(
    {
        Fault.TRUNCATED_BAND,
        Fault.ZERO_BYTE_BAND,
        Fault.MISSING_FILE,
        Fault.CORRUPT_CHECKSUM,
        Fault.MALFORMED_XML,
        Fault.WRONG_NAME,
    }
)


@dataclass(frozen=True)
class PlantedFault:
    """A fault as it was planted: the file (relative to the product; "" for the product itself) and what was done."""

    fault: Fault
    file: str
    detail: str
