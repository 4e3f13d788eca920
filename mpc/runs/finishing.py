"""The end of a run: its row, its results, its measurements and its files become true in one transaction."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence

from django.utils import timezone

from mpc.jobs import Job, Outcome
from mpc.runs import files, queue
from mpc.runs.models import OVER, ErrorKind, Run, RunArtifact, State
from mpc.runs.patience import AWAY, patiently
from mpc.runs.queue import Ending, Fence, Late
from mpc.runs.sinks import all_sinks
from mpc.runs.texts import clean, clean_json
from mpc.runs.wire import KeptFile, Line, Usage

logger = logging.getLogger(__name__)


def keep_success(
    run: Run,
    job: Job,
    outcome: Outcome,
    kept: Sequence[KeptFile] = (),
    *,
    usage: Usage,
    wall_s: float,
    lines: Sequence[Line],
) -> State:
    """Keep what the work found out. When that cannot be done the run fails with the reason and nothing is kept.

    Raises Late when the attempt is not ours any more; its files are gone then.
    """
    fence = Fence(run.pk, run.attempt)
    try:
        patiently(lambda: _write(run, fence, job, outcome, kept, usage, wall_s, lines))
    except Late:
        if not patiently(lambda: queue.has_succeeded(fence)):
            files.drop(fence)
            raise
    except AWAY:
        raise  # nobody knows what is true; the sweeper will, and the files stay until then
    except Exception as error:
        logger.exception("run %s: its results could not be kept", run.pk)
        text = f"The work was done, but its results could not be kept: {type(error).__name__}: {error}"
        trace = Line(timezone.now().timestamp(), "error", traceback.format_exc())
        return keep_failure(run, Ending(ErrorKind.RESULTS, text), usage=usage, wall_s=wall_s, lines=[*lines, trace])
    files.drop_others(fence)
    return State.SUCCEEDED


def _write(
    run: Run, fence: Fence, job: Job, outcome: Outcome, kept: Sequence[KeptFile], usage: Usage, wall_s: float,
    lines: Sequence[Line],
) -> None:  # fmt: skip
    verdict = outcome.verdict.value if outcome.verdict is not None else ""
    summary = clean(outcome.summary)
    run.state, run.verdict, run.summary, run.finished_at = State.SUCCEEDED, verdict, summary, timezone.now()

    def keep() -> None:
        if job.finish is not None:
            job.finish(run, outcome)
        for sink in all_sinks():
            sink(run, outcome)
        # No older ones are in their way: artifacts come with the success, after which there is no further attempt.
        RunArtifact.objects.bulk_create(
            RunArtifact(
                run=run, attempt=fence.attempt, name=k.name, path=k.path, title=clean(k.title, 200),
                media_type=k.media_type, size=k.size, sha256=k.sha256,
            )
            for k in kept
        )  # fmt: skip

    queue.succeed(
        fence, usage=usage, wall_s=wall_s, lines=lines, keep=keep,
        verdict=verdict, summary=summary, facts=clean_json(outcome.facts),
    )  # fmt: skip


def keep_failure(
    run: Run, ending: Ending, *, usage: Usage | None = None, wall_s: float | None = None, lines: Sequence[Line] = ()
) -> State:
    """Close an attempt that did not succeed and remove its files. Raises Late when it is not ours any more."""
    fence = Fence(run.pk, run.attempt)
    try:
        state = patiently(lambda: queue.end_attempt(fence, ending, usage=usage, wall_s=wall_s, lines=lines))
    finally:
        files.drop(fence)
    if state in OVER:
        files.drop_all(run.pk)
    return state
