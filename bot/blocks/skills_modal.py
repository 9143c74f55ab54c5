"""What Gumshoe may look at, with a switch for each skill, and who switched it when."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.blocks import limits
from bot.blocks.message import Block, checkboxes, context, field, modal, option, section
from skills.manifest import Manifest
from skills.registry import Toggles
from workers.domain import Toggle

CALLBACK = "skills"
_ON = option("on", "Gumshoe may look at it")


def render(
    customer: str,
    channel: str,
    toggles: Toggles,
    manifests: Mapping[str, Manifest],
    last: Mapping[str, Toggle],
    *,
    may_edit: bool,
) -> Block:
    """`last`: skill -> who switched it last."""
    blocks: list[Block] = [
        section([f"What Gumshoe may look at for *{limits.quoted(customer, 64)}*. It only ever reads."])
    ]
    for skill in sorted((*toggles.on, *toggles.off)):
        blocks += _switch(skill, skill in toggles.on, manifests[skill], may_edit)
        blocks.append(context([_since(last.get(skill))]))
    if toggles.unconfigured:
        names = ", ".join(toggles.unconfigured)
        blocks.append(context([f"Not in the customer's file, so not to be switched here: {limits.quoted(names, 400)}"]))
    if not may_edit:
        blocks.append(context(["Only editors of this customer may switch skills."]))
    metadata = json.dumps({"customer": customer, "channel": channel})
    return modal(CALLBACK, "Skills", blocks, submit="Save" if may_edit else "", metadata=metadata)


def _switch(skill: str, on: bool, manifest: Manifest, may_edit: bool) -> list[Block]:
    if not may_edit:
        return [section([f"*{skill}*: {'on' if on else 'off'}", limits.quoted(manifest.summary, 300)])]
    element = checkboxes([_ON], [_ON] if on else [])
    return [field(f"skill-{skill}", skill, element, optional=True, hint=manifest.summary)]


def _since(toggle: Toggle | None) -> str:
    if toggle is None:
        return "as the customer's file says"
    state = "on" if toggle.enabled else "off"
    return f"switched {state} by <@{limits.escape(toggle.author)}>, {toggle.created_at:%Y-%m-%d %H:%M} UTC"
