"""Jobs of the inventory, and the watched folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from django.conf import settings

from mpc.accounts.actors import local_actor
from mpc.jobs import Inputs, Job, Outcome, every, register, request_work
from mpc.products import inbox, services
from mpc.products.work import IngestParams, Judged

log = logging.getLogger(__name__)


def _finish(run: Any, outcome: Outcome) -> None:
    judged: Judged = outcome.results
    if judged.description is None:
        services.refuse(
            judged.source,
            judged.refusal,
            actor=run.requested_by,
            trigger=judged.trigger,
            fingerprint=judged.fingerprint,
        )
        return
    services.store(
        judged.description,
        actor=run.requested_by,
        trigger=judged.trigger,
        source=judged.source,
        fingerprint=judged.fingerprint,
    )


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
    for path, fingerprint in inbox.complete_arrivals(Path(settings.MPC_INBOX)):
        request_work(
            INGEST.kind,
            actor=local_actor(),
            params={"path": str(path), "trigger": "inbox", "fingerprint": fingerprint},
            trigger="schedule",
        )
        log.info("watched folder: %s is asked for", path.name)
