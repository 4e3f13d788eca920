"""The sections that monitoring gathers itself, each a function of the day."""

from mpc.monitoring.digests.registry import register_section
from mpc.monitoring.digests.sections.absent import what_was_missing
from mpc.monitoring.digests.sections.ahead import what_lies_ahead
from mpc.monitoring.digests.sections.found import what_was_found
from mpc.monitoring.digests.sections.little import too_little_data
from mpc.monitoring.digests.sections.work import what_ran

register_section(10, "missing", "What did not run or arrive", what_was_missing)
register_section(20, "found", "What was found", what_was_found)
register_section(30, "ran", "What ran", what_ran)
register_section(40, "little", "Too little data", too_little_data)
register_section(50, "ahead", "What lies ahead", what_lies_ahead)
