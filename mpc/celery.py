"""The Celery app. Its messages only ring: "look at queue X". Order, retries and results live in the table of runs."""

from __future__ import annotations

import os

from celery import Celery, signals
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mpc.settings")

TRANSPORT_ALIASES["mpcfiles"] = "mpc.runs.transport:Transport"


def broker_url() -> str:
    """Where the bell hangs: the configured broker, else files; in tests the process's own memory."""
    if settings.MPC_BROKER_URL:
        return settings.MPC_BROKER_URL
    return "memory://localhost" if getattr(settings, "TESTING", False) else "mpcfiles://localhost"


def transport_options() -> dict[str, object]:
    if broker_url().startswith("mpcfiles"):
        return {"folder": str(settings.MPC_DATA_DIR / "bell"), "polling_interval": 0.1}
    if not broker_url().startswith("redis"):
        return {}
    # Neither a page nor a supervisor waits long for a broker that is away; the sweeper rings again later.
    timeouts = {"socket_timeout": 5, "socket_connect_timeout": 2, "max_retries": 1, "interval_start": 0}
    return {"visibility_timeout": 3600, "global_keyprefix": getattr(settings, "MPC_BROKER_PREFIX", "mpc:"), **timeouts}


app = Celery("mpc")
# Every thread of every process means this app when it says current_app.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    broker_url=broker_url(),
    broker_transport_options=transport_options(),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=4,
    broker_pool_limit=10,
    result_backend=None,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    # A worker with N places takes N rings and leaves the others to workers with a free place.
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_acks_on_failure_or_timeout=True,
    task_reject_on_worker_lost=False,
    task_default_queue="default",
    task_create_missing_queues=True,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    # The threads of the pool keep their database connections; a broken one is closed where it is noticed.
    db_reuse_max=1_000_000,
    timezone="UTC",
    enable_utc=True,
)
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_the_sites_logging(**_: object) -> None:
    """Celery configures no logging where this signal has a receiver: the settings' LOGGING stands."""
