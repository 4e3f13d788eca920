"""What a run may be told: parameters and limits that are nobody's constants."""

from __future__ import annotations

from dataclasses import dataclass

from mpc.jobs import param


@dataclass(frozen=True)
class QcParams:
    """Parameters of the job ``qc.product``."""

    statistics: bool = param(True, help="Image statistics per band and detector, and the checks that stand on them")
    checksums: bool = param(True, help="Compare the checksums of all files with the manifest")
    quicklook: bool = param(True, help="Pictures of the product with its masks")
    degraded_limit: float = param(
        1.0,
        help="Share of degraded MSI or ancillary data above which a product fails; below it, any is a warning",
        minimum=0,
        maximum=100,
        unit="%",
    )
    footprint_tolerance: float = param(
        0.1,
        help="Share of pixels on which the detector footprint and the image may disagree about no-data",
        minimum=0,
        maximum=100,
        unit="%",
    )
