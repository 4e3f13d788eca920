"""Typed parameters: a frozen dataclass whose fields carry help and bounds.

@dataclass(frozen=True)
class Params:
    quick: bool = param(False, help="Leave out the image statistics")
    bins: int = param(256, help="Histogram bins", minimum=2, maximum=4096)
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class ParamError(ValueError):
    """Parameters that do not fit; ``errors`` maps a parameter's name to what is wrong with it."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))


def param(
    default: Any = dataclasses.MISSING,
    *,
    help: str,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] | None = None,
    unit: str = "",
    max_length: int | None = None,
) -> Any:
    """A dataclass field with its help, bounds, choices and unit. Without a default it is required."""
    meta = {
        "help": help,
        "minimum": minimum,
        "maximum": maximum,
        "choices": choices,
        "unit": unit,
        "max_length": max_length,
    }
    return dataclasses.field(default=default, metadata=meta)


@dataclasses.dataclass(frozen=True)
class ParamDescription:
    name: str
    type: type
    required: bool
    default: Any
    help: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...] | None
    unit: str
    max_length: int | None


def describe_params(cls: type) -> list[ParamDescription]:
    """The fields of a parameter class, for forms, schemas and help texts. Types are bool, int, float or str."""
    hints = typing.get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        kind, optional = _plain_type(hints[field.name])
        choices = field.metadata.get("choices")
        required = field.default is dataclasses.MISSING
        found.append(
            ParamDescription(
                name=field.name,
                type=kind,
                required=required and not optional,
                default=None if required else field.default,
                help=field.metadata.get("help", ""),
                minimum=field.metadata.get("minimum"),
                maximum=field.metadata.get("maximum"),
                choices=tuple(choices) if choices else None,
                unit=field.metadata.get("unit", ""),
                max_length=field.metadata.get("max_length"),
            )
        )
    return found


def parse_params(cls: type, values: Mapping[str, Any]) -> Any:
    """Build ``cls`` from text or typed values; raises :class:`ParamError` that names every wrong parameter."""
    described = {d.name: d for d in describe_params(cls)}
    errors = {
        name: f"unknown parameter; known are: {', '.join(described) or 'none'}"
        for name in values
        if name not in described
    }
    parsed: dict[str, Any] = {}
    for name, description in described.items():
        if name not in values or values[name] is None:
            if description.required:
                errors[name] = "required"
            continue
        try:
            parsed[name] = _convert(description, values[name])
        except ValueError as error:
            errors[name] = str(error)
    if errors:
        raise ParamError(errors)
    return cls(**parsed)


def params_as_dict(params: Any) -> dict[str, Any]:
    """The parameters as plain JSON values."""
    return dataclasses.asdict(params)


def _plain_type(hint: Any) -> tuple[type, bool]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        arms = [a for a in typing.get_args(hint) if a is not type(None)]
        if len(arms) == 1:
            return _plain_type(arms[0])[0], True
    if hint in (bool, int, float, str):
        return hint, False
    raise TypeError(f"a job parameter must be bool, int, float or str (or one of them | None), not {hint}")


def _convert(d: ParamDescription, value: Any) -> Any:
    if d.type is bool:
        if isinstance(value, bool):
            return value
        text = str(value).strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise ValueError(f"“{value}” is neither true nor false")
    if d.type is str:
        text = str(value)
        if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
            raise ValueError("holds a NUL or half a character; neither can be kept")
        if d.choices and text not in d.choices:
            raise ValueError(f"“{text}” is not one of {', '.join(d.choices)}")
        if d.max_length and len(text) > d.max_length:
            raise ValueError(f"longer than {d.max_length} characters")
        return text
    if isinstance(value, bool):
        raise ValueError(f"“{value}” is not a number")
    try:
        number = d.type(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"“{value}” is not {'a whole number' if d.type is int else 'a number'}") from None
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(f"“{value}” is not a finite number")
    if d.minimum is not None and number < d.minimum:
        raise ValueError(f"{number} is below the minimum {d.minimum}")
    if d.maximum is not None and number > d.maximum:
        raise ValueError(f"{number} is above the maximum {d.maximum}")
    return number
