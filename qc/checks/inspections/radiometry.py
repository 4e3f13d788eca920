"""The numbers that turn counts into reflectance."""

from __future__ import annotations

from mpc.msi.bands import BANDS
from mpc.msi.units import sun_distance_u
from qc.checks.finding import Finding, failed, not_checked, passed, warning
from qc.checks.inspections.common import baseline_number, number, some
from qc.checks.registry import inspection
from qc.checks.subject import Subject

FIRST_WITH_OFFSET = (4, 0)
FIRST_NOT_OF_THE_GROUND_SEGMENT = (90, 0)
"""Baseline 99.99 marks products made elsewhere: nothing is known of their offsets."""

OFFSETS = {"L1B": -100.0, "L1C": -1000.0, "L2A": -1000.0}
QUANTIFICATION = 10000.0
L2A_MAP_QUANTIFICATION = 1000.0
U_TOLERANCE = 1e-6
NO_RADIOMETRY = "neither product nor datastrip metadata could be read"


@inspection(
    id="radiometry.offsets",
    title="Radiometric offsets fit the baseline",
    group="radiometry",
    levels=("L1B", "L1C", "L2A"),
    reference="Products Specification Document 14.9, RADIO_ADD_OFFSET and BOA_ADD_OFFSET (baseline 04.00)",
)
def radiometric_offsets(subject: Subject) -> Finding:
    radiometry, version = subject.radiometry, baseline_number(subject.baseline)
    if radiometry is None:
        return not_checked(NO_RADIOMETRY)
    if version is None or version >= FIRST_NOT_OF_THE_GROUND_SEGMENT:
        return not_checked(f"baseline {subject.baseline or 'unknown'}: what offset it has is not known")
    offsets = radiometry.offsets
    if version < FIRST_WITH_OFFSET:
        set_ones = {band: value for band, value in offsets.items() if value != 0}
        if set_ones:
            return failed(
                f"no offset before baseline 04.00 (this is {subject.baseline})",
                some(f"{band} {value:g}" for band, value in set_ones.items()),
                "an offset is declared in a baseline that has none",
                where=some(set_ones),
                items=[{"band": band, "offset": value} for band, value in set_ones.items()],
            )
        return passed(f"no offset before baseline 04.00 (this is {subject.baseline})", "none")
    wanted = OFFSETS[subject.level or "L1C"]
    expected = f"{wanted:g} for {len(BANDS)} bands"
    wrong = [
        {"band": band.name, "offset": offsets.get(band.name)} for band in BANDS if offsets.get(band.name) != wanted
    ]
    if wrong:
        texts = [f"{w['band']} {'absent' if w['offset'] is None else format(w['offset'], 'g')}" for w in wrong]
        return failed(
            expected,
            some(texts),
            f"{number(len(wrong), 'band has', 'bands have')} another offset or none",
            where=some(str(w["band"]) for w in wrong),
            items=wrong,
        )
    return passed(expected, f"{wanted:g} for all")


@inspection(
    id="radiometry.quantification",
    title="Quantification values fit the level",
    group="radiometry",
    reference="Products Specification Document, QUANTIFICATION_VALUE; QUANTIFICATION_VALUES_LIST of level 2A",
)
def quantification(subject: Subject) -> Finding:
    radiometry = subject.radiometry
    if radiometry is None:
        return not_checked(NO_RADIOMETRY)
    wanted: dict[str, tuple[float, float | None]] = {"reflectance": (QUANTIFICATION, radiometry.quantification)}
    if subject.level == "L2A" and subject.kind == "product":
        wanted["AOT"] = (L2A_MAP_QUANTIFICATION, radiometry.aot_quantification)
        wanted["WVP"] = (L2A_MAP_QUANTIFICATION, radiometry.wvp_quantification)
    expected = ", ".join(f"{name} {told:g}" for name, (told, _) in wanted.items())
    measured = ", ".join(
        f"{name} {'absent' if found is None else format(found, 'g')}" for name, (_, found) in wanted.items()
    )
    wrong = [name for name, (told, found) in wanted.items() if found != told]
    if wrong:
        return failed(
            expected, measured, "counts are scaled by another value than products of this level have", where=some(wrong)
        )
    return passed(expected, measured)


@inspection(
    id="radiometry.sun_distance",
    title="Sun distance factor U follows its formula",
    group="radiometry",
    reference="Level-1C ATBD, reflectance conversion: U = (1 - 0.01673 cos(0.0172 (t - 2)))^-2",
)
def sun_distance(subject: Subject) -> Finding:
    radiometry = subject.radiometry
    if radiometry is None:
        return not_checked(NO_RADIOMETRY)
    if radiometry.u is None:
        return not_checked("the metadata give no U")
    if subject.datatake_start is None:
        return not_checked("the metadata give no start of the datatake")
    wanted = sun_distance_u(subject.datatake_start)
    error = abs(radiometry.u / wanted - 1)
    expected, measured = f"{wanted:.12f}", f"{radiometry.u:.12f}"
    if error > U_TOLERANCE:
        return failed(expected, measured, f"U is off by {error:.2e} of itself; at most {U_TOLERANCE:g} is rounding")
    return passed(expected, measured, f"relative difference {error:.1e}")


@inspection(
    id="radiometry.image_content",
    title="Bands hold an image",
    group="radiometry",
    severity="informative",
    kinds=("product",),
    reference="A band of one value, or of no-data alone, shows nothing",
)
def image_content(subject: Subject) -> Finding:
    if not subject.params.statistics:
        return not_checked("image statistics were left out of this run (parameter statistics)")
    counted = [image for image in subject.pixels.images if image.statistics and image.name not in ("AOT", "WVP")]
    if not counted:
        return not_checked("no band could be counted")
    empty = []
    for image in counted:
        assert image.statistics is not None
        if image.statistics.valid[0] == 0:
            empty.append({"image": image.label, "content": "no-data and saturation alone"})
        elif image.statistics.minimum[0] == image.statistics.maximum[0]:
            empty.append({"image": image.label, "content": f"the single value {image.statistics.minimum[0]}"})
    expected = f"more than one value in {number(len(counted), 'band')}"
    if empty:
        return warning(
            expected,
            f"{len(empty)} constant",
            f"{empty[0]['image']}: {empty[0]['content']}",
            where=some(item["image"] for item in empty),
            items=empty,
        )
    return passed(expected, "all")
