"""The work of the small job, as a child does it: it says how far it is, logs a line and hands back how long it took."""

from __future__ import annotations

import time
from typing import Any

from mpc.jobs import Context, Inputs, Outcome


def work(params: Any, inputs: Inputs, context: Context) -> Outcome:
    began = time.perf_counter()
    context.progress(0.5, "at work")
    context.log(f"number {params.number}")
    return Outcome(summary=str(params.number), facts={"work_s": time.perf_counter() - began})
