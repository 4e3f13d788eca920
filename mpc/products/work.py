"""The work of the job ``products.ingest``: look at what came and describe it. No Django here: it runs in a child."""

from __future__ import annotations

from dataclasses import dataclass

from mpc.jobs import Context, Inputs, Outcome, Verdict, param
from mpc.msi.describe import Description, Refused, describe_product


@dataclass(frozen=True)
class IngestParams:
    path: str = param(help="Product as a folder or zip, as the workers see it", max_length=1000)
    source: str = param("", help="What the sender called it, when that is not the path", max_length=1000)
    trigger: str = param("ingest", help="How it came", choices=("ingest", "upload", "inbox", "demo"))
    fingerprint: str = param("", help="Size and time of the file when it was found", max_length=80)


@dataclass(frozen=True)
class Judged:
    """What came of looking: a description, or the reason for refusing."""

    source: str
    trigger: str
    fingerprint: str
    description: Description | None
    refusal: str = ""


def ingest(params: IngestParams, inputs: Inputs, context: Context) -> Outcome:
    """Describe the product at ``params.path``; a refusal is an outcome, too, and is kept with its reason."""
    source = params.source or params.path
    context.progress(0.0, f"reading {source}")
    try:
        description = describe_product(
            params.path, progress=lambda done: context.progress(0.05 + 0.9 * done, "checksum")
        )
    except Refused as refusal:
        context.log(str(refusal), "error")
        judged = Judged(source, params.trigger, params.fingerprint, None, str(refusal))
        return Outcome(summary=f"refused: {refusal}", verdict=Verdict.FAILED, results=judged)
    if description.problem:
        context.log(description.problem, "warning")
    judged = Judged(source, params.trigger, params.fingerprint, description)
    return Outcome(summary=f"{description.name} described", results=judged)
