"""Imported in a fresh interpreter, module by module, the pure packages load neither Django nor Celery."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PURE = (
    "mpc.msi",
    "mpc.jobs",
    "mpc.products.work",
    "mpc.monitoring.detecting.work",
    "mpc.monitoring.detectors",
    "qc.checks",
    "qc.statistics",
    "processors.simulator",
)

LOAD = """
import importlib, pkgutil, sys
FOREIGN = {"django", "celery", "kombu", "rest_framework"}
count = 0

def load(name):
    global count
    module = importlib.import_module(name)
    count += 1
    found = FOREIGN & {loaded.partition(".")[0] for loaded in sys.modules}
    if found:
        sys.exit(f"{name} loads {', '.join(sorted(found))}")
    for child in pkgutil.iter_modules(getattr(module, "__path__", []), name + "."):
        load(child.name)

for name in sys.argv[1:]:
    load(name)
print(count)
"""


def test_pure_packages_load_neither_django_nor_celery() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *PURE], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    modules = [p for name in PURE for p in (ROOT / name.replace(".", "/")).rglob("*.py")]
    # Those that are files.
    assert int(done.stdout) == len(modules) + 2
