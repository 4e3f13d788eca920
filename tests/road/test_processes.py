"""The real thing: commands, a worker and the sweeper as processes of their own on one data folder."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.runs.site import Site, children_of


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "data"
    folder.mkdir()
    site = Site(folder)
    # The kernels of quality control are those of the checkout: no need to compile them again.
    site.environment.pop("NUMBA_CACHE_DIR")
    site.environment.pop("MPC_SCHEMA_DIR", None)
    yield site
    site.close()


def state_of(site: Site) -> dict[str, Any]:
    tables = [name for (name,) in site.rows("select name from sqlite_master where type = 'table' order by name")]
    # When the software was set up last is what preparing is there to write down.
    content = {table: site.rows(f"select * from {table}") for table in tables if table != "runs_deployment"}
    kept = [p for name in ("static", "runs") for p in (site.folder / name).rglob("*") if p.is_file()]
    return content | {"files": sorted((str(p), hashlib.sha256(p.read_bytes()).hexdigest()) for p in kept)}


def test_a_product_on_its_way_through_real_processes(site: Site, made) -> None:  # type: ignore[no-untyped-def]
    first, second, third = (made(baseline=baseline, zipped=True) for baseline in ("05.11", "05.10", "05.09"))

    # An empty folder is prepared; without a worker the command does the work itself.
    assert site.manage("prepare", "--no-demo").returncode == 0
    done = site.manage("ingest", str(first.path), "--wait")
    assert done.returncode == 0, done.stderr
    (line,) = (json.loads(text) for text in done.stdout.splitlines())
    assert (line["result"], line["status"]) == ("taken", "INCOMPLETE")
    assert "done in place" in done.stderr
    for arguments, status in (
        (("ingest", "nowhere"), 2),
        (("report", line["product"], "--json"), 0),
    ):
        done = site.manage(*arguments)
        assert done.returncode == status, (arguments, done.stderr)
        assert bool(done.stdout) == (status == 0)

    # Preparing it again changes nothing.
    before = state_of(site)
    assert site.manage("prepare", "--no-demo").returncode == 0
    assert state_of(site) == before

    # With a worker the command only waits.
    site.start("sweeper")
    worker = site.start_worker(concurrency=1)
    done = site.manage("ingest", str(second.path), "--wait")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["state"] == "succeeded"
    assert "in place" not in done.stderr
    (attempt,) = site.rows(
        "select w.pid from runs_runattempt a join runs_worker w on a.worker_id = w.id "
        "join runs_run r on a.run_id = r.id where r.kind = 'qc.product'"
    )
    assert attempt == (worker.pid,)
    worker.terminate()
    assert worker.wait(60) == 0

    # A worker dies in the middle of its work; the next one does it, once.
    done = site.manage("ingest", str(third.path))
    assert json.loads(done.stdout)["status"] == "WAITING"
    ((run,),) = site.rows("select id from runs_run where state = 'queued' and kind = 'qc.product'")
    doomed = site.start_worker(concurrency=1)
    site.wait_for(run, "running")
    children = children_of(doomed)
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    site.start_worker(concurrency=1)
    site.wait_for(run, "succeeded")
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    attempts = site.rows(
        f"select attempt, state, error_kind from runs_runattempt where run_id = {run} order by attempt"
    )
    assert attempts == [(1, "failed", "lost"), (2, "succeeded", "")]
    assert site.rows(f"select count(*) from qc_qualityreport where run_id = {run}") == [(1,)]
    assert site.rows("select status from products_product order by id") == [("INCOMPLETE",)] * 3
    assert site.files(run)
    assert {name.split("/")[0] for name in site.files(run)} == {"2"}
    assert len(site.rows("select id from runs_run where kind = 'qc.product'")) == 3
