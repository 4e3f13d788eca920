"""What the inventory announces."""

from django.dispatch import Signal

# Sent inside the intake's transaction, after the rows exist: sender=Product, product, actor, trigger.
product_arrived = Signal()
