"""Reports of the on-line quality control of the ground segment, and L2A_QUALITY of the L2A processor.

Source: schemas ``OLQC_Report.xsd`` and ``L2A_QUALITY.xsd`` of the products specification, and real reports of 2017 to
2023. In these files every element is in the namespace of the root. What they say is kept as written: a status is not
translated, an extra value stays a text (lists of L2A_QUALITY are written as Python does).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from mpc.msi.metadata import read_time
from mpc.msi.records import OlqcCheck, OlqcReport
from mpc.msi.schemas import SchemaLibrary
from mpc.msi.xmlio import XmlProblem, local_name, parse_xml

KINDS = (
    "FORMAT_CORRECTNESS",
    "GENERAL_QUALITY",
    "GEOMETRIC_QUALITY",
    "RADIOMETRIC_QUALITY",
    "SENSOR_QUALITY",
    "L2A_QUALITY",
)
"""Names of the reports."""

MAX_BYTES = 16 << 20
"""Largest report that is read; real ones stay below 100 kB."""

MAX_CHECKS = 5000
_MAX_VALUES = 500
_MAX_TEXT = 4000

_GLOBAL_STATUSES = ("PASSED", "FAILED", "ERROR")
_LEVEL_1 = frozenset({"FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", "SENSOR_QUALITY"})
_DATASTRIP = _LEVEL_1 | {"RADIOMETRIC_QUALITY"}
_EXPECTED: dict[tuple[str, str], frozenset[str]] = {
    ("L0", "datastrip"): _LEVEL_1,
    ("L0", "granule"): _LEVEL_1 - {"GEOMETRIC_QUALITY"},
    **{(level, "datastrip"): _DATASTRIP for level in ("L1A", "L1B", "L1C", "L2A")},
    **{(level, "granule"): _LEVEL_1 for level in ("L1A", "L1B", "L1C", "L2A")},
}
_BASELINE = re.compile(r"\d\d\.\d\d", re.ASCII)
_REPORTS_SINCE = "02.06"
_L2A_QUALITY_SINCE = "04.00"


def expected_reports(level: str, scope: str, baseline: str | None) -> tuple[str, ...]:
    """Which reports must be there, by level ("L0".."L2A") and scope ("datastrip", "granule"; a tile is a granule).

    User products bring their reports since baseline 02.06 (the manifests of 02.04 list none), L2A tiles bring
    L2A_QUALITY since 04.00. Without a baseline those are named that all products since 02.06 have.

    >>> expected_reports("L1C", "granule", "05.09")
    ('FORMAT_CORRECTNESS', 'GENERAL_QUALITY', 'GEOMETRIC_QUALITY', 'SENSOR_QUALITY')
    """
    scope = "granule" if scope == "tile" else scope
    names = _EXPECTED.get((level, scope), frozenset())
    known = baseline if baseline and _BASELINE.fullmatch(baseline) else ""
    if known and known < _REPORTS_SINCE:
        return ()
    if level == "L2A" and scope == "granule" and known >= _L2A_QUALITY_SINCE:
        names = names | {"L2A_QUALITY"}
    return tuple(name for name in KINDS if name in names)


def report_kind(path: str) -> str:
    """Kind of a report by its file name, ``QI_DATA/FORMAT_CORRECTNESS.xml`` or ``<id>_FORMAT_CORRECTNESS_report.xml``.

    The name itself without suffix where it is none of :data:`KINDS`.
    """
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    stem = name.removesuffix(".xml").removesuffix("_report")
    return next((kind for kind in KINDS if stem == kind or stem.endswith(f"_{kind}")), stem)


def read_olqc_report(
    data: bytes,
    *,
    path: str,
    scope: str,
    schemas: SchemaLibrary | None = None,
    baseline: str | None = None,
) -> OlqcReport:
    """A report as a record. Never raises: what cannot be read is a record too, with status "ERROR" and a problem.

    Args:
        data: the file.
        path: its path in the product, for the record and for the report's kind where the file does not tell it.
        scope: "datastrip", "granule" or "product", of what is around it.
        schemas: validates the report, if given.
        baseline: of the product; it chooses among several schemas of reports.
    """
    kind = report_kind(path)
    try:
        root = parse_xml(data, what=path, limit=MAX_BYTES)
    except XmlProblem as problem:
        return _unreadable(kind, scope, path, str(problem))
    name = local_name(root)
    report = root.find("{*}Data_Block/{*}report")
    if name not in ("Earth_Explorer_File", "L2A_Quality_File"):
        return _unreadable(kind, scope, path, f"{path} is no quality report: its root element is {name[:80]!r}")
    if report is None:
        return _unreadable(kind, scope, path, f"{path} has no Data_Block/report")

    lists = report.findall("{*}checkList")
    first = lists[0] if lists else None
    names = list(dict.fromkeys(filter(None, (_text(item, "name") for item in lists))))
    checks = tuple(_checks(lists))
    date, odd_date = _date(report)
    status = (report.get("globalStatus") or "").strip()[:_MAX_TEXT]
    problems = [
        *_status_problems(status, checks),
        *([odd_date] if odd_date else []),
        *_kind_problems(name, kind, names),
    ]
    valid, misfit = _validate(root, schemas, baseline)
    return OlqcReport(
        report="L2A_QUALITY" if name == "L2A_Quality_File" else (names[0] if names else kind),
        scope=scope,
        item=_attribute(first, "item", "name"),
        path=path,
        status=status or "ERROR",
        version=_text(first, "version"),
        checklist=" ".join(names),
        parent=_text(first, "parentID"),
        date=date,
        checks=checks,
        schema_valid=valid,
        problem="; ".join([*problems, *([misfit] if misfit else [])]),
        gipp_version=(report.get("gippVersion") or "").strip()[:_MAX_TEXT],
        software=_software(root),
    )


def _unreadable(kind: str, scope: str, path: str, problem: str) -> OlqcReport:
    return OlqcReport(kind, scope, "", path, "ERROR", "", "", "", None, (), readable=False, problem=problem)


def _checks(lists: list[Any]) -> Iterator[OlqcCheck]:
    count = 0
    for checklist in lists:
        list_name = _text(checklist, "name")
        for place, check in enumerate(checklist.findall("{*}check"), start=1):
            count += 1
            if count > MAX_CHECKS:
                return
            inspection = check.find("{*}inspection")
            told = dict(inspection.attrib) if inspection is not None else {}
            yield OlqcCheck(
                id=_cut(told.get("id", "")) or f"{list_name}.{place}",
                name=_cut(told.get("name", "")) or list_name,
                status=_cut(told.get("status", "")),
                message=_text(check, "message"),
                processing_status=_cut(told.get("processingStatus", "")),
                item=_cut(told.get("item", "")),
                values=_values(check),
            )


def _values(check: Any) -> dict[str, str]:
    """Extra values by name; a name that comes again gets a number, so that none is lost."""
    values: dict[str, str] = {}
    for place, item in enumerate(check.findall("{*}extraValues/{*}value")[:_MAX_VALUES], start=1):
        name = _cut(item.get("name") or "") or f"value {place}"
        values[name if name not in values else f"{name} ({place})"] = _cut(item.text or "")
    return values


def _status_problems(status: str, checks: tuple[OlqcCheck, ...]) -> Iterator[str]:
    if not status:
        yield "the report has no globalStatus"
    elif status not in _GLOBAL_STATUSES:
        yield f"globalStatus {status[:40]!r} is none of {', '.join(_GLOBAL_STATUSES)}"
    if not checks:
        yield "the report has no checks"
    contrary = [check.id for check in checks if check.status in ("FAILED", "ERROR")]
    if status == "PASSED" and contrary:
        yield f"globalStatus is PASSED although these checks are not: {', '.join(contrary[:5])[:300]}"


def _kind_problems(root_name: str, kind: str, names: list[str]) -> Iterator[str]:
    """The check list inside and the name of the file should be the same."""
    if root_name == "L2A_Quality_File":
        if kind != "L2A_QUALITY":
            yield f"the file is named {kind[:80]} but holds L2A_QUALITY"
    elif not names:
        yield "the report does not name its check list"
    elif kind not in names:
        yield f"the file is named {kind[:80]} but holds {' '.join(names)[:200]}"


def _validate(root: Any, schemas: SchemaLibrary | None, baseline: str | None) -> tuple[bool | None, str]:
    if schemas is None:
        return None, ""
    found = schemas.validate(root, baseline=baseline)
    if found.status == "valid":
        return True, ""
    if found.status == "invalid":
        more = f" (and {len(found.errors) - 1} more)" if len(found.errors) > 1 else ""
        return (
            False,
            f"does not fit its schema {found.schema}: {found.errors[0] if found.errors else found.reason}{more}",
        )
    return None, ""


def _date(report: Any) -> tuple[datetime | None, str]:
    text = (report.get("date") or "").strip()
    if not text:
        return None, "the report has no date"
    date, why = read_time(text)
    return date, f"date {text[:40]!r} is {why}" if why else ""


def _software(root: Any) -> str:
    header = next(root.iterfind(".//{*}Fixed_Header"), None)
    parts = (_text(header, "Source", "Creator"), _text(header, "Source", "Creator_Version"))
    return " ".join(part for part in parts if part)


def _text(element: Any | None, *path: str) -> str:
    found = None if element is None else element.find("/".join(f"{{*}}{part}" for part in path))
    return "" if found is None else _cut(found.text or "")


def _attribute(element: Any | None, path: str, name: str) -> str:
    found = None if element is None else element.find(f"{{*}}{path}")
    return "" if found is None else _cut(found.get(name) or "")


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}.."
