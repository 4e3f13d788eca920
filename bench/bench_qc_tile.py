"""``qc-tile``: the work of the job ``qc.product`` as the worker runs it, against the least that it could cost."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.harness import Figure, Options, compare
from bench.registry import bench
from mpc.jobs import Inputs
from mpc.runs import wire
from mpc.runs.children import ChildProcess, Nursery
from processors.simulator.products import FULL_SIZE_10M, ProductSpec, write_product
from qc.checks.settings import QcParams

GOAL = 1.25
PEAK_LIMIT_MB = 1500
PAIRS = 3
SMALL_10M = 240
FLOOR = Path(__file__).parent / "floors" / "tile.py"


@dataclass(frozen=True)
class ChildRun:
    """How one quality control went: its verdict in words and the peak of the child's memory."""

    verdict: str
    peak_mb: float


@bench("qc-tile", slow=True)
def qc_tile(options: Options) -> Figure:
    """Quality control of a full-size L1C tile in a fresh child, against decoding its images and hashing its files.

    The product of baseline 05.12 is simulated once, which takes five minutes, and kept in the cache (631 MB).
    """
    small = tile(options.cache, SMALL_10M)
    product = small if options.tiny else tile(options.cache, FULL_SIZE_10M)
    threads = os.cpu_count() or 1
    runs: list[ChildRun] = []
    # Compiled kernels and the files come from caches in both; a warm-up with the product itself would take minutes.
    inspect_in_child(small, threads, options.schemas)
    size = sum(len(path.read_bytes()) for path in product.rglob("*") if path.is_file())
    figure = compare(
        "qc-tile",
        lambda: runs.append(inspect_in_child(product, threads, options.schemas)),
        lambda: subprocess.run([sys.executable, FLOOR, product, str(threads)], check=True, stdout=subprocess.DEVNULL),
        goal=GOAL,
        by="wall",
        pairs=options.pairs or PAIRS,
        warm_up=False,
        detail={
            "bytes": size,
            "threads": threads,
            "load of the machine": list(os.getloadavg()),
            "floor": "rasterio decoding the bands and MSK_DETFOO, hashlib over the files of the manifest",
        },
    )
    figure.detail["verdict"] = runs[-1].verdict
    return figure.bounded("peak MB", max(run.peak_mb for run in runs), PEAK_LIMIT_MB)


def tile(folder: Path, size_10m: int) -> Path:
    """A simulated tile wholly inside the swath, below ``folder``; made when it is not there."""
    spec = ProductSpec(level="L1C", baseline="05.12", size_10m=size_10m, saturated_pixels=20, seed=12)
    place = folder / f"tile-{size_10m}"
    # The simulator gives a product its name when it is whole.
    if not (place / spec.name).is_dir():
        place.mkdir(parents=True, exist_ok=True)
        write_product(spec, place)
    return place / spec.name


def inspect_in_child(product: Path, threads: int, schemas: Path | None) -> ChildRun:
    """One quality control in a new child process, which has ended when this returns.

    Raises:
        RuntimeError: the work failed or the child died.
    """
    nursery = Nursery(threads=threads)
    child = nursery.borrow()
    try:
        with tempfile.TemporaryDirectory() as workdir:
            inputs = Inputs(product.name, str(product), {"schema_dir": str(schemas) if schemas else None})
            child.give(wire.Order("qc.checks.work:inspect_product", QcParams(), inputs, workdir))
            return _await(child)
    finally:
        child.end()
        nursery.close()


def _await(child: ChildProcess) -> ChildRun:
    while child.alive():
        for message in child.exchange(0.1):
            if isinstance(message, wire.Failed):
                raise RuntimeError(f"the work failed: {message.text}\n{message.trace}")
            if isinstance(message, wire.Done):
                outcome = pickle.loads(message.outcome)
                return ChildRun(f"{outcome.verdict}: {outcome.summary}", message.usage.peak_rss_mb or 0.0)
    raise RuntimeError("the child process died at its work")
