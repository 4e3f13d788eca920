"""Steps on the database that outlive its absences."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

# What a database says that is locked, restarting or out of reach, and what a broken connection says.
AWAY = (OperationalError, InterfaceError)


def patiently(step: Callable[[], Result], *, for_s: float = 120.0) -> Result:
    """Do ``step()``, again with growing pauses while the database is away; after ``for_s`` seconds its error is raised.

    The step must be one transaction that may be repeated. Inside somebody else's transaction it is done once: a
    transaction that has failed cannot be repaired from within.
    """
    deadline = time.monotonic() + for_s
    pause = 0.05
    while True:
        try:
            return step()
        except AWAY as error:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            connection.close()
            logger.warning("the database is away (%s); trying again in %.2f s", str(error).strip(), pause)
            time.sleep(pause)
            pause = min(2 * pause, 3.0)
