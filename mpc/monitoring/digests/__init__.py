"""The daily digest, "proof of silence": what was looked at on a UTC day, what was found, and what could not be said."""
