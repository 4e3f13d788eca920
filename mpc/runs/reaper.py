"""Ends what a dead worker left behind: ``python reaper.py``, one beside every process with children. No Django here.

It reads ``+PID`` and ``-PID`` lines about process groups. When the pipe ends, its owner is gone, and every group still
on the list is killed. The child itself dies with its supervisor anyway; what the child had started does not.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        sign, group = line[0], int(line[1:])
        groups.add(group) if sign == "+" else groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
