"""What was wrong: two clicks to correct. The vote is stored before this opens, and stands when it is closed."""

from __future__ import annotations

import json

from bot.blocks import limits
from bot.blocks.message import Block, checkboxes, field, modal, option, section, text_input
from workers.domain import Finding

CALLBACK = "feedback_detail"
PARTS = {
    "cause": "The cause is wrong",
    "evidence": "The evidence does not show it",
    "missing_check": "A check is missing",
    "noise": "It followed noise",
    "action": "The next step is wrong",
}


def render(investigation_id: str, finding: Finding | None) -> Block:
    said = limits.quoted(finding.headline.text, 300) if finding else "the answer"
    blocks = [
        section(
            [f"Recorded: *wrong*. About: {said}", "Tell more if you have a moment; the next answer is better for it."]
        ),
        field("parts", "What was wrong?", checkboxes([option(k, v) for k, v in PARTS.items()]), optional=True),
        field("true_cause", "The true cause", text_input(multiline=True, longest=1000), optional=True),
        field("note", "Anything else", text_input(multiline=True, longest=2000), optional=True),
    ]
    return modal(CALLBACK, "What was wrong?", blocks, submit="Send", metadata=json.dumps({"about": investigation_id}))
