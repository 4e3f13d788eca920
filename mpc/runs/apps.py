"""Work: asking for it, doing it once, watching it."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "mpc.runs"
    label = "runs"
    verbose_name = "Runs"

    def ready(self) -> None:
        from mpc.runs import arrivals, followups, registrations  # noqa: F401 - connect arrivals; declare page entries
