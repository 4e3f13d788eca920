"""The benchmarks by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from bench.harness import Figure, Options

Measure = Callable[[Options], Figure]


@dataclass(frozen=True)
class Benchmark:
    """``measure`` hands back the figure; a ``slow`` one takes many minutes and is asked for by name or with --slow."""

    name: str
    measure: Measure
    slow: bool = False

    @property
    def title(self) -> str:
        """The first line of its text."""
        return (self.measure.__doc__ or "").strip().partition("\n")[0]


_BENCHES: dict[str, Benchmark] = {}


def bench(name: str, *, slow: bool = False) -> Callable[[Measure], Measure]:
    """Declare a benchmark: a function of the options that gives its figure. Its docstring says what it measures."""

    def declare(function: Measure) -> Measure:
        _BENCHES[name] = Benchmark(name, function, slow)
        return function

    return declare


def all_benches() -> dict[str, Benchmark]:
    """Every benchmark of the modules ``bench.bench_*``."""
    import bench as package

    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("bench_"):
            importlib.import_module(f"bench.{module.name}")
    return dict(sorted(_BENCHES.items()))
