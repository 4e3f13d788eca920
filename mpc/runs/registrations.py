"""What the runs contribute to the rooms below: entries of pages, and the way to wait for what an arrival queued."""
