"""Typed readings of guidance as its writer sees them: in plain words, one a line."""

from __future__ import annotations

from bot.blocks import limits
from workers.domain import Reading
from workers.guidance import say

_KIND = {
    "expected": "Expected",
    "look_first": "Look first",
    "ignore": "Ignore",
    "depends_on": "Depends on",
    "owner": "Owner",
    "runbook": "Runbook",
}


def in_words(reading: Reading) -> str:
    """One line of mrkdwn."""
    return f"*{_KIND[reading.kind]}:* {limits.quoted(say(reading), 400)}"


def lines(readings: tuple[Reading, ...]) -> list[str]:
    if not readings:
        return ["No rule in it that I can act on by itself: it will be given to the investigator as words."]
    return [f"•  {in_words(reading)}" for reading in readings]
