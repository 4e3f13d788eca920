"""Work: asking for it, doing it once, watching it."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RunsConfig(AppConfig):
    name = "mpc.runs"
    label = "runs"
    verbose_name = "Runs"

    def ready(self) -> None:
        from mpc.runs import arrivals, followups, registrations  # noqa: F401 - connect arrivals; declare page entries
        from mpc.runs.queues import add_first_queues

        post_migrate.connect(add_first_queues, sender=self, dispatch_uid="runs.first_queues")
