"""Floors: the least that a task costs. Nothing in here imports anything of the centre."""
