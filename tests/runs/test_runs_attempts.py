"""One attempt on a real child process: how it can end, and what is kept of it."""

from __future__ import annotations

import hashlib
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from mpc.runs import files, queue, sinks
from mpc.runs.models import Run, RunLogLine, State
from mpc.runs.queue import Fence
from tests.runs import declared

pytestmark = pytest.mark.django_db


def log_of(run: Run) -> str:
    return "\n".join(f"{line.level}: {line.text}" for line in run.log_lines.all())


def test_success_keeps_results_log_and_figures(do: Any) -> None:
    declared.KEPT.clear()
    run = do("echo", text="hi", count=3)
    assert (run.state, run.verdict, run.summary, run.progress) == (State.SUCCEEDED, "PASSED", "hihihi", 1.0)
    assert [(run.pk, 1)] == declared.KEPT
    assert log_of(run) == "info: hi 1\ninfo: hi 2\ninfo: hi 3"
    assert run.wall_s > 0
    assert run.cpu_s >= 0
    assert run.peak_rss_mb > 5
    assert run.software_version
    attempt = run.attempts.get()
    assert (attempt.attempt, attempt.state, attempt.worker_name.endswith("(in place)")) == (1, State.SUCCEEDED, True)


def test_artifacts_are_kept_with_size_and_checksum(do: Any) -> None:
    run = do("write_files", text="a note")
    artifact = run.artifacts.get()
    assert files.path_of(artifact).read_text() == "a note"
    assert (artifact.size, artifact.media_type, artifact.title) == (6, "text/plain", "A note")
    assert artifact.sha256 == hashlib.sha256(b"a note").hexdigest()
    assert run.facts == {"nan": None}


@pytest.mark.parametrize(
    ("name", "params", "kind", "says", "attempts"),
    [
        ("hopeless", {"text": "no band"}, "hopeless", "nothing can be done: no band", 1),
        ("broken", {}, "error", "ZeroDivisionError: division by zero (in jobs.py, line", 1),
        ("unpicklable", {}, "error", "pickle", 1),
        ("nowhere", {}, "error", "AttributeError", 1),
        ("claim_foreign_file", {}, "results", "which is no file in its folder", 1),
        ("half", {}, "results", "the results make no sense", 1),
        ("exit_by_signal", {"signal": signal.SIGKILL}, "crash", "was killed by SIGKILL; when nobody sent it", 2),
        ("exit_by_signal", {"signal": signal.SIGSEGV}, "crash", "was killed by SIGSEGV", 2),
        ("exit_at_once", {}, "crash", "ended by itself with exit status 3", 1),
        ("short", {"seconds": 60}, "timeout", "Took longer than the 1 s allowed", 1),
        ("eat_memory", {"megabytes": 2000}, "memory", "where 400 MB are allowed", 1),
    ],
)
def test_failures_end_with_their_reason(
    do: Any, name: str, params: dict[str, Any], kind: str, says: str, attempts: int
) -> None:
    run = do(name, **params)
    assert (run.state, run.error_kind, run.attempt) == (State.FAILED, kind, attempts)
    assert says in run.error
    assert [a.state for a in run.attempts.all()] == [State.FAILED] * attempts
    assert run.artifacts.count() == 0
    assert not (Path(files.folder_of(Fence(run.pk, 1))).parent).exists()


def test_a_trace_goes_to_the_log_and_not_to_the_error(do: Any) -> None:
    run = do("broken")
    assert "Traceback" in log_of(run)
    assert "Traceback" not in run.error


def test_what_a_crash_printed_is_in_the_log(do: Any) -> None:
    run = do("exit_by_signal", signal=signal.SIGSEGV)
    assert "info: about to go" in log_of(run)
    assert "Segmentation fault" in log_of(run)


def test_half_written_results_are_undone(do: Any) -> None:
    run = do("half")
    assert not RunLogLine.objects.filter(text="half written").exists()
    assert "the results make no sense" in log_of(run)


def test_a_passing_cause_is_tried_again_and_a_crash_too(do: Any, tmp_path: Path) -> None:
    for name in ("passing", "crash_first"):
        place = tmp_path / name
        place.mkdir()
        run = do(name, place=str(place), times=2)
        assert (run.state, run.attempt) == (State.SUCCEEDED, 3)
        assert [a.state for a in run.attempts.all()] == [State.FAILED, State.FAILED, State.SUCCEEDED]
        assert (run.error, run.error_kind) == ("", "")


def test_a_cause_that_does_not_pass_fails_after_the_last_attempt(do: Any, tmp_path: Path) -> None:
    run = do("passing", place=str(tmp_path), times=50)
    assert (run.state, run.error_kind, run.attempt) == (State.FAILED, "passing", 3)
    assert run.error == "not yet, try 3 This was attempt 3 of 3."


def test_pauses_grow_and_have_an_end(settings: Any) -> None:
    settings.MPC_RETRY_BACKOFF_S = 5.0
    bounds = [(queue.backoff_s(n), 5.0 * 2 ** (n - 1)) for n in range(1, 6)]
    assert all(base <= pause <= 1.25 * base for pause, base in bounds)
    assert queue.backoff_s(30) <= 1.25 * queue.BACKOFF_MAX_S


def test_a_child_serves_several_runs_and_is_replaced_after_a_crash(do: Any) -> None:
    seen: list[Any] = []
    sink = sinks.register_sink(lambda run, outcome: seen.append(outcome.results))
    try:
        for name in ("echo", "echo", "exit_at_once", "echo"):
            do(name)
    finally:
        sinks._sinks.remove(sink)
    pids = [result["pid"] for result in seen]
    assert pids[0] == pids[1] != pids[2]
    assert not psutil.pid_exists(pids[0])


def test_a_flood_of_lines_is_cut_and_made_fit_for_any_database(do: Any) -> None:
    run = do("talkative")
    assert run.state == State.SUCCEEDED
    assert run.summary == "said it all ␀"
    assert run.log_lines.count() <= 5000
    assert "the rest of the log is left out" in log_of(run)
    assert "line 0 ␀ ?" in log_of(run)
    assert run.log_lines.filter(level="debug", text="printed by a library").exists()
