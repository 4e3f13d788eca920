"""XML: well formed, and valid against the schema set of its format version."""

from __future__ import annotations

from qc.checks.finding import Finding, failed, not_checked, passed
from qc.checks.inspections.common import ALL_LEVELS, NO_SCHEMAS, base, number, some
from qc.checks.registry import inspection
from qc.checks.subject import Subject


@inspection(
    id="format.xml.wellformed",
    title="XML files are well formed",
    group="format",
    levels=ALL_LEVELS,
    reference="XML 1.0, section 2.1; no DOCTYPE, no entities",
)
def well_formed(subject: Subject) -> Finding:
    if not subject.xml_files:
        return not_checked("no XML file in this product")
    wrong: list[dict[str, str]] = []
    for done, path in enumerate(subject.xml_files):
        subject.progress(done / len(subject.xml_files), f"Reading {base(path)}")
        _, problem = subject.parse(path)
        if problem:
            wrong.append({"file": path, "problem": problem})
    expected = f"{number(len(subject.xml_files), 'XML file')} well formed"
    if wrong:
        return failed(
            expected,
            f"{len(wrong)} not",
            wrong[0]["problem"] if len(wrong) == 1 else f"{len(wrong)} files, first: {wrong[0]['problem']}",
            where=some(base(item["file"]) for item in wrong),
            items=wrong,
        )
    return passed(expected, "all")


@inspection(
    id="format.xml.schema",
    title="Metadata are valid against their schema",
    group="format",
    levels=ALL_LEVELS,
    reference="PSD schema sets 14.2 to 15, chosen by namespace and baseline",
)
def valid_by_schema(subject: Subject) -> Finding:
    if subject.schemas is None:
        return not_checked(NO_SCHEMAS)
    files = [
        reading.path for reading in subject.metadata if reading.path and subject.safe.container.exists(reading.path)
    ]
    if not files:
        return not_checked("no metadata file in this product")
    invalid: list[dict[str, object]] = []
    blind: list[dict[str, object]] = []
    sets: set[str] = set()
    for path in files:
        root, problem = subject.parse(path)
        if root is None:
            blind.append({"file": path, "problem": problem})
            continue
        validation = subject.schemas.validate(root, baseline=subject.baseline)
        sets.add(validation.schema)
        if validation.status == "invalid":
            invalid.append({"file": path, "schema": validation.schema, "problems": list(validation.errors)})
        elif validation.status != "valid":
            blind.append({"file": path, "problem": validation.reason})
    expected = f"{number(len(files), 'metadata file')} valid"
    if invalid:
        first = invalid[0]["problems"]
        return failed(
            expected,
            f"{len(invalid)} not",
            f"breaks its schema: {first[0] if isinstance(first, list) and first else ''}",
            where=some(base(str(item["file"])) for item in invalid),
            items=invalid + blind,
        )
    if blind:
        return not_checked(
            str(blind[0]["problem"]),
            expected=expected,
            where=some(base(str(item["file"])) for item in blind),
            items=blind,
        )
    return passed(expected, "all", f"schema {some(sorted(sets))}")
