"""Does what the tests ask for inside a site of their own: ``python -m tests.runs.site_console`` with JSON lines.

{"do": "request", "kind": "test.echo", "params": {}, "count": 3}   ->  [ids]
{"do": "cancel", "run": 7}                                          ->  state
{"do": "declare"}                                                   ->  the software that is deployed
{"do": "work", "texts": ["a"], "seconds": [0.1]}                    ->  [ids]
{"do": "ingest", "path": "..."}                                     ->  what became of it
{"do": "token"}                                                     ->  a token of the API
{"do": "claim at once", "runs": 5, "claimers": 5, "limit": 2}       ->  {"taken": 2, "running": 2}
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any


def request(kind: str, params: dict[str, Any], count: int = 1, product: str | None = None) -> list[int]:
    from mpc.accounts.actors import local_actor
    from mpc.products.models import Product
    from mpc.runs import services

    found = Product.objects.get(name=product) if product else None
    return [
        services.request_run(kind, actor=local_actor(), params=params, product=found, trigger="command")[0].pk
        for _ in range(count)
    ]


def work(texts: list[str], seconds: list[float]) -> list[int]:
    """Ask for one run of ``test.whole_work`` a text, one after the other, as people do."""
    return [
        request("test.whole_work", {"text": text, "seconds": taken})[0]
        for text, taken in zip(texts, seconds, strict=True)
    ]


def ingest(path: str) -> str:
    from mpc.accounts.actors import local_actor
    from mpc.products import services

    return str(services.take_in(path, actor=local_actor(), trigger="ingest").result)


def token() -> str:
    """A token of the API for an operator."""
    from mpc.accounts.models import ApiToken, RoleGrant, User

    user, _ = User.objects.get_or_create(username="operator")
    RoleGrant.objects.get_or_create(user=user, role="operator")
    return ApiToken.objects.create(user=user)[1]


def cancel(run: int) -> str:
    from mpc.accounts.actors import local_actor
    from mpc.runs import services
    from mpc.runs.models import Run

    return str(services.cancel_run(Run.objects.get(pk=run), local_actor()).state)


def declare() -> str:
    from mpc.runs import deployment

    return str(deployment.declare())


def claim_at_once(runs: int, claimers: int, **rules: int) -> dict[str, int]:
    """Threads with a connection each reach for the runs of a limited queue at the same moment."""
    from django.db import connection

    from mpc.products.models import Product
    from mpc.runs import queue
    from mpc.runs.models import QueueState, Run

    QueueState.objects.update_or_create(name="limited", defaults=rules)
    Run.objects.filter(queue="limited").update(state="cancelled")
    product, _ = Product.objects.get_or_create(name="one", defaults={"level": "L1C", "unit": "A", "size": 0})
    for _ in range(runs):
        Run.objects.create(kind="test.echo", title="t", trigger="user", queue="limited", product=product)
    together, taken = threading.Barrier(claimers), []

    def take(name: str) -> None:
        try:
            Run.objects.exists()  # connected already
            together.wait()
            taken.append(queue.claim_next(["limited"], None, name))
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(f"claimer {n}",)) for n in range(claimers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "taken": sum(t is not None for t in taken),
        "running": Run.objects.filter(queue="limited", state="running").count(),
    }


DEEDS = {"request": request, "cancel": cancel, "declare": declare, "claim at once": claim_at_once}
DEEDS |= {"work": work, "ingest": ingest, "token": token}


def main() -> None:
    import django

    django.setup()
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(DEEDS[asked.pop("do")](**asked)), flush=True)


if __name__ == "__main__":
    main()
