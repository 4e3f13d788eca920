"""Does the product hold what its manifest says?"""

from __future__ import annotations

from mpc.msi.container import ContainerError
from mpc.msi.safe import ManifestEntry
from qc.checks.finding import Finding, failed, not_checked, passed, warning
from qc.checks.inspections.common import ALL_LEVELS, base, number, some
from qc.checks.registry import inspection
from qc.checks.subject import Subject

REFERENCE = "SAFE manifest, dataObjectSection; Products Specification Document, product structure"

NEVER_LISTED = ("manifest.safe", "rep_info/", "HTML/")
"""Real manifests list themselves, the schema stubs and the pictures of the HTML page nowhere."""


@inspection(
    id="format.manifest.present",
    title="Every file of the manifest is there",
    group="format",
    levels=ALL_LEVELS,
    reference=REFERENCE,
)
def files_present(subject: Subject) -> Finding:
    manifest = subject.manifest
    if manifest.path is None:
        return not_checked(manifest.problem)
    if manifest.problem:
        return failed("a manifest that can be read", "none", manifest.problem, where=manifest.path)
    if not manifest.entries:
        return failed("a manifest that lists files", "none listed", "the manifest lists no file", where=manifest.path)
    absent = [entry.path for entry in manifest.entries if not subject.safe.container.exists(entry.path)]
    expected = f"{number(len(manifest.entries), 'file')} listed"
    if absent:
        return failed(
            expected,
            f"{len(absent)} absent",
            f"the manifest lists {number(len(absent), 'file')} that the product does not hold",
            where=some(map(base, absent)),
            items=absent,
        )
    return passed(expected, "all there")


@inspection(
    id="format.manifest.size",
    title="Files have the size that the manifest says",
    group="format",
    levels=ALL_LEVELS,
    reference=REFERENCE,
)
def file_sizes(subject: Subject) -> Finding:
    blind = _cannot_compare(subject)
    if blind:
        return blind
    container = subject.safe.container
    told = [entry for entry in _there(subject) if entry.size is not None]
    if not told:
        return not_checked("the manifest says the size of no file that is there")
    wrong = [
        {"file": entry.path, "expected": entry.size, "measured": container.size(entry.path)}
        for entry in told
        if container.size(entry.path) != entry.size
    ]
    expected = f"sizes of {number(len(told), 'file')}"
    if wrong:
        return failed(
            expected,
            f"{len(wrong)} differ",
            f"{number(len(wrong), 'file has', 'files have')} another size than the manifest says",
            where=some(base(str(item["file"])) for item in wrong),
            items=wrong,
        )
    return passed(expected, "all as listed", _left_out(subject))


@inspection(
    id="format.manifest.checksum",
    title="Files have the checksum that the manifest says",
    group="format",
    levels=ALL_LEVELS,
    reference=REFERENCE + "; MD5 up to baseline 03.00, SHA3-256 since",
)
def file_checksums(subject: Subject) -> Finding:
    blind = _cannot_compare(subject)
    if blind:
        return blind
    if not subject.params.checksums:
        return not_checked("checksums were left out of this run (parameter checksums)")
    told = subject.digests.entries
    if not told:
        return not_checked("the manifest says the checksum of no file that is there")
    wrong: list[dict[str, str]] = []
    unknown: list[dict[str, str]] = []
    for done, entry in enumerate(told):
        subject.progress(done / len(told), f"Comparing checksums: {base(entry.path)}")
        try:
            measured = subject.digests.measured(entry.path)
        except ContainerError as error:
            measured = f"unreadable: {error}"
        except ValueError as error:
            unknown.append({"file": entry.path, "problem": str(error)})
            continue
        if measured != entry.checksum:
            wrong.append({"file": entry.path, "expected": entry.checksum or "", "measured": measured})
    expected = f"{'/'.join(sorted({entry.checksum_name or '' for entry in told}))} of {number(len(told), 'file')}"
    if wrong:
        return failed(
            expected,
            f"{len(wrong)} differ",
            f"{number(len(wrong), 'file does', 'files do')} not hold what the manifest was written for",
            where=some(base(item["file"]) for item in wrong),
            items=wrong + unknown,
        )
    if unknown:
        return not_checked(
            f"{number(len(unknown), 'checksum')} cannot be recomputed: {unknown[0]['problem']}", items=unknown
        )
    return passed(expected, "all as listed", _left_out(subject))


@inspection(
    id="format.manifest.extra",
    title="Every file is listed in the manifest",
    group="format",
    severity="informative",
    levels=ALL_LEVELS,
    reference=REFERENCE,
)
def files_not_listed(subject: Subject) -> Finding:
    blind = _cannot_compare(subject)
    if blind:
        return blind
    listed = {entry.path for entry in subject.manifest.entries}
    extra = [
        name for name in subject.safe.container.names() if name not in listed and not name.startswith(NEVER_LISTED)
    ]
    if extra:
        return warning(
            "no other file",
            f"{len(extra)} not listed",
            "files that the manifest does not list are protected by no checksum",
            where=some(map(base, extra)),
            items=extra,
        )
    return passed("no other file", "none")


def _cannot_compare(subject: Subject) -> Finding | None:
    manifest = subject.manifest
    if manifest.path is None or manifest.problem:
        return not_checked(manifest.problem)
    if not manifest.entries:
        return not_checked("the manifest lists no file")
    return None


def _there(subject: Subject) -> list[ManifestEntry]:
    return [entry for entry in subject.manifest.entries if subject.safe.container.exists(entry.path)]


def _left_out(subject: Subject) -> str:
    absent = len(subject.manifest.entries) - len(_there(subject))
    return f"{number(absent, 'absent file')} could not be compared" if absent else ""
