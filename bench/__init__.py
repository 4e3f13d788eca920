"""Benchmarks: what a piece of the centre costs against the floor below which no software could go.

    manage.py bench NAME --json      one
    make bench                       all

Each prints our figure, the floor measured in the same run, their ratio, and whether the goal is met.
"""
