"""The process in which work happens: ``python -m mpc.runs.child IN OUT`` with two inherited pipes. No Django here.

It takes one order after the other from its supervisor and stays warm in between, so that numba, GDAL and numpy are
loaded once. It lives in a session and process group of its own, so that whatever the work started can be ended with it.
When its supervisor dies it dies too: Linux sends SIGKILL (which also ends a compiled kernel that never lets Python
run), and elsewhere the end of the pipe does.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import hashlib
import importlib
import os
import pickle
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import NoReturn

from mpc.jobs.context import HopelessError, PassingError
from mpc.jobs.outcome import Artifact, Outcome
from mpc.runs import wire
from mpc.runs.folders import make_folder

# The causes in the system that go away by themselves: a mount away, a disk full for a while, a remote end silent.
PASSING_ERRNOS = frozenset({
    errno.EIO, errno.ESTALE, errno.ENOSPC, errno.EAGAIN, errno.ENOTCONN, errno.EHOSTDOWN, errno.EHOSTUNREACH,
    errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED,
})  # fmt: skip
# A disk with less room than this has refused what somebody wanted to write.
FULL_BYTES = 4 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
_PROGRESS_EVERY_S = 0.05
_LEVELS = frozenset({"debug", "info", "warning", "error"})


class BadArtifact(Exception):
    """The work named a file that is not there or not its own."""


class StopSign(BaseException):
    """Raised in the work when the supervisor asks it to stop; no ``except Exception`` keeps it."""


class Mouth:
    """Says messages to the supervisor, each in one piece: a stop sign that comes meanwhile waits until it is said."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._speaking = False
        self._stop_asked = False
        self.heeds_stop = False

    def say(self, message: wire.Message) -> None:
        view = memoryview(wire.pack(message))
        self._speaking = True
        try:
            while view:
                view = view[os.write(self._out, view) :]
        except BrokenPipeError:
            end_group()
        finally:
            self._speaking = False
        self.stop_if_asked()

    def on_stop_sign(self, _signum: int, _frame: FrameType | None) -> None:
        self._stop_asked = True
        if not self._speaking:
            self.stop_if_asked()

    def stop_if_asked(self) -> None:
        if self._stop_asked and self.heeds_stop:
            self.heeds_stop = False  # once: a second sign must not break the clean-up of the first
            raise StopSign


class PipeContext:
    """The job's context: tells the supervisor."""

    def __init__(self, folder: Path, mouth: Mouth) -> None:
        self._folder = folder
        self._mouth = mouth
        self._sent_at = 0.0
        self._sent = (-1.0, "")

    @cached_property
    def workdir(self) -> Path:
        """The attempt's folder, made when it is first asked for: much work leaves no file."""
        return make_folder(self._folder)

    def progress(self, fraction: float, message: str = "") -> None:
        fraction = min(max(float(fraction), 0.0), 1.0)
        now = time.monotonic()
        before, before_message = self._sent
        if message == before_message and fraction - before < 0.01 and now - self._sent_at < _PROGRESS_EVERY_S:
            return
        self._sent, self._sent_at = (fraction, message), now
        self._mouth.say(wire.Progress(fraction, str(message)))

    def log(self, message: str, level: str = "info") -> None:
        self._mouth.say(wire.Line(time.time(), level if level in _LEVELS else "info", str(message)))


def end_group() -> NoReturn:
    """End this process and all it started, now."""
    os.killpg(0, signal.SIGKILL)
    os._exit(1)


class Meter:
    """CPU time and peak memory of one order in a process that does many."""

    def __init__(self) -> None:
        self._cpu = self._cpu_now()
        self._exact = False
        with contextlib.suppress(OSError):  # Linux: forget the peak of earlier orders
            Path("/proc/self/clear_refs").write_text("5")
            self._exact = True

    @staticmethod
    def _cpu_now() -> float:
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

    def usage(self) -> wire.Usage:
        return wire.Usage(cpu_s=self._cpu_now() - self._cpu, peak_rss_mb=self._peak_mb())

    def _peak_mb(self) -> float:
        if self._exact:
            with contextlib.suppress(OSError, ValueError, IndexError):
                for line in Path("/proc/self/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        return int(line.split()[1]) / 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1024 if sys.platform != "darwin" else peak / 1024**2


class Child:
    def __init__(self, orders: int, out: int) -> None:
        self._orders = orders
        self._mouth = Mouth(out)
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def run(self) -> NoReturn:
        signal.signal(signal.SIGTERM, self._mouth.on_stop_sign)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=self._take_orders, name="orders", daemon=True).start()
        while True:
            self._work_on(self._waiting.get())

    def _take_orders(self) -> None:
        inbox = wire.Inbox()
        while piece := os.read(self._orders, 1 << 16):
            for body in inbox.feed(piece):
                self._waiting.put(body)
        end_group()  # the supervisor is gone or wants no more of this child

    def _work_on(self, body: bytes) -> None:
        meter = Meter()
        answer: wire.Message
        try:
            self._mouth.heeds_stop = True
            self._mouth.stop_if_asked()
            answer = do(body, self._mouth, meter)
            self._mouth.heeds_stop = False
        except StopSign:
            answer = wire.Stopped(meter.usage())
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self._mouth.say(answer)


def do(body: bytes, mouth: Mouth, meter: Meter) -> wire.Done | wire.Failed:
    """Do the work of a packed order and say how it ended. Whatever the work raises ends here."""

    def failed(kind: str, text: str) -> wire.Failed:
        return wire.Failed(kind, text, traceback.format_exc(), meter.usage())

    workdir: Path | None = None
    try:
        order: wire.Order = wire.unpack(body)
        module, _, name = order.work.partition(":")
        function = getattr(importlib.import_module(module), name)
        workdir = Path(order.workdir)
        outcome = function(order.params, order.inputs, PipeContext(workdir, mouth))
        if not isinstance(outcome, Outcome):
            raise TypeError(f"the work handed back {type(outcome).__name__} in place of an Outcome")
        packed = pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL)
        return wire.Done(packed, keep_files(workdir, outcome.artifacts), meter.usage())
    except BadArtifact as error:
        return failed("results", str(error))
    except HopelessError as error:
        return failed("hopeless", str(error) or "the work says that it cannot succeed")
    except PassingError as error:
        return failed("passing", str(error) or "the work says that the cause may pass")
    except MemoryError as error:
        return failed("memory", f"out of memory: {error}")
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and error.errno in PASSING_ERRNOS:
            return failed("passing", describe(error))
        if workdir is not None and is_full(workdir):
            return failed("passing", f"The disk is full: {describe(error)}")
        return failed("error", describe(error))


def is_full(folder: Path) -> bool:
    """Whether nothing more fits on the disk: what GDAL and its libraries say then does not tell."""
    try:
        facts = os.statvfs(folder)
    except OSError:
        return False
    return facts.f_bavail * facts.f_frsize < FULL_BYTES


def keep_files(workdir: Path, artifacts: Sequence[Artifact]) -> tuple[wire.KeptFile, ...]:
    """Sizes and checksums of the files, which are on the disk for good afterwards. Raises BadArtifact.

    Done here and not in the supervisor, whose heart must beat while gigabytes are read.
    """
    folder = workdir.resolve()
    kept: dict[str, wire.KeptFile] = {}
    for artifact in artifacts:
        path = folder / artifact.path
        if not path.resolve().is_relative_to(folder) or path.is_symlink() or not path.is_file():
            raise BadArtifact(f"the work names the artifact “{artifact.path}”, which is no file in its folder")
        if artifact.name in kept:
            raise BadArtifact(f"the work names two artifacts “{artifact.name}”")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        kept[artifact.name] = wire.KeptFile(
            artifact.name, artifact.path, artifact.media_type, artifact.title, path.stat().st_size, digest
        )
    return tuple(kept.values())


def describe(error: BaseException) -> str:
    """One line for people: what was raised, and in which line of which file."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" (in {Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


def die_with(parent: int) -> None:
    """Ask Linux to kill this process when its supervisor ends, however it ends."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the request
        end_group()


def main() -> NoReturn:
    orders, out, parent = (int(text) for text in sys.argv[1:4])
    die_with(parent)
    for descriptor in (orders, out):  # what the work starts must not hold our pipes open
        os.set_inheritable(descriptor, False)
    faulthandler.enable()
    Child(orders, out).run()


if __name__ == "__main__":
    main()
