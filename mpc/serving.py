"""What a server process does once before it answers."""

from __future__ import annotations

import gc

from django.urls import get_resolver


def settle() -> None:
    """Load the pages, and take all that is there by now out of the sight of the garbage collector.

    It stays as long as the process. A page of many points makes so many objects that the collector looks through
    everything, and some half a million objects of the start cost it 30 ms each time.
    """
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
