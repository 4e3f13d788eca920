"""Settings of the real processes that the tests start: the site's own, impatient, with the test jobs."""

import os

from mpc.settings import *  # noqa: F403
from mpc.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.runs.declared.TestJobsConfig"]
MPC_HEARTBEAT_S = 0.5
MPC_WORKER_LOST_S = 5.0
MPC_RETRY_BACKOFF_S = 0.3
MPC_CANCEL_GRACE_S = 1.0
MPC_BROKER_PREFIX = os.environ.get("MPC_TEST_BROKER_PREFIX", "mpc-test:")
