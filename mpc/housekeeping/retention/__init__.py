"""What is old goes: one rule a kind of thing, each with a setting that says for how many days it is kept.

A rule never takes what is current, what an active run needs, the newest successful run of a kind on a product, the
newest report of a product, or a file outside of the centre's own folders. Audit and inventory are never touched.
"""

from mpc.housekeeping.retention.rule import CHUNK, Rule
from mpc.housekeeping.retention.rules import all_rules

__all__ = ["CHUNK", "Rule", "all_rules"]
