"""Alerts: what is opened, how people deal with it, when it closes itself."""
