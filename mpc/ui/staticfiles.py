"""Static files that come inside wheels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plotly
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage


class PlotlyFinder(BaseFinder):
    """Serves ``plotly/plotly.min.js`` from the plotly wheel, and nothing else of it."""

    name = "plotly/plotly.min.js"

    def __init__(self, app_names: Any = None, *args: Any, **kwargs: Any) -> None:
        self.folder = Path(plotly.__file__).parent / "package_data"
        self.storage = FileSystemStorage(location=str(self.folder))
        self.storage.prefix = "plotly"
        super().__init__(*args, **kwargs)

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        if (self.folder / "plotly.min.js").is_file():
            return []
        return [Error("the plotly wheel holds no plotly.min.js; plots cannot be drawn", id="ui.E001")]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != self.name:
            return []
        found = str(self.folder / "plotly.min.js")
        return [found] if find_all else found

    def list(self, ignore_patterns: Any) -> Any:
        yield "plotly.min.js", self.storage
