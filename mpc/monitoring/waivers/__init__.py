"""Waivers: known limits of the data that excuse a breach until a day."""
