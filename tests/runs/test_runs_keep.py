"""A kept process comes back when it dies, and goes when its keeper is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.runs.site import ROOT, wait_until

NOTE = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"


def pids(note: Path) -> list[int]:
    return [int(line) for line in note.read_text().splitlines()] if note.exists() else []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_it_is_started_again_and_ends_with_its_keeper(tmp_path: Path, ending: signal.Signals) -> None:
    if ending == signal.SIGKILL and sys.platform != "linux":
        pytest.skip("only Linux tells a process that its parent is gone")
    note = tmp_path / "pids"
    keeper = subprocess.Popen(
        [sys.executable, "-m", "mpc.runs.keep", "--", "python", "-c", NOTE, str(note)], cwd=ROOT, start_new_session=True
    )
    try:
        wait_until(lambda: len(pids(note)) == 1, "it runs")
        os.kill(pids(note)[0], signal.SIGKILL)
        wait_until(lambda: len(pids(note)) == 2, "it runs again")
        keeper.send_signal(ending)
        assert keeper.wait(30) == (0 if ending == signal.SIGTERM else -signal.SIGKILL)
        wait_until(lambda: not psutil.pid_exists(pids(note)[1]), "it has ended with its keeper")
    finally:
        keeper.kill()


def test_wrong_use_is_said() -> None:
    done = subprocess.run([sys.executable, "-m", "mpc.runs.keep", "--"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, "needs a command" in done.stderr) == (2, True)
