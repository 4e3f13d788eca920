"""Metrics, series, measurements and their trends."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "mpc.monitoring"
    label = "monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        from mpc.monitoring import registrations, withdrawal  # noqa: F401 - the sink, the navigation and the panels
        from mpc.monitoring.alerts import steps as alert_steps  # noqa: F401 - what the sweeper does for alerts
        from mpc.monitoring.archive import keeping as archiving  # noqa: F401 - months that go to files
        from mpc.monitoring.catalogue import refresh_catalogue
        from mpc.monitoring.compliance import recompute  # noqa: F401 - the cells of the matrix, kept
        from mpc.monitoring.detecting import explaining, jobs, marking  # noqa: F401 - the job, and what it looks at
        from mpc.monitoring.detecting.settings import add_first_settings
        from mpc.monitoring.digests import keeping, sections, standing  # noqa: F401 - what a digest holds, and when
        from mpc.monitoring.drills.jobs import schedule_weekly
        from mpc.monitoring.events import seen  # noqa: F401 - looks at arrivals
        from mpc.monitoring.notifying import sending  # noqa: F401 - the messages
        from mpc.monitoring.partitions import KeepMonths  # noqa: F401 - months of the table
        from mpc.monitoring.rollups import marks, steps  # noqa: F401 - marks of changed limits, the roller
        from mpc.monitoring.seeds.loading import load_after_migration

        post_migrate.connect(add_first_settings, sender=self, dispatch_uid="monitoring.first_settings")
        post_migrate.connect(schedule_weekly, sender=self, dispatch_uid="monitoring.weekly_drill")
        post_migrate.connect(refresh_catalogue, sender=self, dispatch_uid="monitoring.catalogue")
        post_migrate.connect(load_after_migration, sender=self, dispatch_uid="monitoring.tables")
