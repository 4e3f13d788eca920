"""What the inventory announces."""

from django.dispatch import Signal

# Sent inside the intake's transaction, after the rows exist: sender=Product, product, actor, trigger.
product_arrived = Signal()

# Sent inside the transaction that changes the product, which is locked: sender=Product, product, actor.
product_withdrawn = Signal()
product_reinstated = Signal()
