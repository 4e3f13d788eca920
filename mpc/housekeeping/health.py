"""Whether the site and its processes are well, for whoever watches them from outside: a word, and no details."""

from __future__ import annotations

import socket
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mpc.housekeeping.models import Heartbeat
from mpc.housekeeping.steps import SWEEPER
from mpc.runs import services

OK = "ok"
# The sweeper's step beats every ten seconds, and waits its turn behind the others.
SILENT_S = 120.0


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 and ``{"status": "ok"}`` when the site can serve, else 503 and a word for what is wrong."""
    status = site_health()
    return JsonResponse({"status": status}, status=200 if status == OK else 503)


def site_health() -> str:
    """``ok``; ``database`` when it does not answer, ``migrations`` when it is not up to date with the software."""
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except Error:
        return "database"
    return OK if _wanted_migrations() <= applied.keys() else "migrations"


@cache
def _wanted_migrations() -> frozenset[tuple[str, str]]:
    """The last migrations of all apps, as this software has them."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes())


def worker_health() -> str:
    """``ok`` when a worker of this machine (this container) has been seen lately, else what is wrong."""
    alive = services.live_workers().filter(host=socket.gethostname())
    return OK if alive.exists() else f"no worker of {socket.gethostname()} has been seen lately"


def sweeper_health() -> str:
    """``ok`` when the sweeper of this machine (this container) has been seen lately, else what is wrong."""
    since = timezone.now() - timedelta(seconds=max(SILENT_S, settings.MPC_WORKER_LOST_S))
    seen = Heartbeat.objects.filter(name=SWEEPER, host=socket.gethostname(), at__gt=since)
    return OK if seen.exists() else f"no sweeper of {socket.gethostname()} has been seen lately"
