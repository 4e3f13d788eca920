"""The list of ground image processing parameters (GIPP) that a product was made with."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from mpc.msi.bands import BANDS
from mpc.msi.names import InvalidName, parse_gipp_name
from qc.checks.finding import Finding, failed, not_checked, passed, warning
from qc.checks.inspections.common import baseline_number, number, some
from qc.checks.registry import inspection
from qc.checks.subject import Subject

LEVELS = ("L1B", "L1C", "L2A")

BY_BAND = ("R2DECT", "R2DEFI", "R2DENT", "R2EOB2", "R2EQOG", "R2L2NC", "R2WAFI", "VIEDIR")
"""Types with one file for each of the 13 bands."""

L1B_TYPES = [
    "ATMIMA",
    "ATMSAD",
    "BLINDP",
    "CLOINV",
    "DATATI",
    "DECOMP",
    "EARMOD",
    "G2PARA",
    "G2PARE",
    "GEOPAR",
    "INTDET",
    "INVLOC",
    "JP2KPA",
    "LREXTR",
    "MASPAR",
    "OLQCPA",
    "PRDLOC",
    "PROBAS",
    "R2ABCA",
    "R2BINN",
    "R2CRCO",
    "R2DEPI",
    "R2NOMO",
    "R2PARA",
    "R2SWIR",
    "SPAMOD",
]
"""Types with one file for all bands, in the list of every level."""

L1C_TYPES = ("CONVER", "ECMWFP", "RESPAR", "TILPAR")
SINCE_04_00 = ("CLOPAR",)
L2A_TYPES = ("L2ACAC", "L2ACSC", "PROBA2")


def required_types(level: str | None, baseline: str | None) -> dict[str, int] | None:
    """How many files of each type a list must name: 134 in all for L1C to 03.01, 135 since 04.00, 138 for L2A, 130 for
    L1B, as real products have them. None where no real list of the kind is known."""
    version = baseline_number(baseline)
    if version is None or (level == "L2A" and version < (4, 0)) or version >= (90, 0):
        return None
    single = list(L1B_TYPES)
    if level in ("L1C", "L2A"):
        single += L1C_TYPES
        single += SINCE_04_00 if version >= (4, 0) else ()
    if level == "L2A":
        single += L2A_TYPES
    return dict.fromkeys(single, 1) | dict.fromkeys(BY_BAND, len(BANDS))


@inspection(
    id="general.gipp.complete",
    title="The list of processing parameters is complete",
    group="general",
    levels=LEVELS,
    reference="Auxiliary_Data_Info/GIPP_List; Products Specification Document, GIPP types",
)
def gipp_complete(subject: Subject) -> Finding:
    required = required_types(subject.level, subject.baseline)
    if required is None:
        return not_checked(
            f"which types a list of {subject.level} {subject.baseline or 'of unknown baseline'} needs is not known"
        )
    if not subject.gipps:
        if subject.product.record is None and not any(reading.record for reading in subject.datastrips):
            return not_checked("neither product nor datastrip metadata could be read")
        return failed(f"{sum(required.values())} files", "none", "the metadata list no GIPP", where="GIPP_List")
    found = Counter(gipp.type.removeprefix("GIP_") for gipp in subject.gipps)
    short = [
        {"type": name, "expected": wanted, "measured": found.get(name, 0)}
        for name, wanted in sorted(required.items())
        if found.get(name, 0) < wanted
    ]
    expected = f"{sum(required.values())} files of {len(required)} types"
    measured = f"{len(subject.gipps)} files of {len(found)} types"
    if short:
        return failed(
            expected,
            measured,
            f"{number(len(short), 'type')} absent or short: "
            + some(f"{item['type']} {item['measured']} of {item['expected']}" for item in short),
            where=some(str(item["type"]) for item in short),
            items=short,
        )
    return passed(expected, measured)


@inspection(
    id="general.gipp.validity",
    title="Processing parameters were valid for the datatake",
    group="general",
    severity="informative",
    levels=LEVELS,
    reference="File names of GIPP: mission, type and period of validity",
)
def gipp_validity(subject: Subject) -> Finding:
    if not subject.gipps:
        return not_checked("no list of GIPP")
    odd: list[dict[str, str]] = []
    for gipp in subject.gipps:
        problem = _odd_gipp(gipp.name, gipp.type, subject.unit, subject.datatake_start)
        if problem:
            odd.append({"gipp": gipp.name, "problem": problem})
    expected = f"{number(len(subject.gipps), 'file')} of the unit, valid at the datatake"
    if odd:
        return warning(
            expected,
            f"{len(odd)} doubtful",
            f"{odd[0]['gipp']}: {odd[0]['problem']}",
            where=some(item["gipp"][9:19] for item in odd),
            items=odd,
        )
    return passed(expected, "all")


def _odd_gipp(name: str, type_: str, unit: str | None, when: datetime | None) -> str:
    try:
        parts = parse_gipp_name(name)
    except InvalidName as error:
        return str(error)
    if parts.type != type_.removeprefix("GIP_"):
        return f"listed as {type_}"
    if unit and parts.mission not in (unit, "S2_"):
        return f"made for {parts.mission}, not {unit}"
    if when and when < parts.start:
        return f"valid from {parts.start:%Y-%m-%d %H:%M}, after the datatake"
    if when and parts.stop and when >= parts.stop:
        return f"valid to {parts.stop:%Y-%m-%d %H:%M}, before the datatake"
    return ""
