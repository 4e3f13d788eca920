"""One place that says which sign a status word has. Every sign has a shape and a word; colour comes last."""

from __future__ import annotations

from dataclasses import dataclass

PASS, FAIL, WARN, IDLE, BUSY, BROKEN = "pass", "fail", "warn", "idle", "busy", "broken"
KINDS = (PASS, FAIL, WARN, IDLE, BUSY, BROKEN)

_WORDS: dict[str, str] = {
    # ● it is as it should be
    PASS: """passed ok succeeded success done finished complete completed approved accepted active ready valid resolved
        available ingested taken taken_in checked operational online alive on met closed delivered nominal""",
    # ▲ it is not
    FAIL: """failed breached crashed timed_out refused rejected lost invalid missing corrupt offline dead exceeded
        critical not_met unreadable""",
    # ◆ somebody should look
    WARN: """warning incomplete degraded stale late partial watch expiring retrying blocked unfinished disputed marginal
        waiting_approval""",
    # ○ nothing to judge (yet)
    IDLE: """not_checked queued pending waiting cancelled unknown superseded draft paused absent explained idle skipped
        planned declared retired new off none received replaced known known_already""",
    # ◐ at work
    BUSY: "running started claimed ingesting checking cancelling uploading under_test open",
    # ■ the judge itself broke
    BROKEN: "error broken",
}
_KIND_OF = {word: kind for kind, words in _WORDS.items() for word in words.split()}


@dataclass(frozen=True)
class Sign:
    """``kind`` chooses shape and colour (a CSS class), ``label`` is the word that is read."""

    kind: str
    label: str


def sign_for(status: object, label: str = "", kind: str = "") -> Sign:
    """The sign of a status word.

    Verdicts (PASSED, FAILED, INCOMPLETE) keep their capitals. A word that nobody has named gets the idle shape: it
    claims nothing. ``label`` and ``kind`` replace what the table says. None and "" read "unknown".
    Raises ValueError for a kind that has no shape.
    """
    if kind and kind not in KINDS:
        raise ValueError(f"sign {kind!r} is none of {', '.join(KINDS)}")
    text = str(getattr(status, "value", status) if status is not None else "").strip()
    word = text.lower().replace(" ", "_").replace("-", "_")
    shown = label or (text if text.isupper() else text.replace("_", " ")) or "unknown"
    return Sign(kind or _KIND_OF.get(word, IDLE), shown)


def verdict_edge(status: object) -> str:
    """The kind only, for places that carry the colour at an edge."""
    return sign_for(status).kind
