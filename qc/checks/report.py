"""What a run of quality control hands back."""

from __future__ import annotations

from dataclasses import dataclass, field

from mpc.jobs import Verdict
from mpc.msi.records import OlqcReport
from qc.checks.finding import Finding
from qc.checks.registry import Inspection
from qc.statistics import BandStatistics, DetectorStep


@dataclass(frozen=True)
class InspectionFacts:
    """What a report says of an inspection beside its finding; picklable, unlike the inspection with its function."""

    id: str
    title: str
    group: str
    severity: str
    reference: str

    @classmethod
    def of(cls, found: Inspection) -> InspectionFacts:
        return cls(found.id, found.title, found.group, found.severity, found.reference)


@dataclass(frozen=True)
class SceneClasses:
    """Pixels of each class of a scene classification (L2A), and the percentages that follow."""

    tile: str
    resolution: int
    counts: dict[int, int]
    percentages: dict[str, float]


@dataclass(frozen=True)
class BandSteps:
    """The steps between neighbouring detectors of one band."""

    tile: str
    band: str
    resolution: int
    steps: tuple[DetectorStep, ...]


@dataclass(frozen=True)
class ProductReport:
    """The quality report of one product. ``findings`` are in the report's order.

    An inspection that had no subject in the product has no finding.
    """

    product: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    inspections: tuple[InspectionFacts, ...]
    olqc: tuple[OlqcReport, ...] = ()
    statistics: tuple[BandStatistics, ...] = ()
    scene_classes: tuple[SceneClasses, ...] = ()
    detector_steps: tuple[BandSteps, ...] = ()
    software: dict[str, str] = field(default_factory=dict)
