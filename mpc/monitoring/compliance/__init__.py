"""Live compliance: how each requirement stands for each unit and band, and when a drift will cross its limit.

``statistics`` and ``evaluator`` are pure; ``reading`` fetches what they judge, ``recompute`` keeps the cells.
"""
