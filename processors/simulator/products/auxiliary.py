"""Lists of GIPP and auxiliary files, as product and datastrip metadata name them.

Types and numbers of entries: 134 up to 03.01, 135 with CLOPAR from 04.00, 138 in L2A product metadata (read from
products of 2017, 2018, 2022, 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from processors.simulator.instrument import BAND_NAMES
from processors.simulator.products.spec import ProductSpec, stamp
from processors.simulator.products.xmltree import add

_SINGLE = (
    "ATMIMA", "ATMSAD", "BLINDP", "CLOINV", "CONVER", "DATATI", "DECOMP", "EARMOD", "ECMWFP", "G2PARA", "G2PARE",
    "GEOPAR", "INTDET", "INVLOC", "JP2KPA", "LREXTR", "MASPAR", "OLQCPA", "PRDLOC", "PROBAS", "R2ABCA", "R2BINN",
    "R2CRCO", "R2DEPI", "R2NOMO", "R2PARA", "R2SWIR", "RESPAR", "SPAMOD", "TILPAR",
)  # fmt: skip
_BY_BAND = ("R2DECT", "R2DEFI", "R2DENT", "R2EOB2", "R2EQOG", "R2L2NC", "R2WAFI", "VIEDIR")
_MONTHLY = ("R2ABCA", "R2EQOG")
_FIXED_VERSION = {"CONVER": "999", "DECOMP": "0000", "OLQCPA": "0000"}
_LAUNCH = {
    "S2A": datetime(2015, 6, 22),
    "S2B": datetime(2017, 1, 1),
    "S2C": datetime(2024, 9, 4),
    "S2D": datetime(2026, 1, 1),
}


@dataclass(frozen=True)
class GippEntry:
    type: str
    version: str
    name: str


def gipp_list(spec: ProductSpec, *, with_l2a: bool) -> list[GippEntry]:
    """GIPP entries valid at the datatake; ``with_l2a`` adds the three that only L2A product metadata list."""
    singles = list(_SINGLE)
    if spec.era.has_offsets:
        singles.append("CLOPAR")
    entries = [_entry(spec, kind, "B00") for kind in sorted(singles)]
    entries += [_entry(spec, kind, f"B{band[1:]}") for kind in _BY_BAND for band in BAND_NAMES]
    if with_l2a:
        entries += [_entry(spec, kind, "B00") for kind in ("L2ACAC", "L2ACSC", "PROBA2")]
    return entries


def _entry(spec: ProductSpec, kind: str, band: str) -> GippEntry:
    launch = _LAUNCH[spec.unit]
    months = (spec.start.year - launch.year) * 12 + spec.start.month - launch.month
    start = launch
    created = launch - timedelta(days=17, hours=-9, minutes=-47, seconds=-36)
    version = f"{1 + sum(kind.encode()) % 9:04d}"
    stop = "21000101T000000"
    unit = spec.unit
    if kind in _MONTHLY:
        # renewed after each diffuser acquisition; both files of one date carry numbers of their own
        start = datetime(spec.start.year, spec.start.month, 1, 1)
        created = start - timedelta(days=2, hours=7)
        version = f"{max(1, months) + (1 if kind == 'R2ABCA' else 0):04d}"
        if not spec.era.has_check_attributes:
            stop = "99999999T999999"
    elif kind in ("PROBAS", "PROBA2"):
        version = spec.baseline.replace(".", "")
    elif kind in ("L2ACAC", "L2ACSC"):
        version = "21200"
    elif kind == "EARMOD":
        unit = "S2_"
    version = _FIXED_VERSION.get(kind, version)
    name = f"{unit}_OPER_GIP_{kind}_MPC__{stamp(created)}_V{stamp(start)}_{stop}_{band}"
    return GippEntry(f"GIP_{kind}", version, name)


def olqc_parameters(spec: ProductSpec) -> str:
    """Name of the OLQC checklist file that reports call their parent."""
    entry = _entry(spec, "OLQCPA", "B00")
    return entry.name.rsplit("_", 2)[0]


def iers_bulletin(spec: ProductSpec) -> str:
    day = (spec.start - timedelta(days=4)).replace(hour=0, minute=0, second=0, microsecond=0)
    return f"S2__OPER_AUX_UT1UTC_PDMC_{stamp(day)}_V{stamp(day)}_{stamp(day + timedelta(days=364))}"


def ecmwf_data(spec: ProductSpec) -> str:
    base = spec.start.replace(hour=0, minute=0, second=0, microsecond=0)
    centre = "ADG_" if spec.era.has_offsets else "PDMC"
    return (
        f"S2__OPER_AUX_ECMWFD_{centre}_{stamp(base)}_V{stamp(base + timedelta(hours=9))}"
        f"_{stamp(base + timedelta(hours=51))}"
    )


def cams_data(spec: ProductSpec) -> str:
    base = spec.start.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"S2__OPER_AUX_CAMSFO_ADG__{stamp(base)}_V{stamp(base)}_{stamp(base + timedelta(hours=49))}"


def gri_file(spec: ProductSpec) -> str | None:
    """The global reference image: used by the refined products of Collection 1 and later, from 05.00 on."""
    if spec.baseline >= "05.00":
        return f"S2A_OPER_GRI_MSIL1B_MPC__20161018T120000_S201508{1 + spec.orbit % 28:02d}T115551"
    if not spec.era.has_gri_list:
        return f"S2A_OPER_AUX_GRI{spec.orbit:03d}_PDMC_20130621T120000_S20130101T000000"
    return None


DEM = "S2__OPER_DEM_GLOBEF_PDMC_19800101T000000_S19800101T000000"


def add_gipp_list(parent: etree._Element, entries: list[GippEntry]) -> None:
    element = add(parent, "GIPP_List")
    for entry in entries:
        add(element, "GIPP_FILENAME", entry.name, {"type": entry.type, "version": entry.version})


def add_gri(parent: etree._Element, spec: ProductSpec) -> None:
    """``GRI_List``, or in the oldest products the bare file name."""
    name = gri_file(spec)
    if spec.era.has_gri_list:
        element = add(parent, "GRI_List")
        if name:
            add(element, "GRI_FILENAME", name)
    elif name:
        add(parent, "GRI_FILENAME", name)


def add_l2a_sources(parent: etree._Element) -> None:
    """Look-up tables and maps that Sen2Cor used."""
    add(add(parent, "LUT_List"), "LUT_FILENAME", "None")
    add(parent, "SNOW_CLIMATOLOGY_MAP", "GlobalSnowMap.tiff")
    add(parent, "ESACCI_WaterBodies_Map", "ESACCI-LC-L4-WB-Map-150m-P13Y-2000-v4.0.tif")
    add(parent, "ESACCI_LandCover_Map", "ESACCI-LC-L4-LCCS-Map-300m-P1Y-2015-v2.0.7.tif")
    add(parent, "ESACCI_SnowCondition_Map_Dir", "ESACCI-LC-L4-Snow-Cond-500m-MONTHLY-2000-2012-v2.4")
