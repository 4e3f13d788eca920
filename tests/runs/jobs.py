"""Work for tests of the engine: pure functions that succeed, fail and misbehave in known ways."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numba
import numpy as np

from mpc.jobs import Artifact, Context, HopelessError, Inputs, MeasuredValue, Outcome, PassingError, Verdict, param


@dataclass(frozen=True)
class EchoParams:
    text: str = param("hello", help="What to hand back", max_length=200)
    count: int = param(1, help="How often", minimum=1, maximum=10)


@dataclass(frozen=True)
class SleepParams:
    seconds: float = param(0.1, help="How long", unit="s", minimum=0, maximum=600)


@dataclass(frozen=True)
class PlaceParams:
    place: str = param(help="A folder that the work leaves marks in")
    times: int = param(1, help="How often it misbehaves", minimum=0, maximum=100)


@dataclass(frozen=True)
class MemoryParams:
    megabytes: int = param(help="How much to take", minimum=1, maximum=4096)


@dataclass(frozen=True)
class SignalParams:
    signal: int = param(int(signal.SIGKILL), help="Number of the signal", minimum=1, maximum=31)


def echo(params: EchoParams, inputs: Inputs, context: Context) -> Outcome:
    for step in range(params.count):
        context.progress((step + 1) / params.count, params.text)
        context.log(f"{params.text} {step + 1}")
    return Outcome(
        summary=params.text * params.count, verdict=Verdict.PASSED, results={"pid": os.getpid(), "inputs": inputs}
    )


def write_files(params: EchoParams, inputs: Inputs, context: Context) -> Outcome:
    (context.workdir / "sub").mkdir()
    (context.workdir / "sub" / "note.txt").write_text(params.text)
    (context.workdir / "left-over.bin").write_bytes(b"not an artifact")
    return Outcome(
        summary="written",
        artifacts=(Artifact("note", "sub/note.txt", "text/plain", "A note"),),
        facts={"nan": float("nan")},
    )


def claim_foreign_file(params: EchoParams, inputs: Inputs, context: Context) -> Outcome:
    return Outcome(summary="", artifacts=(Artifact("passwd", "../../../../etc/passwd", "text/plain"),))


def sleep(params: SleepParams, inputs: Inputs, context: Context) -> Outcome:
    until = time.monotonic() + params.seconds
    while (left := until - time.monotonic()) > 0:
        context.progress(1 - left / params.seconds, "asleep")
        time.sleep(min(left, 0.02))
    return Outcome(summary=f"slept {params.seconds} s")


@numba.njit
def _never_ends(x: float) -> float:
    # Without nogil: while it runs, no other thread of the process runs and no Python signal handler either.
    while x > -1.0:
        x = x * 0.5 + 1.0
    return x


def busy_kernel(params: EchoParams, inputs: Inputs, context: Context) -> Outcome:
    context.progress(0.1, "in the kernel")
    return Outcome(summary=str(_never_ends(1.0)))


def eat_memory(params: MemoryParams, inputs: Inputs, context: Context) -> Outcome:
    kept = []
    for n in range(params.megabytes // 8):
        kept.append(np.ones(1 << 20))  # 8 MB, touched
        context.progress(8 * n / params.megabytes, "eating")
        time.sleep(0.01)
    context.log("all eaten")
    time.sleep(600)
    return Outcome(summary=str(len(kept)))


def exit_by_signal(params: SignalParams, inputs: Inputs, context: Context) -> Outcome:
    context.log("about to go")
    os.kill(os.getpid(), params.signal)
    time.sleep(600)
    return Outcome(summary="survived")


def exit_at_once(params: EchoParams, inputs: Inputs, context: Context) -> Outcome:
    os._exit(3)


def hopeless(params: EchoParams, inputs: Inputs, context: Context) -> Outcome:
    raise HopelessError(f"nothing can be done: {params.text}")


def broken(params: EchoParams, inputs: Inputs, context: Context) -> Outcome:
    return Outcome(summary=str(1 / (params.count - params.count)))


def unpicklable(params: EchoParams, inputs: Inputs, context: Context) -> Outcome:
    return Outcome(summary="", results=lambda: None)


def passing(params: PlaceParams, inputs: Inputs, context: Context) -> Outcome:
    """Fails for a passing cause until it has been tried ``times`` times."""
    tries = _mark(params.place)
    if tries <= params.times:
        raise PassingError(f"not yet, try {tries}")
    return Outcome(summary=f"done at try {tries}")


def crash_first(params: PlaceParams, inputs: Inputs, context: Context) -> Outcome:
    """Dies by a signal until it has been tried ``times`` times."""
    if _mark(params.place) <= params.times:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(600)
    return Outcome(summary="survived")


def with_offspring(params: PlaceParams, inputs: Inputs, context: Context) -> Outcome:
    """Starts a process, notes its pid, and waits for ever."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (Path(params.place) / "offspring").write_text(str(other.pid))
    context.progress(0.5, "started another")
    time.sleep(600)
    return Outcome(summary="")


def gated(params: PlaceParams, inputs: Inputs, context: Context) -> Outcome:
    """Leaves a mark, then waits for the file ``open`` in the folder, and writes a file."""
    _mark(params.place)
    (context.workdir / "result.txt").write_text("result")
    while not (Path(params.place) / "open").exists():
        context.progress(0.5, "waiting at the gate")
        time.sleep(0.05)
    return Outcome(summary="through", artifacts=(Artifact("result", "result.txt", "text/plain"),))


def talkative(params: EchoParams, inputs: Inputs, context: Context) -> Outcome:
    print("printed to standard output")
    os.write(2, b"printed by a library\n")
    for n in range(20_000):
        context.log(f"line {n} \x00 \udc80")
    return Outcome(summary="said it all \x00")


@dataclass(frozen=True)
class WorkParams:
    text: str = param(help="What tells this run from the others", max_length=200)
    seconds: float = param(0.2, help="How long it takes", unit="s", minimum=0, maximum=600)


def whole_work(params: WorkParams, inputs: Inputs, context: Context) -> Outcome:
    """Two files, two measurements, one log line: all that a run can leave, so that a second set would show."""
    until = time.monotonic() + params.seconds
    (context.workdir / "sub").mkdir(exist_ok=True)
    (context.workdir / "first.txt").write_text(f"first of {params.text}")
    while (left := until - time.monotonic()) > 0:
        context.progress(1 - left / params.seconds, "at work")
        time.sleep(min(left, 0.02))
    (context.workdir / "sub" / "second.txt").write_text(f"second of {params.text}")
    context.log(f"done with {params.text}")
    at = datetime.fromtimestamp(zlib.crc32(params.text.encode()), UTC)
    return Outcome(
        summary=params.text,
        measurements=tuple(
            MeasuredValue(f"test.{name}", at, 1.0, samples=1, no_uncertainty="a test") for name in ("one", "two")
        ),
        artifacts=(
            Artifact("first", "first.txt", "text/plain"),
            Artifact("second", "sub/second.txt", "text/plain"),
        ),
    )


def read_image(params: PlaceParams, inputs: Inputs, context: Context) -> Outcome:
    """Decodes an image again and again, each time in one call of GDAL."""
    import rasterio

    for _ in range(params.times):
        context.progress(0.1, "in GDAL")
        with rasterio.open(params.place) as source:
            source.read(1)
    return Outcome(summary="read")


def _mark(place: str) -> int:
    """Leave one more mark and say how many there are."""
    folder = Path(place)
    (folder / f"mark-{time.time_ns()}-{os.getpid()}").touch()
    return len(list(folder.glob("mark-*")))
