"""A system's own words, as short as a glance allows: the whole excerpt is one click away on the evidence page."""

from __future__ import annotations

import re

from bot.blocks import limits
from skills.loglines import message_of

_SAME_IMAGE = re.compile(r"([\w./-]+(?::\d+)?[\w./-]*):([\w.-]+) -> \1:([\w.-]+)")
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(?:\.\d+)?Z")


def glance(excerpt: str, limit: int) -> str:
    """One line: of a JSON log line its message and error; a changed image with its name once; instants as time of day.

    All of them are of the investigation's last hours; the page tells the day.
    """
    words = _SAME_IMAGE.sub(r"\1:\2 -> \3", message_of(excerpt).replace("\n", ": "))
    return limits.brief(_INSTANT.sub(r"\1 UTC", words), limit)
