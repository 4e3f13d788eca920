"""The site's own app: imports Celery when Django is ready, so that the apps below never need to."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "mpc"
    label = "site"
    verbose_name = "Sentinel-2 Mission Performance Centre"

    def ready(self) -> None:
        from mpc import celery  # noqa: F401 - binds the Celery app that tasks belong to
