"""The benchmarks by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from bench.harness import Figure

_BENCHES: dict[str, Callable[[], Figure]] = {}


def bench(name: str) -> Callable[[Callable[[], Figure]], Callable[[], Figure]]:
    """Declare a benchmark: a function without arguments that hands back its figure."""

    def declare(function: Callable[[], Figure]) -> Callable[[], Figure]:
        _BENCHES[name] = function
        return function

    return declare


def all_benches() -> dict[str, Callable[[], Figure]]:
    """Every benchmark of the modules ``bench.bench_*``."""
    import bench as package

    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("bench_"):
            importlib.import_module(f"bench.{module.name}")
    return dict(sorted(_BENCHES.items()))
