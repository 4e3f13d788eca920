"""Messages about alerts: who wants to hear of which, and how it is brought to them."""
