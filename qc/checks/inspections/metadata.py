"""Facts in the metadata that cannot be true."""

from __future__ import annotations

from qc.checks.finding import Finding, failed, not_checked, passed
from qc.checks.inspections.common import ALL_LEVELS, base, number, some
from qc.checks.registry import inspection
from qc.checks.subject import Subject


@inspection(
    id="general.metadata.readable",
    title="Metadata of product, datastrip and tile can be read",
    group="general",
    levels=ALL_LEVELS,
    reference="Products Specification Document, metadata of product, datastrip and tile",
)
def metadata_readable(subject: Subject) -> Finding:
    expected = number(len(subject.metadata), "metadata file")
    unreadable = [reading for reading in subject.metadata if reading.record is None]
    if not subject.datastrips and subject.safe.layout in ("compact", "old"):
        problems = ["there is no datastrip"]
    else:
        problems = []
    problems += [reading.problem for reading in unreadable]
    if problems:
        return failed(
            expected,
            f"{len(problems)} not read",
            problems[0] if len(problems) == 1 else f"{problems[0]}; and {len(problems) - 1} more",
            where=some(base(reading.path) if reading.path else "absent" for reading in unreadable) or "DATASTRIP",
            items=problems,
        )
    return passed(expected, "all read")


@inspection(
    id="general.metadata.plausible",
    title="No fact of the metadata is impossible",
    group="general",
    levels=ALL_LEVELS,
    reference="Ranges: percentages 0 to 100, relative orbits 1 to 143, dates of the mission, finite numbers",
)
def metadata_plausible(subject: Subject) -> Finding:
    read = [reading for reading in subject.metadata if reading.record is not None]
    if not read:
        return not_checked("no metadata could be read")
    absurd = [(reading.path or "", text) for reading in read for text in reading.absurd]
    if absurd:
        return failed(
            "none",
            number(len(absurd), "impossible fact"),
            absurd[0][1] if len(absurd) == 1 else f"{absurd[0][1]}; and {len(absurd) - 1} more",
            where=some(dict.fromkeys(base(path) for path, _ in absurd)),
            items=[{"file": path, "problem": text} for path, text in absurd],
        )
    return passed("none", "none")
