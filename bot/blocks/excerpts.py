"""A system's own words, as short as a glance allows: the whole excerpt is one click away on the evidence page."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.blocks import limits
from skills.loglines import message_of
from skills.masks import mask
from workers.domain import Evidence

_SAME_IMAGE = re.compile(r"(?:[\w.-]+(?::\d+)?/)*([\w.-]+):([\w.-]+) -> (?:[\w.-]+(?::\d+)?/)*\1:([\w.-]+)")
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_TRACEBACK = "Traceback (most recent call last):"


def glance(excerpt: str, limit: int) -> str:
    """One line: of a JSON log line its message and error; of a Python traceback the exception at its end; a changed
    image by its name and tags; instants as time of day.

    All of them are of the investigation's last hours; the page tells the day.
    """
    words = images(_exception(message_of(excerpt)).replace("\n", ": "))
    return limits.brief(_INSTANT.sub(r"\1 UTC", words), limit)


def images(text: str) -> str:
    """`image registry/shop/cart:1 -> registry/shop/cart:2` says its registry to nobody: `image cart:1 -> 2`."""
    return _SAME_IMAGE.sub(r"\1:\2 -> \3", text)


def _exception(text: str) -> str:
    """What was said before a traceback, and the exception that ends it: the frames are for the page."""
    if _TRACEBACK not in text:
        return text
    before, after = text.split(_TRACEBACK, 1)
    ends = [
        line for line in after.splitlines() if line.strip() and not line.startswith((" ", "\t", "The above", "During"))
    ]
    return f"{before.strip()} {ends[-1].strip()}".strip() if ends else text


def alike(evidence: Iterable[Evidence]) -> list[tuple[Evidence, ...]]:
    """Excerpts that read the same but for their figures, together: five lines of one error are one observation."""
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for each in evidence:
        groups.setdefault((each.skill, mask(glance(each.excerpt, 400))), []).append(each)
    return [tuple(group) for group in groups.values()]
