"""Taking a product out of use, and back: it keeps its row and its history, and stands in no list, count or trend.

Rooms above hear of it by ``product_withdrawn`` and ``product_reinstated``, inside the transaction: monitoring hides
what was measured of it, runs stop what is under way. All of it is exactly undone by reinstating, but for the runs.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from mpc.accounts import audit, policy
from mpc.products import services
from mpc.products.models import Product
from mpc.products.signals import product_reinstated, product_withdrawn

REASON_LENGTH = 2000


class CannotChange(ValueError):
    """The product is in no state for that, or the reason is missing; the text says which."""


def withdraw(product: Product, *, actor: Any, reason: str) -> Product:
    """Take a product out of use; hands it back fresh.

    Raises:
        PermissionDenied: the actor may not withdraw products.
        CannotChange: no reason is given, or it is withdrawn already.
    """
    policy.require(actor, "products.withdraw", product)
    reason = services.as_text(reason).strip()
    if not reason:
        raise CannotChange("Say why the product is withdrawn: others will read it.")
    with transaction.atomic(), services.one_at_a_time(product.observation):
        found = Product.objects.select_for_update().get(pk=product.pk)
        if found.withdrawn:
            raise CannotChange(found.withdrawal)
        found.withdrawn_at, found.withdrawn_by = timezone.now(), actor
        found.withdrawn_reason = reason[:REASON_LENGTH]
        found.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
        services.mark_newest(found.observation)
        audit.record(
            actor,
            "products.withdrawn",
            found,
            before={"withdrawn": False},
            after={"withdrawn": True, "reason": found.withdrawn_reason},
        )
        product_withdrawn.send(sender=Product, product=found, actor=actor)
    found.refresh_from_db()
    return found


def reinstate(product: Product, *, actor: Any) -> Product:
    """Take a withdrawn product into use again; hands it back fresh. Raises PermissionDenied, CannotChange."""
    policy.require(actor, "products.withdraw", product)
    with transaction.atomic(), services.one_at_a_time(product.observation):
        found = Product.objects.select_for_update().get(pk=product.pk)
        if not found.withdrawn:
            raise CannotChange(f"{found.name} is not withdrawn.")
        before = {"withdrawn": True, "since": found.withdrawn_at.isoformat(), "reason": found.withdrawn_reason}
        found.withdrawn_at, found.withdrawn_by, found.withdrawn_reason = None, None, ""
        found.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
        services.mark_newest(found.observation)
        audit.record(actor, "products.reinstated", found, before=before, after={"withdrawn": False})
        product_reinstated.send(sender=Product, product=found, actor=actor)
    found.refresh_from_db()
    return found
