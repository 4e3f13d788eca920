"""The work of the job ``qc.product``: look at one product from its files to its pixels."""

from __future__ import annotations

import dataclasses
import os
import platform
import traceback
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import rasterio

from mpc.jobs import Artifact, Context, HopelessError, Inputs, Outcome, PassingError
from mpc.msi.safe import ContainerError, SafeError, open_safe
from mpc.msi.schemas import SchemaLibrary
from qc.checks.finding import summary_of, verdict_of
from qc.checks.inspections.scene import class_percentages
from qc.checks.metrics import measurements_of
from qc.checks.quicklook import quicklook
from qc.checks.registry import inspections_for, run_inspections
from qc.checks.report import BandSteps, InspectionFacts, ProductReport, SceneClasses
from qc.checks.settings import QcParams
from qc.checks.subject import Subject

PIXELS = (0.02, 0.80)
INSPECTIONS = (0.80, 0.95)
PICTURES = (0.95, 0.99)
"""The parts of a run, by how far it is at their beginning and end."""

SOFTWARE = ("numpy", "numba", "rasterio", "lxml", "shapely")


def inspect_product(params: QcParams, inputs: Inputs, context: Context) -> Outcome:
    """Inspect a product or stand-alone datastrip, count its pixels and draw its pictures.

    ``inputs.path`` is the product's folder or zip, ``inputs.extra["schema_dir"]`` a folder of schema sets or None.
    What is broken inside a product gives findings and a FAILED report.

    Raises:
        PassingError: there is nothing at the path, which may be a disk that is away.
        HopelessError: the folder or zip cannot be opened or holds no part of a product.
    """
    context.progress(0.0, "Opening the product")
    path = Path(inputs.path)
    if not path.exists():
        raise PassingError(f"{inputs.product or path.name} is not there: {path} does not exist, or its disk is away")
    try:
        safe = open_safe(path)
    except (ContainerError, SafeError) as error:
        raise HopelessError(f"{inputs.product or path.name} cannot be opened: {error}") from error
    with safe:
        schema_dir = inputs.extra.get("schema_dir")
        subject = Subject(
            safe,
            schemas=SchemaLibrary(Path(schema_dir)) if schema_dir else None,
            params=params,
            threads=_threads(),
        )
        return _inspect(subject, inputs, context)


def _inspect(subject: Subject, inputs: Inputs, context: Context) -> Outcome:
    if subject.kind == "product":
        subject.progress = _part(context, PIXELS)
        read = len(subject.pixels.images)
        context.log(
            f"{read} images read, {sum(bool(image.problems) for image in subject.pixels.images)} of them not in full"
        )
    subject.progress = _part(context, INSPECTIONS)
    inspections = inspections_for(subject.level, subject.kind)
    subject.progress(0.0, f"Looking at {len(inspections)} checks")
    findings = run_inspections(subject, inspections, log=context.log)
    artifacts = _pictures(subject, context)
    pixels = subject.pixels if subject.kind == "product" else None
    report = ProductReport(
        product=inputs.product or subject.safe.name,
        verdict=verdict_of(findings),
        findings=findings,
        inspections=tuple(InspectionFacts.of(found) for found in inspections),
        olqc=subject.olqc,
        statistics=tuple(image.statistics for image in pixels.images if image.statistics) if pixels else (),
        scene_classes=_scene_classes(subject) if pixels else (),
        detector_steps=tuple(
            BandSteps(image.tile, image.name, image.resolution, image.steps) for image in pixels.images if image.steps
        )
        if pixels
        else (),
        software=software_facts(),
    )
    context.progress(1.0, "Done")
    return Outcome(
        summary=summary_of(findings),
        verdict=report.verdict,
        results=report,
        measurements=measurements_of(subject),
        artifacts=artifacts,
        facts=_facts(report),
    )


def _pictures(subject: Subject, context: Context) -> tuple[Artifact, ...]:
    """The pictures of the product. They only help to look at a report: where they cannot be drawn it goes without."""
    if not subject.params.quicklook:
        return ()
    try:
        return quicklook(subject, context.workdir, _part(context, PICTURES), context.log)
    except Exception:
        context.log(f"the pictures could not be drawn:\n{traceback.format_exc()}", "error")
        return ()


def software_facts() -> dict[str, str]:
    """Versions of what did the work, for the record."""
    found = {"python": platform.python_version(), "gdal": rasterio.__gdal_version__}
    for name in SOFTWARE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def _scene_classes(subject: Subject) -> tuple[SceneClasses, ...]:
    return tuple(
        SceneClasses(image.tile, image.resolution, image.classes, class_percentages(image.classes))
        for image in subject.pixels.images
        if image.classes
    )


def _facts(report: ProductReport) -> dict[str, Any]:
    """Plain values for the run's page: JSON and nothing else."""
    facts: dict[str, Any] = {"software": report.software}
    if report.scene_classes:
        facts["scene_classes"] = [
            {
                "tile": scene.tile,
                "resolution": scene.resolution,
                "counts": {str(value): count for value, count in scene.counts.items()},
                "percentages": scene.percentages,
            }
            for scene in report.scene_classes
        ]
    if report.detector_steps:
        facts["detector_steps"] = [
            {"tile": band.tile, "band": band.band, "steps": [dataclasses.asdict(step) for step in band.steps]}
            for band in report.detector_steps
        ]
    return facts


def _part(context: Context, part: tuple[float, float]) -> Callable[[float, str], None]:
    """Progress of one part of the run as progress of the run, which never goes back: checks that take long each count
    from 0 to 1."""
    first, last = part
    reached = first

    def tell(fraction: float, message: str) -> None:
        nonlocal reached
        reached = max(reached, first + (last - first) * min(max(fraction, 0.0), 1.0))
        context.progress(reached, message)

    return tell


def _threads() -> int:
    """The cores that this process may use, or fewer where the worker says so, which shares them among its children."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("GDAL_NUM_THREADS", "")
    return min(cores, int(told)) if told.isdigit() and int(told) else cores
