"""Fault drills: known faults planted in copies of series, and what each detector was worth against them."""
