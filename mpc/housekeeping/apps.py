"""Keeping house: what is old goes, everything is backed up and restored, and the processes say that they live."""

from django.apps import AppConfig


class HousekeepingConfig(AppConfig):
    name = "mpc.housekeeping"
    label = "housekeeping"
    verbose_name = "Housekeeping"

    def ready(self) -> None:
        from mpc.housekeeping import steps  # noqa: F401 - declares the sweeper's periodic steps
