"""Child processes seen from the supervisor: start, talk, measure, end, keep some warm. No Django here."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import psutil

from mpc.runs import wire

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
MB = 1024 * 1024


class Reaper:
    """The process that ends our children's groups should we be killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()

    def watch(self, group: int) -> None:
        with self._lock:
            self._groups.add(group)
            self._tell(b"+%d\n" % group)

    def forget(self, group: int) -> None:
        with self._lock:
            self._groups.discard(group)
            self._tell(b"-%d\n" % group)

    def _tell(self, line: bytes) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self._stdin().write(line)
                return
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).with_name("reaper.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0, start_new_session=True,
        )  # fmt: skip
        for group in self._groups:
            self._stdin().write(b"+%d\n" % group)

    def _stdin(self) -> IO[bytes]:
        assert self._process is not None
        assert self._process.stdin is not None
        return self._process.stdin

    def close(self) -> None:
        with self._lock:
            if self._process is not None:
                self._stdin().close()
                self._process.wait()
                self._process = None


class ChildProcess:
    """One child. ``exchange`` moves bytes both ways without ever waiting longer than asked."""

    def __init__(self, environment: Mapping[str, str], reaper: Reaper) -> None:
        orders_read, self._orders = os.pipe()
        self._messages, messages_write = os.pipe()
        self._output, output_write = os.pipe()
        command = [sys.executable, "-m", "mpc.runs.child", str(orders_read), str(messages_write), str(os.getpid())]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output_write, stderr=output_write, cwd=ROOT,
                env=dict(environment), pass_fds=(orders_read, messages_write), start_new_session=True,
            )  # fmt: skip
        except OSError:
            for descriptor in (self._orders, self._messages, self._output):
                os.close(descriptor)
            raise
        finally:
            for descriptor in (orders_read, messages_write, output_write):
                os.close(descriptor)
        self._reaper = reaper
        reaper.watch(self.pid)
        self._selector = selectors.DefaultSelector()
        for descriptor in (self._orders, self._messages, self._output):
            os.set_blocking(descriptor, False)
        self._selector.register(self._messages, selectors.EVENT_READ)
        self._selector.register(self._output, selectors.EVENT_READ)
        self._outgoing = bytearray()
        self._inbox = wire.Inbox()
        self._printed = b""
        self._silent = False
        self._ps = psutil.Process(self.pid)
        self.orders_done = 0
        self.fit = True

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None and not self._silent

    def give(self, order: wire.Order) -> None:
        """Hand over an order; the bytes leave with the next exchanges."""
        self._outgoing += wire.pack(order)
        self._selector.register(self._orders, selectors.EVENT_WRITE)

    def exchange(self, timeout: float) -> list[wire.Message]:
        """What the child said meanwhile; what it printed comes as debug lines. Waits at most ``timeout`` seconds."""
        heard: list[wire.Message] = []
        for key, _ in self._selector.select(timeout):
            if key.fd == self._orders:
                self._write()
            elif key.fd == self._messages:
                heard += self._said(self._read(self._messages))
            else:
                heard += self._lines(self._read(self._output))
        return heard

    def _said(self, piece: bytes) -> list[wire.Message]:
        try:
            return [wire.unpack(body) for body in self._inbox.feed(piece)]
        except Exception:
            # What fails to unpickle can raise anything. Nothing after it can be trusted: this child counts as dead.
            logger.exception("child %s said what cannot be read", self.pid)
            self._silent = True
            return []

    def last_words(self) -> list[wire.Line]:
        """What a dead child printed at its end, such as the place of a segmentation fault."""
        lines = self._lines(self._read(self._output)) if self._output in self._selector.get_map() else []
        if self._printed:
            lines += self._lines(b"\n")
        return lines

    def _write(self) -> None:
        try:
            written = os.write(self._orders, self._outgoing)
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._outgoing.clear()
            written = 0
        del self._outgoing[:written]
        if not self._outgoing:
            self._selector.unregister(self._orders)

    def _read(self, descriptor: int) -> bytes:
        try:
            piece = os.read(descriptor, 1 << 18)
        except BlockingIOError:
            return b""
        if not piece:
            self._selector.unregister(descriptor)
            if descriptor == self._messages:
                self._silent = True
        return piece

    def _lines(self, piece: bytes) -> list[wire.Line]:
        *full, self._printed = (self._printed + piece).split(b"\n")
        if len(self._printed) > 1 << 16:
            full, self._printed = [*full, self._printed], b""
        return [wire.Line(time.time(), "debug", line.decode("utf-8", "replace")) for line in full if line.strip()]

    def measure(self) -> wire.Usage | None:
        """CPU seconds since the child began and present memory of it and all it started; None when it is gone."""
        cpu, memory = 0.0, 0
        try:
            members = [self._ps, *self._ps.children(recursive=True)]
        except psutil.Error:
            return None
        for member in members:
            with contextlib.suppress(psutil.Error):
                times = member.cpu_times()
                cpu += times.user + times.system
                memory += member.memory_info().rss
        return wire.Usage(cpu, memory / MB)

    def own_memory_mb(self) -> float:
        """Present memory of the child alone: cheap, unlike a look for all that it started."""
        try:
            return self._ps.memory_info().rss / MB
        except psutil.Error:
            return 0.0

    def own_cpu_s(self) -> float:
        """CPU seconds of the child alone since it began."""
        try:
            times = self._ps.cpu_times()
        except psutil.Error:
            return 0.0
        return times.user + times.system

    def ask_to_stop(self) -> None:
        self.fit = False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Kill the group, and whatever has left it."""
        self.fit = False
        strays: list[psutil.Process] = []
        if self._process.poll() is None:
            with contextlib.suppress(psutil.Error):
                strays = self._ps.children(recursive=True)
        # Even when the child has ended, what it started may live on in its group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for stray in strays:
            with contextlib.suppress(psutil.Error):
                stray.kill()

    def end(self) -> None:
        """Kill it and close all that led to it. Safe to call again."""
        if self._orders < 0:
            return
        self.kill()
        self._process.wait()
        self._reaper.forget(self.pid)
        self._selector.close()
        for descriptor in (self._orders, self._messages, self._output):
            os.close(descriptor)
        self._orders = -1

    def wait_for_status(self, timeout: float) -> int | None:
        """The exit status of a child that fell silent; None when it still lives after ``timeout`` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None


def describe_status(status: int | None) -> str:
    """How a process ended, for people."""
    if status is None:
        return "fell silent and had to be killed"
    if status >= 0:
        return f"ended by itself with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    hints = {
        "SIGKILL": "; when nobody sent it, the machine had run out of memory",
        "SIGSEGV": "; a native library touched memory that is not its own",
        "SIGBUS": "; a mapped file shrank, or the disk is full",
    }
    return f"was killed by {name}{hints.get(name, '')}"


class Nursery:
    """The children of one process. Idle ones are kept warm; those that worked long or grew are let go."""

    def __init__(self, threads: int | None = None, orders_per_child: int = 1000, memory_mark_mb: float = 1024) -> None:
        self._environment = child_environment(threads)
        self._orders_per_child = orders_per_child
        self._memory_mark_mb = memory_mark_mb
        self._reaper = Reaper()
        self._lock = threading.Lock()
        self._idle: list[ChildProcess] = []

    def borrow(self) -> ChildProcess:
        """A child that waits for an order. Raises OSError when the machine cannot start one."""
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                return ChildProcess(self._environment, self._reaper)
            if child.alive():
                return child
            child.end()

    def give_back(self, child: ChildProcess) -> None:
        child.orders_done += 1
        if child.fit and child.alive() and child.orders_done < self._orders_per_child and self._small(child):
            with self._lock:
                self._idle.append(child)
        else:
            child.end()

    def _small(self, child: ChildProcess) -> bool:
        return child.own_memory_mb() <= self._memory_mark_mb

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()
        self._reaper.close()


_PRIVATE = frozenset({"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "MPC_BROKER_URL", "MPC_SECRET_KEY"})


def child_environment(threads: int | None) -> dict[str, str]:
    """The children's environment: ours without the site's secrets, and how many threads GDAL and numba may use."""
    environment = {k: v for k, v in os.environ.items() if k not in _PRIVATE}
    paths = [str(ROOT), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    if threads is not None:
        for name in ("GDAL_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            environment.setdefault(name, str(threads))
    return environment
