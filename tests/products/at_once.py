"""Processes of their own that bring the same product at the same moment; started by ``test_same_moment``.

``python -m tests.products.at_once WAY ARGUMENT GATE`` gets ready, says so by the file ``GATE.WAY``, waits for the file
``GATE``, does it, and prints what came of it as JSON.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

THREADS, ROUNDS = 6, 5
PATIENCE_S = 120


def wait_for(gate: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while not gate.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{gate} never came")
        time.sleep(0.002)


def cli(path: str) -> Callable[[], Any]:
    from django.core.management import call_command

    def go() -> Any:
        out = io.StringIO()
        call_command("ingest", path, stdout=out)
        return [json.loads(line)["result"] for line in out.getvalue().splitlines()]

    return go


def _work(run: Any) -> list[str]:
    from mpc.products.models import Intake
    from mpc.runs import services

    done = services.work_in_place(run)
    assert done.state == "succeeded", done.error
    return list(Intake.objects.filter(trigger=run.params["trigger"]).values_list("result", flat=True))


def upload(path: str) -> Callable[[], Any]:
    from mpc.accounts.actors import local_actor
    from mpc.products import resumable
    from mpc.runs.models import Run

    actor, size = local_actor(), Path(path).stat().st_size
    sent = resumable.create(actor=actor, name=Path(path).name, size=size)

    def go() -> Any:
        with open(path, "rb") as file:
            done = resumable.append(sent, file, actor=actor, offset=0, length=size)
        return _work(Run.objects.get(pk=done.run))

    return go


def inbox(folder: str) -> Callable[[], Any]:
    from django.conf import settings

    from mpc.products import jobs
    from mpc.runs.models import Run

    settings.MPC_INBOX = Path(folder)
    jobs.scan_inbox()  # seen once; at the second look it rests

    def go() -> Any:
        jobs.scan_inbox()
        return _work(Run.objects.get(kind="products.ingest", params__trigger="inbox"))

    return go


def threads(_: str) -> Callable[[], Any]:
    """Many threads store the same description, and versions of one observation, at the same instants."""
    from django.db import connection

    from mpc.accounts.actors import local_actor
    from mpc.products import services
    from tests.products.test_services import described

    actor = local_actor()
    barrier = threading.Barrier(THREADS)
    results: list[tuple[int, str]] = []
    errors: list[str] = []

    def bring(number: int) -> None:
        try:
            for turn in range(ROUNDS):
                barrier.wait(PATIENCE_S)
                taken = services.store(described(second=turn), actor=actor, trigger="ingest")
                results.append((turn, str(taken.result)))
                barrier.wait(PATIENCE_S)
                # Each its own version of one observation.
                version = described("05.0" + str(number), second=turn, observation=f"versions {turn}")
                services.store(version, actor=actor, trigger="ingest")
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
            barrier.abort()
        finally:
            connection.close()

    def go() -> Any:
        started = [threading.Thread(target=bring, args=(n,)) for n in range(THREADS)]
        for one in started:
            one.start()
        for one in started:
            one.join()
        return {"results": sorted(results), "errors": errors}

    return go


def main(way: str, argument: str, gate: str) -> None:
    django.setup()
    go = {"cli": cli, "upload": upload, "inbox": inbox, "threads": threads}[way](argument)
    Path(f"{gate}.{way}").touch()
    wait_for(Path(gate))
    print(json.dumps(go()))


if __name__ == "__main__":
    main(*sys.argv[1:])
