"""Guidance: the form, the readings to confirm, the list."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from bot.blocks import limits, readings
from bot.blocks.message import Block, Message, context, field, message, modal, section, sections, text_input
from workers.domain import Guidance, Proposal

FORM = "guidance_form"
CONFIRM = "guidance_confirm"


def form(channel: str, *, alert_type: str = "", labels: str = "", text: str = "", guidance_id: str = "") -> Block:
    """New guidance, or the present words of one that is to change."""
    blocks = [
        field(
            "alert_type",
            "Alert type",
            text_input(alert_type, longest=200, placeholder="KubePodCrashLooping, or Kube*"),
            hint="Exact, or with * and ? for several.",
        ),
        field(
            "labels", "Only with these labels", text_input(labels, longest=500, placeholder="team=cart"), optional=True
        ),
        field(
            "text",
            "What should Gumshoe know?",
            text_input(text, multiline=True, longest=1000),
            hint="Plain words: what is normal, where to look first, what to ignore, what depends on what, who owns it.",
        ),
    ]
    metadata = json.dumps({"channel": channel, "guidance_id": guidance_id})
    return modal(FORM, "Guidance", blocks, submit="Read it", metadata=metadata)


def confirm(proposal: Proposal, channel: str, *, still_reading: bool) -> Block:
    """The writer sees how it was read, and confirms or changes the words."""
    read = [
        f"*{_name(proposal.alert_type, proposal.labels)}*: this is how I read it.",
        *readings.lines(proposal.readings),
    ]
    notes = ["Confirm if that is right. If not, change the words: I read them again before anything is saved."]
    if still_reading:
        notes.append(
            "Claude is reading it as well: if it has read it otherwise when you confirm, you are shown that first."
        )
    blocks: list[Block] = [
        section(read),
        field("text", "Words", text_input(proposal.text, multiline=True, longest=1000)),
        context(notes),
    ]
    metadata = json.dumps({"channel": channel, "proposal": proposal.id, "shown": digest(proposal)})
    return modal(CONFIRM, "Is this what you mean?", blocks, submit="Confirm", metadata=metadata)


def digest(proposal: Proposal) -> str:
    """Of the readings as they were shown: what was not shown must not be saved."""
    shown = json.dumps([r.model_dump(mode="json") for r in proposal.readings], sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def saved(guidance: Guidance) -> Message:
    line = (
        f"Saved: guidance *{_name(guidance.alert_type, guidance.labels)}* v{guidance.version} "
        f"({limits.code(guidance.id)}). The next finding that uses it names it in its footer."
    )
    return message([line], [section([line])])


def listed(found: Sequence[Guidance]) -> Message:
    if not found:
        line = "No guidance yet. Add some with `/guidance add TYPE words…`."
        return message([line], [section([line])])
    lines = [line for g in found for line in _entry(g)]
    return message(lines, sections(limits.lines_within(lines, limits.MESSAGE_SUM - 500)))


def _entry(guidance: Guidance) -> list[str]:
    return [
        f"*{_name(guidance.alert_type, guidance.labels)}* v{guidance.version}  {limits.code(guidance.id)}  "
        f"by <@{limits.escape(guidance.author)}>, {guidance.created_at:%Y-%m-%d %H:%M} UTC",
        f"&gt; {limits.quoted(guidance.text, 400)}",
        *(f"      {readings.in_words(reading)}" for reading in guidance.readings),
    ]


def _name(alert_type: str, labels: Mapping[str, str]) -> str:
    shown = ", ".join(f"{key}={value}" for key, value in labels.items())
    return limits.quoted(f"{alert_type} {{{shown}}}" if shown else alert_type, 200)
