"""What a job's parameters become of text and typed values, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from mpc.jobs import ParamError, param
from mpc.jobs.params import describe_params, params_as_dict, parse_params


@dataclass(frozen=True)
class Params:
    name: str = param(help="what it is called", max_length=8)
    mode: str = param("fast", help="how", choices=("fast", "slow"))
    bins: int = param(256, help="how many", minimum=2, maximum=4096)
    limit: float | None = param(None, help="up to", unit="%")
    quick: bool = param(False, help="leave out")


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        ({}, ("fast", 256, None, False)),
        ({"mode": "slow", "bins": "12", "limit": "1.5", "quick": "yes"}, ("slow", 12, 1.5, True)),
        ({"bins": 2, "limit": 3, "quick": True}, ("fast", 2, 3.0, True)),
        ({"limit": None, "bins": None}, ("fast", 256, None, False)),
        ({"quick": ""}, ("fast", 256, None, False)),
    ],
)
def test_values_are_read(given: dict[str, Any], parsed: tuple[Any, ...]) -> None:
    found = parse_params(Params, {"name": "x", **given})
    assert (found.mode, found.bins, found.limit, found.quick) == parsed
    assert parse_params(Params, params_as_dict(found)) == found


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "x" * 9}, "longer than 8"),
        ({"name": "a\x00"}, "NUL"),
        ({"name": "\ud800"}, "half a character"),
        ({"mode": "idle"}, "not one of fast, slow"),
        ({"bins": "1.5"}, "not a whole number"),
        ({"bins": True}, "not a number"),
        ({"bins": 1}, "below the minimum 2"),
        ({"bins": "9" * 400}, "above the maximum"),
        ({"limit": "nan"}, "not a finite number"),
        ({"limit": "-inf"}, "not a finite number"),
        ({"limit": "1e999"}, "not a finite number"),
        ({"limit": []}, "not a number"),
        ({"quick": "perhaps"}, "neither true nor false"),
        ({"colour": "red"}, "unknown parameter; known are: name"),
        ({"name": None}, "required"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ParamError) as refused:
        parse_params(Params, {"name": "x", **given})
    ((name, text),) = refused.value.errors.items()
    assert name in given
    assert words in text


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ParamError) as refused:
        parse_params(Params, {"mode": "idle", "bins": 0, "colour": "red"})
    assert refused.value.errors.keys() == {"name", "mode", "bins", "colour"}


def test_parameters_describe_themselves() -> None:
    described = {d.name: d for d in describe_params(Params)}
    assert (described["name"].required, described["limit"].required) == (True, False)
    assert (described["bins"].minimum, described["bins"].maximum, described["bins"].default) == (2, 4096, 256)
    assert (described["limit"].type, described["limit"].unit) == (float, "%")
    assert described["mode"].choices == ("fast", "slow")
