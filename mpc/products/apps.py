"""Inventory and ingestion."""

from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "mpc.products"
    label = "products"
    verbose_name = "Products"

    def ready(self) -> None:
        from mpc.products import jobs, registrations  # noqa: F401 - declare the job and the entries of the pages
