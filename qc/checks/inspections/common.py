"""What inspections share: short texts of lists and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SHOWN = 3
ALL_LEVELS = ("L0", "L1A", "L1B", "L1C", "L2A")
DATASTRIP_LEVELS = ("L1A", "L1B", "L1C", "L2A")
NO_SCHEMAS = "no schema sets at hand: set MPC_SCHEMA_DIR to the folder that holds them (psd-14.8 and its like, by ESA)"


def some(names: Iterable[object], shown: int = SHOWN) -> str:
    """ "B02, B03, B04 and 10 more"."""
    everything = [str(name) for name in names]
    if len(everything) <= shown + 1:
        return ", ".join(everything)
    return f"{', '.join(everything[:shown])} and {len(everything) - shown} more"


def number(count: int, noun: str, plural: str = "") -> str:
    """ "1 file", "3 files"."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def base(path: str) -> str:
    """The file name of a member path."""
    return path.rsplit("/", 1)[-1]


def baseline_number(baseline: str | None) -> tuple[int, int] | None:
    """ "05.09" as (5, 9), so that baselines compare in their order; None for anything else."""
    parts = (baseline or "").split(".")
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def reasons(problems: Sequence[str]) -> str:
    """Problems in one sentence, without repetition."""
    return "; ".join(dict.fromkeys(problem for problem in problems if problem))
