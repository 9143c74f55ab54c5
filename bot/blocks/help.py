"""Gumshoe in its own words: what it does, what can be said to it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.blocks import limits
from bot.blocks.message import Message, message, sections

GUMSHOE_USAGE = (
    "Usage: `/gumshoe help | status | why | stop [INCIDENT] | mute TYPE [until 18:00 | 2h | 2026-12-24] | unmute TYPE`"
)
GUIDANCE_USAGE = (
    "Usage: `/guidance add TYPE words…` (or `add` alone for a form), `/guidance list [TYPE]`, `/guidance edit ID`, "
    "`/guidance remove ID`. TYPE is an alert type, * and ? allowed, with labels if need be: `Kube* {team=cart}`."
)

_HELP = (
    "*Gumshoe finds the root cause of an alert and shows its evidence.* It only reads; it changes nothing.",
    "•  An alert in a watched channel starts an investigation; the answer comes in the alert's thread.",
    "•  Ask: mention me, e.g. `@gumshoe look at checkout`, or use the message shortcut *Investigate this*.",
    "•  In an incident's thread: a question asks on, `also check redis` steers, `stop` ends, `look again` starts anew.",
    "•  Judge: react to the answer with 👍 👎 🤔 or press the buttons; take it back by taking the reaction away.",
    "•  Teach: `/guidance add TYPE words…`, then `list`, `edit`, `remove`.",
    "•  Look: `/gumshoe status` (running now), `/gumshoe why` (what was not investigated, and why).",
    "•  Quiet: `/gumshoe mute TYPE [until 18:00 | 2h | 2026-12-24]`, `/gumshoe unmute TYPE`.",
    "•  Switch: `/skills` shows what I may look at; editors switch it.",
)


def render() -> Message:
    return message(_HELP, sections(list(_HELP)))


def welcome(watching: bool, solved: Sequence[str] = (), learning: Sequence[str] = ()) -> str:
    """Plain words: this goes through the outbox, which escapes what it says.

    `solved`, `learning`: alert types by what the evaluation of this version says of them.
    """
    if watching:
        return (
            "I watch this channel. When an alert arrives I look into it with read access and answer in its thread, "
            f"with evidence. {_promise(solved, learning)}/gumshoe help says more."
        )
    return (
        "I do not watch this channel for alerts yet; an operator adds it to the customer's file. "
        "You can still mention me with a question. /gumshoe help says more."
    )


def _promise(solved: Sequence[str], learning: Sequence[str]) -> str:
    """What may be expected before this team's own record is long enough."""
    if not solved:
        return ""
    still = f", and am still learning {limits.some(list(learning), 4)}" if learning else ""
    return (
        f"On simulated incidents I reliably found the cause of {limits.some(list(solved), 6)}{still}; "
        "your reactions on my answers make a record of your own. "
    )
