"""What the sweeper does for the housekeeping."""
