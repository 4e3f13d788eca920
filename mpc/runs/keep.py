"""Keep a process alive: ``python -m mpc.runs.keep -- COMMAND ...``; ``python`` as its first word is this Python.

Honcho stops everything when one of its processes ends, so each is kept by this: should it end, however it ends, it is
started again after a pause that grows while it keeps ending early. SIGTERM and SIGINT stop it for good. No Django here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

PAUSE_S, PAUSE_MAX_S = 0.5, 30.0
# One that lived so long did not end early.
LONG_S = 30.0
# Honcho kills after five seconds; what still runs by then would be left alone.
STOP_S = 4.0
_PR_SET_PDEATHSIG = 1


def _end_with_us() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def keep(command: list[str]) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    pause = PAUSE_S
    while not stop.is_set():
        began = time.monotonic()
        # A session of its own: a signal to our group reaches it once, from us.
        process = subprocess.Popen(command, start_new_session=True, preexec_fn=_end_with_us)
        while process.poll() is None and not stop.wait(0.1):
            pass
        if stop.is_set():
            _stop(process)
            break
        pause = PAUSE_S if time.monotonic() - began > LONG_S else min(2 * pause, PAUSE_MAX_S)
        _say(f"ended with status {process.returncode}; starting it again in {pause:g} s", command)
        stop.wait(pause)
    return 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _say(text: str, command: list[str]) -> None:
    sys.stderr.write(f"keep: {' '.join(command[:4])} {text}\n")
    sys.stderr.flush()


def main() -> int:
    command = sys.argv[1:]
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        _say("needs a command: python -m mpc.runs.keep -- COMMAND ...", [])
        return 2
    if command[0] == "python":
        command[0] = sys.executable
    return keep(command)


if __name__ == "__main__":
    sys.exit(main())
