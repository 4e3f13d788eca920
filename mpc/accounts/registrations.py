"""What the accounts add to the pages."""
