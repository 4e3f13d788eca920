"""Real workers, killed, stopped and cut off: every run ends once, with one set of results and files."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import rasterio

from tests.runs.site import Site, children_of, wait_until


def test_what_a_killed_worker_had_is_done_once_by_another(site: Site, tmp_path: Path) -> None:
    gate, nest = tmp_path / "gate", tmp_path / "nest"
    gate.mkdir()
    nest.mkdir()
    site.start("sweeper")
    first = site.start_worker(concurrency=2)
    gated = site.request("gated", place=str(gate))
    parent = site.request("with_offspring", place=str(nest))
    site.wait_for_message(gated, "waiting at the gate")
    site.wait_for_message(parent, "started another")
    children = children_of(first)
    offspring = psutil.Process(int((nest / "offspring").read_text()))
    assert len(children) == 2

    first.kill()
    first.wait()
    wait_until(lambda: not any(p.is_running() for p in [*children, offspring]), "all it had started is dead")

    second = site.start_worker(concurrency=2)
    wait_until(lambda: site.run(gated)["attempt"] == 2, "the gated run is taken again")
    (gate / "open").touch()
    site.wait_for(gated, "succeeded")
    assert site.files(gated) == ["2/result.txt"]
    assert site.rows(f"select attempt, path from runs_runartifact where run_id = {gated}") == [(2, "result.txt")]
    attempts = site.rows(
        f"select attempt, state, error_kind from runs_runattempt where run_id = {gated} order by attempt"
    )
    assert attempts == [(1, "failed", "lost"), (2, "succeeded", "")]

    wait_until(lambda: site.run(parent)["attempt"] == 2, "the other run is taken again")
    site.ask(do="cancel", run=parent)
    site.wait_for(parent, "cancelled")
    again = psutil.Process(second.pid)
    assert all("sleep(600)" not in " ".join(p.cmdline()) for p in again.children(recursive=True))


def test_a_worker_that_slept_too_long_writes_nothing(site: Site, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.mkdir()
    first = site.start_worker(concurrency=1)
    run = site.request("gated", place=str(gate))
    site.wait_for_message(run, "waiting at the gate")
    os.kill(first.pid, signal.SIGSTOP)
    site.start("sweeper")
    wait_until(lambda: site.run(run)["state"] == "queued", "the silent worker's run is queued again")
    site.start_worker(concurrency=1)
    wait_until(lambda: site.run(run)["attempt"] == 2, "another has taken it")
    (gate / "open").touch()  # both may go on; the work of the first ends while its supervisor sleeps
    site.wait_for(run, "succeeded")
    os.kill(first.pid, signal.SIGCONT)
    wait_until(lambda: not (site.folder / "runs" / str(run) / "1").exists(), "the late attempt has removed its files")
    assert site.run(run)["state"] == "succeeded"
    assert site.rows(f"select attempt from runs_runartifact where run_id = {run}") == [(2,)]
    assert site.files(run) == ["2/result.txt"]
    assert site.rows(f"select state from runs_runattempt where run_id = {run} order by attempt") == [
        ("failed",),
        ("succeeded",),
    ]


def test_cancel_ends_a_kernel_and_a_told_worker_hands_its_run_back(site: Site, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.mkdir()
    worker = site.start_worker(concurrency=2)
    kernel = site.request("busy_kernel")
    gated = site.request("gated", place=str(gate))
    site.wait_for_message(kernel, "in the kernel")
    site.wait_for_message(gated, "waiting at the gate")
    assert site.ask(do="cancel", run=kernel) == "running"
    run = site.wait_for(kernel, "cancelled")
    assert (run["error_kind"], run["attempt"]) == ("cancelled", 1)

    worker.terminate()
    assert worker.wait(60) == 0
    run = site.run(gated)
    assert (run["state"], run["attempt"], run["max_attempts"], run["error_kind"]) == ("queued", 1, 4, "released")
    assert site.rows("select ending from runs_worker") == [("stopped",)]
    (gate / "open").touch()
    site.start_worker()  # it looks by itself, nobody rings for the run again
    assert site.wait_for(gated, "succeeded")["attempt"] == 2


def test_many_runs_two_workers_and_a_bell_full_of_rubbish(site: Site) -> None:
    bell = site.folder / "bell" / "default"
    bell.mkdir(parents=True)
    rubbish = {
        "0-empty.msg": b"",
        "0-torn.msg": b'{"body": "W1tdL',
        "0-list.msg": b"[1, 2]",
        "0-binary.msg": b"\xff\x00",
    }
    for name, content in rubbish.items():
        (bell / name).write_bytes(content)
    for _ in range(2):
        site.start_worker(concurrency=2)
    site.start("sweeper")
    ids = site.request("echo", count=120, text="hi")
    wait_until(
        lambda: site.rows("select count(*) from runs_run where state = 'succeeded'") == [(120,)],
        f"all are done: {site.rows('select state, count(*) from runs_run group by state')}",
    )
    assert site.rows("select count(*), min(attempt), max(attempt) from runs_runattempt") == [(120, 1, 1)]
    assert site.rows("select count(*) from runs_runlogline") == [(len(ids),)]
    if "MPC_BROKER_URL" not in site.environment:
        assert not list(bell.glob("0-*"))


def test_the_command_waits_works_in_place_and_speaks_json(site: Site, tmp_path: Path) -> None:
    done = site.manage("run", "test.echo", "--param", "text=hi", "--wait", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["state"], told["summary"], told["attempt"], told["git_commit"]) == ("succeeded", "hi", 1, "test")
    assert "no worker, done in place" in done.stderr
    site.start_worker()
    waited: Any = site.manage("run", "test.sleep", "--param", "seconds=0.5", "--wait", "--json")
    assert (waited.returncode, json.loads(waited.stdout)["state"]) == (0, "succeeded")
    assert "in place" not in waited.stderr


@pytest.mark.redis
def test_the_bell_on_redis_wakes_a_worker_without_a_sweeper(migrated: Path, tmp_path: Path) -> None:
    broker = os.environ.get("MPC_TEST_REDIS")
    if not broker:
        pytest.skip("no Redis server: set MPC_TEST_REDIS=redis://host:6379/9")
    folder = tmp_path / "site"
    shutil.copytree(migrated, folder)
    site = Site(folder, broker_url=broker)
    try:
        site.start_worker(concurrency=1)
        for text in ("one", "two"):
            assert site.wait_for(site.request("echo", text=text), "succeeded")["summary"] == text
    finally:
        site.close()
    assert not (folder / "bell").exists()


@pytest.mark.parametrize("rules", [{"limit": 2}, {"per_product": 1}])
def test_many_claimers_at_the_same_moment_do_not_pass_a_limit(site: Site, rules: dict[str, int]) -> None:
    (allowed,) = rules.values()
    for _ in range(6):
        counts = site.ask(do="claim at once", claimers=5, runs=5, **rules)
        assert counts == {"taken": allowed, "running": allowed}


def test_a_worker_of_other_software_takes_nothing_and_says_so(site: Site) -> None:
    site.ask(do="declare")
    site.environment["MPC_GIT_COMMIT"] = "another"
    other = site.start_worker()
    run = site.request("echo")
    wait_until(
        lambda: site.rows("select id from runs_worker where refuses like 'Refused: this worker is of%'"), "it says"
    )
    site.start("sweeper")
    assert site.run(run)["state"] == "queued"
    site.environment["MPC_GIT_COMMIT"] = "test"
    right = site.start_worker()
    site.wait_for(run, "succeeded")
    done_by = site.rows("select w.pid from runs_runattempt a join runs_worker w on w.id = a.worker_id")
    assert done_by == [(right.pid,)]
    assert other.poll() is None


def test_cancel_ends_a_read_of_gdal(site: Site, tmp_path: Path) -> None:
    """Decoding a JPEG 2000 image is one call of a native library that takes long and heeds nobody."""
    image = tmp_path / "big.jp2"
    side = 4096
    profile = {"driver": "JP2OpenJPEG", "width": side, "height": side, "count": 1, "dtype": "uint16"}
    with rasterio.open(image, "w", QUALITY="100", REVERSIBLE="YES", **profile) as target:
        target.write(np.random.default_rng(1).integers(1, 4000, (1, side, side), dtype=np.uint16))
    worker = site.start_worker(concurrency=1)
    run = site.request("read_image", place=str(image), times=100)
    site.wait_for_message(run, "in GDAL")
    assert site.ask(do="cancel", run=run) == "running"
    ended = site.wait_for(run, "cancelled")
    assert (ended["error_kind"], ended["attempt"]) == ("cancelled", 1)
    assert not [child for child in children_of(worker) if child.cpu_percent(0.2) > 50]
