"""The subject line `[FIRING:2] HighErrorRate shop (eu-1 critical)`: Alertmanager's default title, Grafana's as well.

    [STATUS:count] <values of the group labels> (<values of the other common labels>)

The values stand without their names: those of the group first, `alertname` first among them, the others in brackets.
Which value is the service cannot be known from it, so nobody here guesses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.intake.mrkdwn import without_emoji
from workers.domain import AlertStatus

_SUBJECT = re.compile(
    r"^\[(?P<status>firing|resolved)(?::(?P<count>\d+))?(?:\s*[,|]\s*resolved:(?P<resolved>\d+))?\]\s*(?P<rest>.*)$",
    re.I,
)
_TITLED = re.compile(r"^(?P<status>firing|resolved)(?P<count>)(?P<resolved>)\s*(?::|-|\|)\s*(?P<rest>\S.*)$", re.I)
_NAMES = re.compile(r"^(?:[A-Z][a-z0-9]*[A-Z0-9]\w*|[A-Z][a-z0-9]+(?:_\w+)+|[a-z][a-z0-9]*_\w+)$")


@dataclass(frozen=True)
class Subject:
    status: AlertStatus
    group: str
    """Values of the group labels, blanks between."""
    others: str
    """Values of the other common labels."""
    count: int | None = None
    has_count: bool = False
    """Written `[STATUS:n] ...`, the form that only these systems use."""

    @property
    def values(self) -> list[str]:
        return f"{self.group} {self.others}".split()

    @property
    def alertname(self) -> str:
        """The alert's name: the first value that is spelt like one, else the first of the group.

        Groups without `alertname` have it in the brackets, where it stands first as well.
        """
        first = self.group.split()[:1]
        inside = self.others.split()[:1]
        if first and (_NAMES.match(first[0]) or not (inside and _NAMES.match(inside[0]))):
            return first[0]
        return (inside or first or [""])[0]


def subject(line: str) -> Subject | None:
    """The parts of a subject line; None when the line is none. What follows " | http" is the fallback's link."""
    words = re.sub(r"\s*\|\s*<?https?://\S*$", "", without_emoji(line))
    found = _SUBJECT.match(words) or _TITLED.match(words)
    if not found:
        return None
    group, others = _split(found["rest"].strip())
    return Subject(
        status="firing" if found["status"].lower() == "firing" else "resolved",
        group=group,
        others=others,
        count=int(found["count"][:9]) if found["count"] else None,
        has_count=words.startswith("["),
    )


def _split(rest: str) -> tuple[str, str]:
    """At the bracket that closes with the line; values may hold brackets of their own."""
    if not rest.endswith(")"):
        return rest, ""
    depth = 0
    for place in range(len(rest) - 1, -1, -1):
        depth += (rest[place] == ")") - (rest[place] == "(")
        if depth == 0:
            return rest[:place].strip(), rest[place + 1 : -1].strip()
    return rest, ""
