"""Doing something to all rows that a list's filter matches, as a run (``mpc.ui.bulk`` says what and to which).

    declare(BULK)       # in the app's jobs: the job has the kind of the list

The run takes a stored request. It goes through the rows in order of their keys, a portion a transaction; a further
attempt goes on behind the last portion. It acts as the person who asked, object by object.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from mpc.jobs import HopelessError, Job, Outcome, Portions, Verdict, param, register
from mpc.ui import bulk
from mpc.ui.models import BulkRequest


@dataclass(frozen=True)
class BulkParams:
    request: int = param(help="Number of the stored request", minimum=1)


def declare(of: bulk.BulkList) -> Job:
    """Register the job that does the list's actions."""
    return register(
        Job(
            kind=of.kind,
            title=f"Change many {of.title}",
            description="Does to all rows that a list's filter matches what a person asked for and confirmed.",
            params=BulkParams,
            needs_product=False,
            hidden=True,
            queue="default",
            priority=20,
            request_key=lambda params, inputs: str(params.request),
            in_database=partial(_do, of.kind),
        )
    )


def _do(kind: str, run: Any, params: BulkParams, portions: Portions) -> Outcome:
    request = BulkRequest.objects.select_related("user").filter(pk=params.request, kind=kind).first()
    of = bulk.bulk_list(kind)
    action = of.action(request.action) if of is not None and request is not None else None
    if request is None or of is None or action is None:
        raise HopelessError("There is no such request, or this version does not know what it asks for.")
    if request.confirmed_at is None or request.user_id != run.requested_by_id:
        raise HopelessError("The request was not confirmed by the person who asks for this run.")
    try:
        rows = bulk.meant(request, of)
        total = rows.count()
    except bulk.UnfitFilter as error:
        raise HopelessError(str(error)) from error
    kept = portions.kept
    tally = bulk.Tally(kept.get("done", 0), kept.get("refused", 0), list(kept.get("reasons", [])))
    before = tally.done + tally.refused
    for objects in bulk.portions_of(rows, after=kept.get("after", 0)):
        with portions.portion():
            bulk.apply_to(objects, action, request.user, request.values, tally)
            portions.keep({"after": objects[-1].pk, **tally.facts()})
        gone = tally.done + tally.refused
        portions.progress((gone - before) / max(total, 1), f"{gone} of about {before + total} {of.title}")
    for reason in tally.reasons:
        portions.log(reason, "warning")
    title = action.title.rstrip("…")
    verdict = Verdict.PASSED if not tally.refused else Verdict.INCOMPLETE
    return Outcome(summary=f"{title}: {tally.done} {of.title} done, {tally.refused} refused.", verdict=verdict,
                   facts={"filter": request.query or "ticked rows", **tally.facts()})  # fmt: skip
