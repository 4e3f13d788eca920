"""Metrics, series, measurements and their trends."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "mpc.monitoring"
    label = "monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        from mpc.monitoring import registrations, withdrawal  # noqa: F401 - the sink, the navigation and the panels
        from mpc.monitoring.catalogue import refresh_catalogue
        from mpc.monitoring.compliance import recompute  # noqa: F401 - the cells of the matrix, kept
        from mpc.monitoring.digests import keeping, sections, standing  # noqa: F401 - what a digest holds, and when
        from mpc.monitoring.rollups import marks, steps  # noqa: F401 - marks of changed limits, the roller
        from mpc.monitoring.seeds.loading import load_after_migration

        post_migrate.connect(refresh_catalogue, sender=self, dispatch_uid="monitoring.catalogue")
        post_migrate.connect(load_after_migration, sender=self, dispatch_uid="monitoring.tables")
