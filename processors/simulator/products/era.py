"""How the format of products changed with the processing baseline: what a product of each era holds and how it says it.

Read from real products of baselines 02.04, 02.06, 04.00, 05.00 and 05.09; 05.11 and later by the PSD 15 schema set.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Era:
    """Format rules of one processing baseline.

    ``psd`` names the schema set ("14.2", "14.5", "14.8", "15.0"); ``user`` and ``pdi`` are the number in the
    namespaces of the user product and of tile and datastrip.
    """

    baseline: str
    psd: str
    user: str
    pdi: str

    @property
    def has_jp2_masks(self) -> bool:
        """JP2 masks and MSK_CLASSI replaced the GML masks with 04.00."""
        return self.baseline >= "04.00"

    @property
    def has_offsets(self) -> bool:
        """Radiometric offsets, snow percentage, DOI, CLOPAR and CAMS came with 04.00."""
        return self.baseline >= "04.00"

    @property
    def has_check_attributes(self) -> bool:
        """Quality flags as ``quality_check[@checkType]`` instead of one element a flag."""
        return self.baseline >= "02.06"

    @property
    def has_tile_sensing_time(self) -> bool:
        """The tile's SENSING_TIME is its own; up to 02.06 it repeats the start of the datastrip."""
        return self.baseline > "02.06"

    @property
    def has_gri_list(self) -> bool:
        """``GRI_List`` instead of a bare ``GRI_FILENAME``."""
        return self.baseline >= "02.06"

    @property
    def has_cast_shadow(self) -> bool:
        """Class 2 of the scene classification is called cast shadow since 05.11."""
        return self.baseline >= "05.11"

    @property
    def checksum(self) -> str:
        """Algorithm of the manifest's checksums."""
        return "SHA3-256" if self.baseline >= "03.01" else "MD5"

    @property
    def sun_zenith_limit_l1c(self) -> float:
        """Limit of the L1C checklist of that time, degrees."""
        return 82.0 if self.baseline >= "04.00" else 180.0

    def namespace(self, kind: str, level: str) -> str:
        """Namespace of the root of "product", "tile" or "datastrip" metadata."""
        if kind == "product":
            return f"https://psd-{self.user}.sentinel2.eo.esa.int/PSD/User_Product_Level-{level[1:]}.xsd"
        part = {"tile": "Tile", "datastrip": "Datastrip"}[kind]
        return f"https://psd-{self.pdi}.sentinel2.eo.esa.int/PSD/S2_PDI_Level-{level[1:]}_{part}_Metadata.xsd"


def era_of(baseline: str) -> Era:
    """The format rules of ``baseline`` ("02.04" .. "05.13").

    Raises:
        ValueError: the text is no baseline, or one older than the compact format.
    """
    if len(baseline) != 5 or baseline[2] != "." or not baseline.replace(".", "").isdigit():
        raise ValueError(f"{baseline!r} is not a processing baseline; write it like '05.11'")
    if baseline < "02.04":
        raise ValueError(f"baseline {baseline} is older than 02.04, the first one that is simulated")
    if baseline < "02.06":
        return Era(baseline, "14.2", "14", "12")
    if baseline < "04.00":
        return Era(baseline, "14.5", "14", "14")
    if baseline < "05.11":
        return Era(baseline, "14.8", "14", "14")
    return Era(baseline, "15.0", "15", "15")
