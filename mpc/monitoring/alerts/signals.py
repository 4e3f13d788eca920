"""What alerts announce."""

from django.dispatch import Signal

# Once for each opened alert and once for each time that it comes back, after that is true: sender=Alert, alert, turn
# (0, or how often it came back). It is sent inside the transaction that notes that it was sent: what a receiver writes
# is written exactly once, and a receiver that fails is called again at the next turn.
alert_opened = Signal()
