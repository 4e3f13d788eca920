"""Several connections at once to a real database, each as a process has its own: prints what came out as JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402

from mpc.monitoring.alerts import announcing, judging, states  # noqa: E402
from mpc.monitoring.alerts.signals import alert_opened  # noqa: E402
from mpc.monitoring.models import Alert, AlertPart, ChangePoint, Notification  # noqa: E402
from mpc.monitoring.notifying import sending  # noqa: E402
from tests import factories  # noqa: E402
from tests.monitoring.watching.making import NOW, a_series, seen  # noqa: E402

THREADS = 4


def at_once(work: Callable[[int], Any], times: int = THREADS) -> list[BaseException]:
    """Call ``work(n)`` in threads that begin together; hands back what went wrong."""
    barrier, errors = threading.Barrier(times), []

    def run(n: int) -> None:
        try:
            barrier.wait(timeout=20)
            work(n)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return errors


def a_step(band: str) -> int:
    series = a_series(band=band)
    when = NOW - timedelta(days=10)
    around = {"interval_start": when, "interval_end": when, "time": when, "found_at": NOW}
    levels = {"magnitude": 0.1, "before": 1.0, "after": 1.1, "score": 9.0, "points_after": 4}
    ChangePoint.objects.create(
        series=series, detector="step", version="1.0", mode="live", kind="step", **around, **levels
    )
    seen(series)
    return series.pk


def group() -> dict[str, Any]:
    """Each has found the step in another band."""
    keys = [a_step(band) for band in ("B02", "B03", "B04", "B08")]
    errors = at_once(lambda n: judging.judge_series("S2A", [keys[n]]))
    titles = [alert.title[:46] for alert in Alert.objects.all()]
    return {"errors": [*map(repr, errors)], "alerts": titles, "parts": AlertPart.objects.count()}


def same() -> dict[str, Any]:
    """All look at the same series."""
    AlertPart.objects.all().delete()
    Alert.objects.all().delete()
    ChangePoint.objects.all().delete()
    keys = [a_step(band) for band in ("B02", "B03")]
    errors = at_once(lambda n: judging.judge_series("S2A", keys))
    return {"errors": [*map(repr, errors)], "alerts": Alert.objects.count(), "parts": AlertPart.objects.count()}


def announced() -> dict[str, Any]:
    """All announce the same alert; a receiver hears it once, a subscription gets one message, which is sent once."""
    heard, sent = [], []

    def hear(sender: Any, alert: Alert, **_: Any) -> None:
        heard.append(alert.pk)

    factories.subscription(factories.person("viewer"), unit="", severity=10)
    alert_opened.connect(hear)
    errors = at_once(lambda n: announcing.announce_due())
    sending.deliver = lambda subscription, letter: sent.append(letter.key)  # type: ignore[assignment]
    errors += at_once(lambda n: sending.send_due())
    states = list(Notification.objects.values_list("state", "attempts"))
    return {"errors": [*map(repr, errors)], "heard": len(heard), "sent": len(sent), "messages": states}


def closed() -> dict[str, Any]:
    """All close the same alert, each having seen the same of it: one does, the others are told who."""
    alert = Alert.objects.get()
    people = [factories.person("qc_engineer", name=f"person-{n}") for n in range(THREADS)]
    seen_by_all = alert.notes.latest("pk").pk
    errors = at_once(lambda n: states.close(Alert.objects.get(), people[n], reason=f"by {n}", seen=seen_by_all))
    notes = alert.notes.filter(what="closed").count()
    told = sorted({type(e).__name__ + (": told" if "closed it at" in str(e) else f": {e}") for e in errors})
    return {"refused": len(errors), "told": told, "notes": notes, "state": Alert.objects.get().state}


if __name__ == "__main__":
    print(json.dumps([group(), same(), announced(), closed()]))
