"""Mission events: what happened to the satellites and the processing, and may explain what the numbers do."""
