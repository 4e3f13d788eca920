"""``describe``: reading everything that the inventory keeps of a product, against hashing its files."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from bench.harness import Figure, Options, compare
from bench.registry import bench
from mpc.msi.describe import describe_product
from processors.simulator.products import demo_specs, write_product


@bench("describe")
def describe(options: Options) -> Figure:
    """Reading everything that the inventory keeps of a product, against hashing its files."""
    with tempfile.TemporaryDirectory() as folder:
        written = write_product(demo_specs()[-1], Path(folder))
        files = [p for p in Path(written.path).rglob("*") if p.is_file()]

        def floor() -> None:
            for path in files:
                hashlib.sha256(path.read_bytes()).hexdigest()

        return compare(
            "describe",
            lambda: describe_product(written.path),
            floor,
            by="cpu",
            pairs=options.pairs,
            detail={"files": len(files), "bytes": sum(p.stat().st_size for p in files), "floor": "sha256 of all files"},
        )
