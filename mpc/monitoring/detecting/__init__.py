"""The detectors at work: which series they look at, how they are set, and what becomes of what they find."""
