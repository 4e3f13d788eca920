"""What the runs contribute to the pages that everybody shares."""
