"""What monitoring says on the home page: how the units stand, what changed, what waits, what is missing."""
