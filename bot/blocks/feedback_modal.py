"""What was wrong: two clicks to correct. The vote is stored before this opens, and stands when it is closed.

Who also says what was really true (verdict, culprit, kind of fault) has made a case of the incident.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.blocks import limits
from bot.blocks.message import (
    Block,
    Message,
    actions,
    button,
    checkboxes,
    field,
    grouped_select,
    message,
    modal,
    option,
    section,
    select,
    text_input,
)
from skills.faults import all_faults
from workers.correction import Correction
from workers.domain import Finding

CALLBACK = "feedback_detail"
OPEN = "explain_wrong"
"""The button that opens it."""
PARTS = {
    "cause": "The cause is wrong",
    "evidence": "The evidence does not show it",
    "missing_check": "A check is missing",
    "noise": "It followed noise",
    "action": "The next step is wrong",
}
VERDICTS = {
    "incident": "Something was wrong, but something else",
    "recovered": "It was over by then",
    "false_alarm": "False alarm: nothing was wrong",
}


def render(investigation_id: str, finding: Finding | None) -> Block:
    said = limits.quoted(finding.headline.text, 300) if finding else "the answer"
    blocks = [
        section(
            [f"Recorded: *wrong*. About: {said}", "Tell more if you have a moment; the next answer is better for it."]
        ),
        field("parts", "What was wrong?", checkboxes([option(k, v) for k, v in PARTS.items()]), optional=True),
        field(
            "verdict",
            "What was it really?",
            select([option(k, v) for k, v in VERDICTS.items()], "Choose"),
            optional=True,
        ),
        field(
            "culprit",
            "The culprit",
            text_input(longest=300, placeholder="Deployment shop/cart"),
            optional=True,
            hint="Kind and name of what was wrong itself. With the kind of fault it makes a case of this incident.",
        ),
        field("fault", "The kind of fault", grouped_select(_faults(), "Choose"), optional=True),
        field("true_cause", "The true cause, in words", text_input(multiline=True, longest=600), optional=True),
        field("note", "Anything else", text_input(multiline=True, longest=2000), optional=True),
    ]
    return modal(CALLBACK, "What was wrong?", blocks, submit="Send", metadata=json.dumps({"about": investigation_id}))


def _faults() -> Mapping[str, list[Block]]:
    found: dict[str, list[Block]] = {}
    for each in all_faults():
        if each.is_cause:
            found.setdefault(each.group, []).append(option(each.name, each.name.replace("_", " ")))
    return found


def offer(investigation_id: str) -> Message:
    """After a 👎: a reaction opens no form, a button does."""
    line = "Recorded: wrong. What was it really?"
    return message(
        [line], [section([line]), actions(f"offer-{investigation_id}", [button("Say", OPEN, investigation_id)])]
    )


def kept(investigation_id: str, correction: Correction | None, alert_type: str) -> Message:
    """What became of it, and how it is put to use."""
    teach = f"`/guidance add {limits.plain(alert_type, 100)} …` teaches the next answer."
    if correction is None:
        lines = [
            "Kept with the answer, thank you. A vote of wrong with the verdict, the culprit and the kind of fault "
            "becomes a case on which later versions can be tried.",
            teach,
        ]
    else:
        lines = [
            f"Kept, thank you: it was *{limits.quoted(str(correction), 200)}*. This incident is a case from now on.",
            f"Whether it would be answered rightly: `gumshoe eval run --cases past-{investigation_id} --out run.json`",
            teach,
        ]
    return message(lines, [section(lines)])
