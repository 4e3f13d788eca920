"""Jobs of the inventory, and the watched folder."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from mpc import disk
from mpc.accounts.actors import local_actor
from mpc.jobs import Inputs, Job, Outcome, every, register, request_work
from mpc.msi.describe import unfit_path
from mpc.products import inbox, resumable, services, uploads  # noqa: F401 - resumable declares its step
from mpc.products.models import Intake
from mpc.products.work import IngestParams, Judged

log = logging.getLogger(__name__)

_asked: dict[Path, str] = {}
"""What the watched folder was asked for, in which state: a run that failed is not asked for again and again."""


def _finish(run: Any, outcome: Outcome) -> None:
    judged: Judged = outcome.results
    origin = {"actor": run.requested_by, "trigger": judged.trigger, "fingerprint": judged.fingerprint}
    if judged.description is None:
        taken = services.refuse(judged.source, judged.refusal, **origin)
    else:
        taken = services.store(judged.description, source=judged.source, **origin)
    path = run.params["path"]
    if taken.result != Intake.Result.TAKEN and not (taken.product and taken.product.path == path):
        # Of an upload that the inventory does not keep nothing stays but the reason.
        transaction.on_commit(partial(uploads.discard, Path(path)))


def _request_key(params: IngestParams, inputs: Inputs) -> str:
    return f"products.ingest:{params.path}"


INGEST = register(
    Job(
        kind="products.ingest",
        title="Take a product in",
        work="mpc.products.work:ingest",
        description="Reads a product where it lies (folder or zip, never unpacked) and puts it into the inventory.",
        params=IngestParams,
        needs_product=False,
        queue="intake",
        priority=10,
        time_limit_s=1800,
        memory_limit_mb=2048,
        request_key=_request_key,
        finish=_finish,
    )
)


@every(float(settings.MPC_INBOX_PERIOD_S), "products.inbox")
def scan_inbox() -> None:
    """Ask for the intake of everything in the watched folder that has stopped growing and is not known yet."""
    if settings.MPC_INBOX is None:
        return
    if reason := disk.shortage():
        log.warning("watched folder: left alone. %s", reason)
        return
    for path, fingerprint in inbox.complete_arrivals(Path(settings.MPC_INBOX)):
        if _asked.get(path) == fingerprint:
            continue
        if reason := unfit_path(path):
            services.refuse(str(path), reason, actor=local_actor(), trigger="inbox", fingerprint=fingerprint)
        else:
            params = {"path": str(path), "trigger": "inbox", "fingerprint": fingerprint}
            request_work(INGEST.kind, actor=local_actor(), params=params, trigger="schedule")
        _asked[path] = fingerprint
        log.info("watched folder: %s is asked for", services.as_text(path.name))


def forget_asked() -> None:
    """Begin anew, as a new process does."""
    _asked.clear()
    inbox.forget()
