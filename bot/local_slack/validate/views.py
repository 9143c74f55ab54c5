"""Modals and Home tabs as a whole."""

from __future__ import annotations

import json
from typing import Any

from bot.local_slack.validate.blocks import view_blocks
from bot.local_slack.validate.checks import Fields, Problems, Shape, anything, boolean, string
from bot.local_slack.validate.composition import plain_text

LARGEST = 250_000
_OPTIONAL: Fields = {
    "private_metadata": string(3000),
    "callback_id": string(255),
    "external_id": string(255),
    "blocks": anything,
}
_MODAL = Shape(
    {"title": plain_text(24), "blocks": anything},
    {
        **_OPTIONAL,
        "submit": plain_text(24),
        "close": plain_text(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_HOME = Shape({"blocks": anything}, _OPTIONAL)


def view(definition: Any, *, home: bool = False) -> list[str]:
    """What is wrong with a view; empty when Slack would take it."""
    problems = Problems()
    if not isinstance(definition, dict):
        problems.add("must provide an object", "/view")
        return problems.found
    expected = "home" if home else "modal"
    if definition.get("type") != expected:
        problems.add(f"must be a valid enum value: {expected}", "/view/type")
        return problems.found
    (_HOME if home else _MODAL)(definition, "/view", problems)
    blocks = definition.get("blocks")
    if blocks is not None:
        view_blocks(blocks, expected, problems)
    if not home and not definition.get("submit"):
        for number, block in enumerate(blocks if isinstance(blocks, list) else ()):
            if isinstance(block, dict) and block.get("type") == "input":
                problems.add("must define `submit` to use an `input` block in modals", f"/view/blocks/{number}/input")
    return problems.found


def too_large(definition: Any) -> bool:
    return len(json.dumps(definition)) > LARGEST
