"""A product was withdrawn or reinstated: what was measured of it leaves the trends and comes back."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from mpc.monitoring import services
from mpc.products.signals import product_reinstated, product_withdrawn


@receiver(product_withdrawn, dispatch_uid="monitoring.withdrawn")
def hide(sender: Any, product: Any, **_: Any) -> None:
    services.hide_product(product.pk)


@receiver(product_reinstated, dispatch_uid="monitoring.reinstated")
def show(sender: Any, product: Any, **_: Any) -> None:
    services.show_product(product.pk)
