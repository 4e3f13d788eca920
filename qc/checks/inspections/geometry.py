"""Orbits and angles."""

from __future__ import annotations

from mpc.msi.units import relative_orbit
from qc.checks.finding import Finding, failed, not_checked, passed
from qc.checks.inspections.common import DATASTRIP_LEVELS
from qc.checks.registry import inspection
from qc.checks.subject import Subject

L2A_ZENITH_LIMIT = 70.0
L1C_ZENITH_LIMIT = 82.0
ZENITH_CHECK = "Solar_Angle_Zenith"


@inspection(
    id="geometry.sun_zenith",
    title="Sun zenith angle within the limit of its level",
    group="geometry",
    kinds=("product",),
    reference="On-line quality control check Solar_Angle_Zenith; checklist limits 70 (L2A), 82 (L1C since 2022)",
)
def sun_zenith(subject: Subject) -> Finding:
    angles = {
        granule.tile or granule.id: reading.record.sun_zenith
        for granule, reading in zip(subject.safe.granules, subject.tiles, strict=True)
        if reading.record is not None and reading.record.sun_zenith is not None
    }
    if not angles:
        problem = next((reading.problem for reading in subject.tiles if reading.problem), "")
        return not_checked(problem or "the tile metadata give no mean sun angle")
    limit, source = _zenith_limit(subject)
    tile, worst = max(angles.items(), key=lambda item: item[1])
    expected, measured = f"at most {limit:g} degrees", f"{worst:.3f} degrees"
    if worst > limit:
        return failed(expected, measured, f"the sun is too low; limit of {source}", where=f"tile {tile}")
    if len(angles) < len(subject.safe.granules):
        return not_checked(
            f"{len(subject.safe.granules) - len(angles)} tiles give no mean sun angle", expected=expected
        )
    return passed(expected, measured, f"limit of {source}", where=f"tile {tile}")


def _zenith_limit(subject: Subject) -> tuple[float, str]:
    """The limit belongs to the checklist that the product was made with: for L1C it has been 180 and 82 degrees."""
    if subject.level == "L2A":
        return L2A_ZENITH_LIMIT, "level 2A"
    for report in subject.olqc:
        for check in report.checks:
            limit = _as_number(check.values.get("EXPECTED")) if check.id == ZENITH_CHECK else None
            if limit is not None:
                return limit, f"the product's checklist {report.parent}"
    return L1C_ZENITH_LIMIT, "the checklist of 2022, since the product's own reports name none"


@inspection(
    id="geometry.relative_orbit",
    title="Relative orbit fits the absolute orbit",
    group="geometry",
    levels=DATASTRIP_LEVELS,
    reference="Orbit cycle of 143; slots of the units by date",
)
def orbit_numbers(subject: Subject) -> Finding:
    record = subject.product.record or next((r.record for r in subject.datastrips if r.record), None)
    if record is None:
        return not_checked("neither product nor datastrip metadata could be read")
    absolute, told, start = record.absolute_orbit, record.relative_orbit, record.datatake_start
    if absolute is None or told is None or start is None:
        return not_checked("the metadata lack the absolute orbit, the relative orbit or the start of the datatake")
    unit = record.unit or subject.unit or ""
    expected = relative_orbit(unit, absolute, start)
    if expected is None:
        return not_checked(f"the slot of {unit or 'this unit'} on {start:%Y-%m-%d} is not known")
    if expected != told:
        return failed(
            f"R{expected:03d}",
            f"R{told:03d}",
            f"absolute orbit {absolute} of {unit} on {start:%Y-%m-%d} is another relative orbit",
        )
    return passed(f"R{expected:03d}", f"R{told:03d}", f"from absolute orbit {absolute}")


def _as_number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value <= 180 else None
