"""App Home: the latest incidents, what may be looked at, what people said, for each customer of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.blocks import limits
from bot.blocks.message import Block, context, divider, header, section
from skills.registry import Toggles
from workers.domain import Finding, Guidance, Incident


@dataclass(frozen=True)
class Summary:
    customer: str
    incidents: tuple[tuple[Incident, Finding | None], ...]
    skills: Toggles
    guidance: tuple[Guidance, ...]


def render(summaries: Sequence[Summary]) -> Block:
    blocks: list[Block] = []
    for summary in summaries[:15]:
        blocks += [header(summary.customer), *_incidents(summary), *_skills(summary), *_guidance(summary), divider()]
    if not blocks:
        blocks = [section(["No customer's file names this workspace. `gumshoe doctor` says what is missing."])]
    blocks.append(context(["`/gumshoe help` says what can be asked. Gumshoe only reads."]))
    return {"type": "home", "blocks": blocks[: limits.MODAL_BLOCKS]}


def _incidents(summary: Summary) -> list[Block]:
    lines = [_incident(incident, finding) for incident, finding in summary.incidents]
    return [section(["*Recent incidents*", *(lines or ["None yet."])])]


def _incident(incident: Incident, finding: Finding | None) -> str:
    title = limits.quoted(incident.title or incident.alert_type, 120)
    answer = limits.quoted(finding.headline.text, 200) if finding else "no answer yet"
    return f"•  {incident.opened_at:%m-%d %H:%M} UTC  *{title.replace('*', '∗')}*  {incident.state}: {answer}"


def _skills(summary: Summary) -> list[Block]:
    on, off = ", ".join(summary.skills.on) or "nothing", ", ".join(summary.skills.off)
    return [
        section([f"*Looks at:* {limits.quoted(on, 300)}" + (f"   *off:* {limits.quoted(off, 300)}" if off else "")])
    ]


def _guidance(summary: Summary) -> list[Block]:
    if not summary.guidance:
        return []
    lines = [
        f"•  *{limits.quoted(g.alert_type, 80)}* v{g.version}: {limits.quoted(g.text, 160)}"
        for g in summary.guidance[:10]
    ]
    return [section(["*Guidance*", *lines])]
