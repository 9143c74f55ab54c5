"""How a model reads guidance: one forced call, its arguments checked, the result joined with the rules' readings.

The writer sees and confirms the result, so a reading that cannot be valid is dropped here without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skills.faults import all_faults
from workers.agent.page import prompt
from workers.agent.render import block
from workers.domain import Reading
from workers.guidance import parse_model_readings
from workers.llm.base import Message, Model, ModelError, ToolSpec

NAME = "note_readings"
MOST = 20
_TOKENS = 2000
_SECONDS = 60.0


def readings(model: Model, alert_type: str, labels: Mapping[str, str], text: str) -> tuple[Reading, ...]:
    """What the model understands of a guidance text. Raises ModelError."""
    words = block("guidance", [{"alert_type": alert_type, "labels": dict(labels), "words": text}], 1)
    asked: Message = {"role": "user", "content": [{"type": "text", "text": "\n".join(words)}]}
    reply = model.reply(
        prompt("readings"), (_tool(),), (asked,), max_tokens=_TOKENS, timeout_seconds=_SECONDS, force_tool=NAME
    )
    call = next((b for b in reply.content if b.get("type") == "tool_use" and b.get("name") == NAME), None)
    if call is None or reply.stop_reason in ("max_tokens", "refusal"):
        # A call that was cut off may lack the one condition that makes a reading true.
        raise ModelError("malformed", f"no whole call of {NAME} came back ({reply.stop_reason})")
    return parse_model_readings(call["input"])


def joined(by_rules: Sequence[Reading], by_model: Sequence[Reading]) -> tuple[Reading, ...]:
    """The model's, and of the rules' those of a kind in which the model read nothing.

    The model sees the whole text where rules see a sentence, so within a kind its readings replace theirs; but what it
    overlooked is better shown once too often than lost.
    """
    kinds = {reading.kind for reading in by_model}
    return (*by_model, *(reading for reading in by_rules if reading.kind not in kinds))[:MOST]


def _tool() -> ToolSpec:
    entity = {
        "type": "object",
        "properties": {"kind": _string(), "namespace": _string(), "name": _string()},
        "required": ["name"],
        "additionalProperties": False,
    }
    faults = [fault.name for fault in all_faults() if fault.is_cause]
    reading = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["expected", "look_first", "ignore", "depends_on", "owner", "runbook"]},
            "entity": entity,
            "target": entity,
            "fault": {"enum": faults},
            "window": _string(),
            "text": _string(),
        },
        "required": ["kind"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"readings": {"type": "array", "items": reading, "maxItems": MOST}},
        "required": ["readings"],
        "additionalProperties": False,
    }
    return ToolSpec(NAME, "Notes what the engineer is understood to have said, for confirmation.", schema)


def _string() -> dict[str, Any]:
    return {"type": "string"}
