"""What every page shares: layout, lists, signs, plots, and the registries that the domain apps fill."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "mpc.ui"
    label = "ui"
    verbose_name = "Pages"

    def ready(self) -> None:
        from mpc.ui import checks  # noqa: F401 - registers the system checks of the registries
