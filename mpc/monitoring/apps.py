"""Metrics, series, measurements and their trends."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "mpc.monitoring"
    label = "monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        from mpc.monitoring import registrations  # noqa: F401 - the sink, the navigation and the panels
