"""Tell the workers to look at a queue.

The bell carries no work: the table of runs is the queue. A ring that is lost costs some seconds, until the sweeper
rings; a ring too many costs one look. So ringing never fails for the caller, nor does a page wait long for a broker.
"""

from __future__ import annotations

import logging
from functools import partial

from django.db import transaction

logger = logging.getLogger(__name__)

LOOK_TASK = "runs.look"
# A ring tells nothing new after this long: the sweeper has rung since.
EXPIRES_S = 600


def ring(queue: str) -> bool:
    """Tell one worker to look at ``queue``; False when the broker cannot be reached."""
    from mpc.celery import app

    try:
        app.send_task(
            LOOK_TASK, args=[queue], queue=queue, ignore_result=True, expires=EXPIRES_S, retry=False,
            headers={"mpc-bell": queue},
        )  # fmt: skip
    except Exception as error:  # whatever the broker's client raises, the run is safe in its table
        logger.warning("the bell for queue %s could not be rung (%s); the sweeper will ring again", queue, error)
        return False
    return True


def ring_after_commit(queue: str) -> None:
    transaction.on_commit(partial(ring, queue), robust=True)
