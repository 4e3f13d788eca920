"""What the description of the API says beyond what views declare."""

from __future__ import annotations

from typing import Any

from mpc.accounts.idempotency import HEADER, KEY_LENGTH, REPLAYED

PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH},
    "description": (
        "A text of your choice, for example a UUID, that makes it safe to send this request again: within 24 hours the "
        f"same request with the same key gets the first answer again, with the header {REPLAYED}: true."
    ),
}
ANSWERS = {
    "409": f"the first request with this {HEADER} is under way, or its answer was not kept",
    "422": f"this {HEADER} was used for another request",
}


def idempotency_key(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Every POST takes the header and may give its answers; a hook of drf-spectacular."""
    for operations in result["paths"].values():
        posted = operations.get("post")
        if posted is None:
            continue
        posted["parameters"] = [*posted.get("parameters", []), PARAMETER]
        for status, text in ANSWERS.items():
            answer = posted["responses"].setdefault(status, {"description": ""})
            answer["description"] = "; ".join(part for part in (answer.get("description"), text) if part)
    return result
