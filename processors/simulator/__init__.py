"""The simulator: what the satellites and the ground segment would deliver, made by rule, with known truth.

It imports nothing of the software that it is there to test, but for the plain numbers of :mod:`mpc.msi.bands`.
"""
