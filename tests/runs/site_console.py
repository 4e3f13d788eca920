"""Does what the tests ask for inside a site of their own: ``python -m tests.runs.site_console`` with JSON lines.

{"do": "request", "kind": "test.echo", "params": {}, "count": 3}   ->  [ids]
{"do": "cancel", "run": 7}                                          ->  state
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    import django

    django.setup()
    from mpc.accounts.actors import local_actor
    from mpc.runs import services
    from mpc.runs.models import Run

    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "request":
            answer: object = [
                services.request_run(asked["kind"], actor=local_actor(), params=asked["params"], trigger="command")[
                    0
                ].pk
                for _ in range(asked.get("count", 1))
            ]
        else:
            answer = str(services.cancel_run(Run.objects.get(pk=asked["run"]), local_actor()).state)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
