"""Patterns of alert types: * and ? only, so that a bracket in an alert's name means itself."""

from __future__ import annotations


def is_glob(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def matches(pattern: str, name: str) -> bool:
    """Whether the whole name fits; without * and ? the two must be equal.

    Not by a regular expression: `*a*a*a*b` would make it try every way to share the name among the stars. Here only
    the latest star ever takes more, which is enough.
    """
    at, star, taken, place = 0, -1, 0, 0
    while place < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, taken, at = at, place, at + 1
        elif at < len(pattern) and pattern[at] in ("?", name[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            taken += 1
            at, place = star + 1, taken
        else:
            return False
    return not pattern[at:].strip("*")
