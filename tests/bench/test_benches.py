"""Each benchmark on its smallest material: it works and says what it should. How fast anything is, is not asked."""

from __future__ import annotations

import json
import math
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from bench.bench_pages import MOST_STATEMENTS
from bench.registry import all_benches

KEYS = ["name", "value", "unit", "floor", "ratio", "goal", "met", "detail"]
# Those that begin workers have tests of their own, beside the runs.
HERE = [name for name in all_benches() if not name.startswith("runs") and not name.endswith("postgres")]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture
def bench(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, with its cache in a folder of the tests; what it prints."""
    monkeypatch.setenv("MPC_BENCH_DIR", str(cache))

    def call(*arguments: str) -> str:
        out = StringIO()
        call_command("bench", *arguments, stdout=out)
        return out.getvalue()

    return call


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, Any]]:
    """Figures by name; each benchmark is asked once."""
    return {}


@pytest.fixture
def figure(bench: Any, measured: dict[str, dict[str, Any]], request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param not in measured:
        (line,) = bench(request.param, "--tiny", "--json", "--pairs", "3").splitlines()
        measured[request.param] = json.loads(line)
    return measured[request.param]


@pytest.mark.parametrize("figure", HERE, indirect=True)
def test_a_benchmark_prints_the_documented_keys(figure: dict[str, Any], request: pytest.FixtureRequest) -> None:
    assert list(figure) == KEYS
    assert figure["name"] in HERE
    assert figure["unit"].startswith("s (")
    assert all(math.isfinite(figure[key]) and figure[key] >= 0 for key in ("value", "floor", "ratio"))
    assert figure["met"] in (True, False, None)
    assert figure["goal"] is None or figure["goal"] > 1
    assert figure["detail"]["pairs"] == 3
    assert figure["detail"]["floor"]


@pytest.mark.parametrize("figure", ["qc-tile"], indirect=True)
def test_the_tile_is_really_checked(figure: dict[str, Any], cache: Path) -> None:
    detail = figure["detail"]
    assert detail["verdict"].startswith(("PASSED", "INCOMPLETE"))  # the latter without schema sets
    assert 0 < detail["peak MB"] < detail["peak MB limit"] == 1500
    (product,) = (cache / "tile-240").glob("*.SAFE")
    assert len(list(product.glob("GRANULE/*/IMG_DATA/*.jp2"))) == 14
    assert detail["bytes"] == sum(path.stat().st_size for path in product.rglob("*") if path.is_file())


@pytest.mark.parametrize("figure", ["pages"], indirect=True)
def test_no_page_asks_more_for_more_rows(figure: dict[str, Any]) -> None:
    """The statements of each page in a mission of 40 and of 60 products, committed: a change is seen and meant."""
    detail = figure["detail"]
    assert detail["rows"]["products"] == 61
    assert detail["rows"]["check results"] >= 50 * 60
    assert detail["statements for few"] == STATEMENTS
    assert detail["pages whose statements grow"] == []
    counted = {page: cost["statements"] for page, cost in detail["pages"].items()}
    assert counted == STATEMENTS
    assert max(counted.values()) <= MOST_STATEMENTS == 20


# Of a list: session, account, roles, count, keys, rows, saved filters, the open alerts, and the two of the banner about
# workers.
LIST = 10
STATEMENTS = {
    "today": 20,
    "products": LIST,
    "products, last page": LIST,
    "products of a unit, level and time": LIST,
    "products that failed": LIST,
    "products over tiles": LIST,
    "products by a part of the name": LIST,
    "products by cloud cover": LIST,
    "product": 17,
    "reports": LIST,
    "reports of a unit that failed": LIST,
    "reports by time of sensing": LIST,
    "reports in which a check failed": LIST,
    "report": 16,
    "runs": LIST,
    "runs that succeeded in some days": LIST,
    "run": 14,
}


@pytest.mark.parametrize("figure", ["trend"], indirect=True)
def test_the_pages_of_trends_are_measured_over_both_sizes(figure: dict[str, Any]) -> None:
    detail = figure["detail"]
    assert detail["rows"]["measurements"] == 20_000
    assert detail["growth"] > 0
    pages = detail["pages"]
    assert len(pages) == 6
    assert max(page["statements"] for page in pages.values()) <= 20
    assert (
        pages["all bands of three units, ten years"]["points"] > pages["a band of three units, ten years"]["points"] > 0
    )


def test_the_floor_decodes_what_the_statistics_need(cache: Path) -> None:
    from bench.bench_qc_tile import SMALL_10M, tile
    from bench.floors.tile import images_of, listed_files, look_through

    product = tile(cache, SMALL_10M)
    names = sorted(path.name.rsplit("_", 1)[-1] for path in images_of(product))
    assert len(names) == 26
    assert len(set(names)) == 13
    assert "TCI.jp2" not in names
    files = listed_files(product)
    assert all(path.is_file() for path in files)
    assert look_through(product, 2) == (26, len(files))


def test_benchmarks_are_listed_with_what_they_measure(bench: Any) -> None:
    listed = bench().splitlines()
    assert [line.split()[0] for line in listed] == sorted(all_benches())
    assert all(len(line.split()) > 5 for line in listed)
    slow = {line.split()[0] for line in listed if line.endswith("(slow)")}
    assert {name.removesuffix("-postgres") for name in slow} == {"qc-tile", "trend"}


def test_all_leaves_out_the_slow_ones(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []
    benches = {name: _Noted(name, slow, measured) for name, slow in (("quick", False), ("long", True))}
    monkeypatch.setattr("mpc.management.commands.bench.all_benches", lambda: benches)
    bench("--all")
    bench("--all", "--slow")
    assert measured == ["quick", "quick", "long"]


class _Noted:
    def __init__(self, name: str, slow: bool, measured: list[str]) -> None:
        self.name, self.slow, self.title, self._measured = name, slow, name, measured

    def measure(self, options: Any) -> Any:
        from bench.harness import Figure

        self._measured.append(self.name)
        return Figure(self.name, 1.0, "s", 1.0, 1.0, None, None)


def test_an_unknown_name_is_wrong_use(bench: Any) -> None:
    with pytest.raises(CommandError, match="no benchmark nonsense; known are: ") as raised:
        bench("nonsense")
    assert raised.value.returncode == 2


def test_one_for_people_is_one_line(bench: Any) -> None:
    (line,) = bench("statistics-kernel", "--tiny").splitlines()
    assert line.startswith("statistics-kernel: ")
    assert "ratio" in line
