"""What the address of a trend says: which values, and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import django_filters

from mpc.monitoring.filters import TrendFilter
from mpc.ui.filters import ChipFilter

WINDOWS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "1 year"))
RESOLUTIONS = (("value", "each value"), ("day", "by day"), ("month", "by month"))
OVERLAYS = (("events", "events"), ("changes", "changes"), ("limits", "limits"), ("bars", "bars"))
HOW = ("zoom", "resolution", "median", "scale", "hide")
"""Fields that say how values are shown; the others say which."""


@dataclass(frozen=True)
class Look:
    """How a trend is shown: ``window`` of the moving median in days (0: none), ``hidden`` overlays, y-ranges by
    (metric, band)."""

    resolution: str = "auto"
    window: int = 0
    log: bool = False
    hidden: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str, float, float], ...] = ()

    def shows(self, overlay: str) -> bool:
        return overlay not in self.hidden


class ExplorerFilter(TrendFilter):
    """The filter of a trend and, beside it, how the plot looks; all of it stands in the address."""

    resolution = django_filters.ChoiceFilter(label="Points", choices=RESOLUTIONS, empty_label="as many as fit")
    median = django_filters.ChoiceFilter(label="Moving median", choices=WINDOWS, empty_label="none")
    scale = django_filters.ChoiceFilter(label="Scale", choices=(("log", "logarithmic"),), empty_label="linear")
    hide = ChipFilter(label="Hidden", choices=OVERLAYS)

    def look(self) -> Look:
        wanted = self.form.cleaned_data
        return Look(
            resolution=wanted.get("resolution") or "auto",
            window=int(wanted.get("median") or 0),
            log=wanted.get("scale") == "log",
            hidden=frozenset(wanted.get("hide") or ()),
            ranges=tuple(_ranges(self.data.getlist("yrange") if hasattr(self.data, "getlist") else ())),
        )


def _ranges(texts: Sequence[str]) -> Any:
    """``image.mean:B02:0.1:0.2``; what cannot be read is left out, since it changes only the look."""
    for text in texts[:40]:
        parts = text.rsplit(":", 3)
        try:
            low, high = float(parts[2]), float(parts[3])
        except (IndexError, ValueError):
            continue
        if low < high and abs(low) < 1e300 and abs(high) < 1e300:
            yield parts[0], parts[1], low, high
