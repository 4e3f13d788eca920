"""Tell the workers to look at a queue.

The bell carries no work: the table of runs is the queue. A ring that is lost costs some seconds, until the sweeper
rings; a ring too many costs one look. So ringing never fails for the caller, nor does a page wait long for a broker.
"""

from __future__ import annotations

import logging
import time
from functools import partial

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

LOOK_TASK = "runs.look"
# A ring tells nothing new after this long: the sweeper has rung since.
EXPIRES_S = 600
# After a ring that failed, others are left out for so long: who asks for many runs does not wait for each of them.
PAUSE_S = 3.0

_pause_until = 0.0


def ring(queue: str) -> bool:
    """Tell one worker to look at ``queue``; False when the broker cannot be reached."""
    global _pause_until
    if time.monotonic() < _pause_until:
        return False
    try:
        current_app.send_task(
            LOOK_TASK, args=[queue], queue=queue, ignore_result=True, expires=EXPIRES_S, retry=False,
            headers={"mpc-bell": queue},
        )  # fmt: skip
    except Exception as error:  # whatever the broker's client raises, the run is safe in its table
        _pause_until = time.monotonic() + PAUSE_S
        logger.warning("the bell for queue %s could not be rung (%s); the sweeper will ring again", queue, error)
        return False
    return True


def ring_after_commit(queue: str, times: int = 1) -> None:
    """Ring when what was asked for is true; ``times`` wakes as many workers."""
    for _ in range(times):
        transaction.on_commit(partial(ring, queue), robust=True)
