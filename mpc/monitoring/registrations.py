"""What monitoring contributes to the runs and to the pages that everybody shares."""

from mpc.monitoring.services import store_measurements
from mpc.runs.sinks import register_sink

register_sink(store_measurements)
