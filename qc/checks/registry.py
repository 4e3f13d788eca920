"""The registry of inspections.

An inspection is one pure function that looks at one thing in a product and returns one :class:`Finding`::

    @inspection(
        id="geometry.sun_zenith",
        title="Sun zenith angle within the limit of its level",
        group="geometry",
        reference="OLQC check Solar_Angle_Zenith",
    )
    def sun_zenith(subject: Subject) -> Finding: ...

Ids are stable: results of years are compared by them. An inspection that cannot look returns ``not_checked(reason)``.
One whose subject a product of this era never has (reports before baseline 02.06, raster masks before 04.00) returns
None and is left out of the report: nothing counts as passed without a look.
"""

from __future__ import annotations

import dataclasses
import re
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qc.checks.finding import Finding, Status

if TYPE_CHECKING:
    from qc.checks.subject import Subject

GROUPS = ("format", "geometry", "radiometry", "sensor", "general")
"""Groups of inspections, as the reports of the on-line quality control are grouped."""

SEVERITIES = ("required", "informative")

Look = Callable[["Subject"], Finding | None]


@dataclass(frozen=True)
class Inspection:
    """What is known of an inspection before it looks. A required one decides the verdict, an informative one does not.

    ``levels`` and ``kinds`` say which products it applies to; it is left out of the reports of others.
    ``reference`` names the document and section that it stands on.
    """

    id: str
    title: str
    group: str
    severity: str
    levels: tuple[str, ...]
    kinds: tuple[str, ...]
    reference: str
    look: Look

    @property
    def required(self) -> bool:
        return self.severity == "required"

    def applies_to(self, level: str | None, kind: str) -> bool:
        """Whether products of this level and kind are inspected; of an unknown level everything is asked."""
        return kind in self.kinds and (level is None or level in self.levels)


_INSPECTIONS: dict[str, Inspection] = {}


def inspection(
    *,
    id: str,
    title: str,
    group: str,
    reference: str,
    severity: str = "required",
    levels: tuple[str, ...] = ("L1C", "L2A"),
    kinds: tuple[str, ...] = ("product", "datastrip"),
) -> Callable[[Look], Look]:
    """Register a function as an inspection. The order of registration is the order of the report."""
    if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", id):
        raise ValueError(f"the id of an inspection is lower case words joined by points, not “{id}”")
    if group not in GROUPS:
        raise ValueError(f"{id}: no group “{group}”; there are {', '.join(GROUPS)}")
    if severity not in SEVERITIES:
        raise ValueError(f"{id}: severity is required or informative, not “{severity}”")

    def register(look: Look) -> Look:
        found = Inspection(id, title, group, severity, levels, kinds, reference, look)
        if id in _INSPECTIONS and _INSPECTIONS[id].look.__qualname__ != look.__qualname__:
            raise ValueError(f"there is an inspection {id} already")
        _INSPECTIONS[id] = found
        return look

    return register


def all_inspections() -> tuple[Inspection, ...]:
    """Every inspection, in the order of reports: by group, then as registered."""
    import qc.checks.inspections  # noqa: F401 - importing the package registers what it holds

    return tuple(sorted(_INSPECTIONS.values(), key=lambda found: GROUPS.index(found.group)))


def inspections_for(level: str | None, kind: str) -> tuple[Inspection, ...]:
    """The inspections that a product of this level and kind gets."""
    return tuple(found for found in all_inspections() if found.applies_to(level, kind))


def run_inspections(
    subject: Subject,
    inspections: Iterable[Inspection],
    *,
    log: Callable[[str, str], None] = lambda message, level: None,
) -> tuple[Finding, ...]:
    """Let each inspection look. One that raises becomes a finding of status "error" and the others go on.

    ``log(message, level)`` gets the traceback of what broke.
    """
    looked = (_look(subject, found, log) for found in inspections)
    return tuple(finding for finding in looked if finding is not None)


def _look(subject: Subject, found: Inspection, log: Callable[[str, str], None]) -> Finding | None:
    try:
        finding = found.look(subject)
    except Exception as error:  # a broken product may break an inspection in any way: that is a result, not an end
        log(f"inspection {found.id} broke:\n{traceback.format_exc()}", "error")
        finding = Finding(Status.ERROR, message=f"the inspection broke: {type(error).__name__}: {error}")
    if finding is None:
        return None
    return dataclasses.replace(finding, check_id=found.id, required=found.required)
