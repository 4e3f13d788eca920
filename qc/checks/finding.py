"""What one inspection found, and the verdict over all of them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mpc.jobs import Verdict

MAX_ITEMS = 200
"""Single results kept of one inspection; the number of all of them is kept beside."""


class Status(enum.StrEnum):
    """What became of one inspection. NOT_CHECKED: it could not look; ERROR: it broke while looking."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    NOT_CHECKED = "not_checked"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """The result of one inspection of one product.

    ``expected`` and ``measured`` are short texts for a table, ``message`` says in a sentence what was found and why,
    ``where`` names the file, band or tile that it is about. ``details["items"]`` lists single results (at most 200,
    ``details["count"]`` says how many there were). ``check_id`` and ``required`` are filled in by the runner.
    """

    status: Status
    expected: str = ""
    measured: str = ""
    message: str = ""
    where: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    check_id: str = ""
    required: bool = False


def passed(
    expected: str = "", measured: str = "", message: str = "", *, where: str = "", items: Iterable[Any] = ()
) -> Finding:
    return Finding(Status.PASSED, expected, measured, message, where, listed(items))


def failed(
    expected: str = "", measured: str = "", message: str = "", *, where: str = "", items: Iterable[Any] = ()
) -> Finding:
    return Finding(Status.FAILED, expected, measured, message, where, listed(items))


def warning(
    expected: str = "", measured: str = "", message: str = "", *, where: str = "", items: Iterable[Any] = ()
) -> Finding:
    return Finding(Status.WARNING, expected, measured, message, where, listed(items))


def not_checked(reason: str, *, expected: str = "", where: str = "", items: Iterable[Any] = ()) -> Finding:
    """The inspection could not look; ``reason`` says why."""
    return Finding(Status.NOT_CHECKED, expected, "", reason, where, listed(items))


def listed(items: Iterable[Any]) -> dict[str, Any]:
    """The details of a finding with single results: the first ``MAX_ITEMS`` and the number of all."""
    everything = list(items)
    if not everything:
        return {}
    return {"items": everything[:MAX_ITEMS], "count": len(everything)}


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """FAILED when a required check failed or broke, PASSED when each required check looked and passed (a warning is a
    pass with a remark), else INCOMPLETE. Nothing checked at all is INCOMPLETE."""
    required = [finding.status for finding in findings if finding.required]
    if any(status in (Status.FAILED, Status.ERROR) for status in required):
        return Verdict.FAILED
    if not required or Status.NOT_CHECKED in required:
        return Verdict.INCOMPLETE
    return Verdict.PASSED


def summary_of(findings: Sequence[Finding]) -> str:
    """One line for lists of runs: "2 of 34 required checks failed · 1 warning · 3 not checked"."""
    required = [finding for finding in findings if finding.required]
    bad = sum(finding.status in (Status.FAILED, Status.ERROR) for finding in required)
    broken = sum(finding.status is Status.ERROR for finding in findings)
    remarks = sum(
        finding.status is Status.WARNING or (finding.status is Status.FAILED and not finding.required)
        for finding in findings
    )
    blind = sum(finding.status is Status.NOT_CHECKED for finding in findings)
    if bad:
        parts = [f"{bad} of {len(required)} required checks failed"]
    else:
        good = sum(finding.status in (Status.PASSED, Status.WARNING) for finding in required)
        parts = [f"{good} of {len(required)} required checks passed"]
    if broken:
        parts.append(f"{broken} broke")
    if remarks:
        parts.append(f"{remarks} warning{'s' if remarks != 1 else ''}")
    if blind:
        parts.append(f"{blind} not checked")
    return " · ".join(parts)
