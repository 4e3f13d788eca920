"""Draws the parts of a page that other apps fill (cards, panels), so that one broken part stays alone."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

logger = logging.getLogger(__name__)


def draw(
    title: str, template: str, context: Callable[[], dict[str, Any] | None], request: HttpRequest
) -> SafeString | None:
    """Render one part; None when its function hands back None: nothing to show here.

    A part that fails is replaced by a note with an id, and the log holds the traceback under that id: the rest of the
    page was worth reading without it.
    """
    try:
        values = context()
        if values is None:
            return None
        return render_to_string(template, {"title": title, **values}, request=request)
    except Exception:
        error_id = uuid.uuid4().hex[:12]
        logger.exception("part %r (%s) could not be drawn, id %s", title, template, error_id)
        return render_to_string("partials/broken_part.html", {"title": title, "error_id": error_id})
