"""What the ground segment's own on-line quality control had said of the product."""

from __future__ import annotations

from mpc.msi.olqc import expected_reports
from mpc.msi.records import OlqcReport
from mpc.msi.safe import GranuleParts
from qc.checks.finding import Finding, failed, not_checked, passed, warning
from qc.checks.inspections.common import NO_SCHEMAS, number, some
from qc.checks.registry import inspection
from qc.checks.subject import Subject

LEVELS = ("L1B", "L1C", "L2A")
REFERENCE = "OLQC_Report.xsd; Products Specification Document, QI_DATA"
PASSED = "PASSED"


@inspection(
    id="general.olqc.present",
    title="Every report of the on-line quality control is there",
    group="general",
    levels=LEVELS,
    reference=REFERENCE,
)
def reports_present(subject: Subject) -> Finding | None:
    if subject.level is None:
        return not_checked("the level of the product is not known")
    wanted = _wanted(subject)
    have = set(_listed(subject))
    if not wanted:
        return None
    absent = [f"{part} {kind}" for part, kind in wanted if (part, kind) not in have]
    expected = number(len(wanted), "report")
    if absent:
        return failed(
            expected,
            f"{len(absent)} absent",
            f"{number(len(absent), 'report')} absent",
            where=some(absent),
            items=absent,
        )
    return passed(expected, "all there")


@inspection(
    id="general.olqc.readable",
    title="Reports of the on-line quality control can be read",
    group="general",
    levels=LEVELS,
    reference=REFERENCE,
)
def reports_readable(subject: Subject) -> Finding | None:
    if not subject.olqc:
        return _no_reports(subject)
    broken = [report for report in subject.olqc if not report.readable]
    expected = f"{number(len(subject.olqc), 'report')} read"
    if broken:
        return failed(
            expected,
            f"{len(broken)} not",
            broken[0].problem,
            where=some(_title(report) for report in broken),
            items=[{"file": report.path, "problem": report.problem} for report in broken],
        )
    return passed(expected, "all")


@inspection(
    id="general.olqc.schema",
    title="Reports of the on-line quality control fit their schema",
    group="general",
    levels=LEVELS,
    reference=REFERENCE,
)
def reports_fit_schema(subject: Subject) -> Finding | None:
    if not subject.olqc:
        return _no_reports(subject)
    if subject.schemas is None:
        return not_checked(NO_SCHEMAS)
    readable = [report for report in subject.olqc if report.readable]
    if not readable:
        return not_checked("no report could be read")
    invalid = [report for report in readable if report.schema_valid is False]
    unknown = [report for report in readable if report.schema_valid is None]
    expected = f"{number(len(readable), 'report')} valid"
    if invalid:
        return failed(
            expected,
            f"{len(invalid)} not",
            f"{_title(invalid[0])}: {invalid[0].problem}",
            where=some(_title(report) for report in invalid),
            items=[{"file": report.path, "problem": report.problem} for report in invalid],
        )
    if unknown:
        return not_checked(
            f"no schema for {number(len(unknown), 'report')}",
            expected=expected,
            where=some(_title(report) for report in unknown),
            items=[{"file": report.path, "problem": report.problem} for report in unknown],
        )
    return passed(expected, "all")


@inspection(
    id="general.olqc.status",
    title="Reports of the on-line quality control say PASSED",
    group="general",
    levels=LEVELS,
    reference=REFERENCE + "; report/@globalStatus",
)
def reports_passed(subject: Subject) -> Finding | None:
    if not subject.olqc:
        return _no_reports(subject)
    readable = [report for report in subject.olqc if report.readable]
    if not readable:
        return not_checked("no report could be read")
    expected = f"{number(len(readable), 'report')} PASSED"
    bad = [report for report in readable if report.status != PASSED]
    if bad:
        failing = _failing(bad[0])
        return failed(
            expected,
            f"{len(bad)} not",
            f"{_title(bad[0])} says {bad[0].status}" + (f"; {failing[0]}" if failing else ""),
            where=some(_title(report) for report in bad),
            items=[{"file": r.path, "status": r.status, "checks": _failing(r)} for r in bad],
        )
    remarked = [report for report in readable if _failing(report)]
    if remarked:
        return warning(
            expected,
            "all, with remarks",
            f"{_title(remarked[0])} says PASSED although {_failing(remarked[0])[0]}",
            where=some(_title(report) for report in remarked),
            items=[{"file": r.path, "status": r.status, "checks": _failing(r)} for r in remarked],
        )
    return passed(expected, "all")


@inspection(
    id="general.quality_flags",
    title="The product's own quality flags say PASSED and agree with the reports",
    group="general",
    kinds=("product",),
    reference="Product metadata, Quality_Control_Checks/Quality_Inspections and Failed_Inspections",
)
def quality_flags(subject: Subject) -> Finding:
    record = subject.product.record
    if record is None:
        return not_checked(subject.product.problem)
    if not record.quality_flags:
        return not_checked("the product metadata hold no quality flags")
    not_passed = [f"{flag.name} is flagged {flag.status}" for flag in record.quality_flags if flag.status != PASSED]
    by_name: dict[str, list[OlqcReport]] = {}
    for report in subject.olqc:
        if report.readable:
            by_name.setdefault(report.report, []).append(report)
    contradictions = []
    for flag in record.quality_flags:
        reports = by_name.get(flag.name, [])
        failing = [report for report in reports if report.status != PASSED]
        if flag.status == PASSED and failing:
            contradictions.append(f"{flag.name} is flagged PASSED but {_title(failing[0])} says {failing[0].status}")
        elif flag.status != PASSED and reports and not failing:
            contradictions.append(f"{flag.name} is flagged {flag.status} but every report of it says PASSED")
    listed = [f"{name} is listed among the failed reports" for name in record.failed_reports]
    expected = f"{number(len(record.quality_flags), 'flag')} PASSED, as the reports say"
    problems = not_passed + contradictions + listed
    if problems:
        return failed(
            expected,
            some(not_passed) or f"{len(contradictions) + len(listed)} contradictions",
            problems[0],
            where="Quality_Inspections",
            items=problems,
        )
    return passed(expected, "all PASSED" + ("" if by_name else "; no report to compare with"))


def _listed(subject: Subject) -> list[tuple[str, str]]:
    """(part, report) of every report that is there."""
    found = [(f"datastrip {part.id}", kind) for part in subject.safe.datastrips for kind in part.reports]
    return found + [(f"granule {part.id}", kind) for part in _granules(subject) for kind in part.reports]


def _wanted(subject: Subject) -> list[tuple[str, str]]:
    """(part, report) of every report that must be there; a product has at least one datastrip."""
    level = subject.level or ""
    strips = [f"datastrip {part.id}" for part in subject.safe.datastrips] or ["datastrip"]
    wanted = [(strip, kind) for strip in strips for kind in expected_reports(level, "datastrip", subject.baseline)]
    return wanted + [
        (f"granule {part.id}", kind)
        for part in _granules(subject)
        for kind in expected_reports(level, "granule", subject.baseline)
    ]


def _granules(subject: Subject) -> tuple[GranuleParts, ...]:
    return subject.safe.granules if subject.kind == "product" else ()


def _no_reports(subject: Subject) -> Finding | None:
    """Where reports should be it is not checked; products of early baselines bring none."""
    if subject.level and not _wanted(subject):
        return None
    return not_checked("no report of the on-line quality control in this product")


def _failing(report: OlqcReport) -> list[str]:
    """The single checks that did not pass; those of L2A_QUALITY have no status."""
    return [f"{check.id}: {check.message}" for check in report.checks if check.status not in ("", PASSED)]


def _title(report: OlqcReport) -> str:
    return f"{report.report} ({report.scope})"
