"""Settings of the site that ``bench_runs`` starts: the centre's own, and one job that does next to nothing."""

import os

from mpc.settings import *  # noqa: F403
from mpc.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench.small_job.SmallJobConfig"]
MPC_BROKER_PREFIX = os.environ.get("MPC_BENCH_BROKER_PREFIX", "mpc-bench:")
