"""What every page shares: layout, lists, signs, plots, and the registries that the domain apps fill."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "mpc.ui"
    label = "ui"
    verbose_name = "Pages"

    def ready(self) -> None:
        from mpc.ui import checks, registrations  # noqa: F401 - the checks of the registries; Today
