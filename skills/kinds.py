"""Lines of one kind, told by their constant parts: what makes a line known without masking it.

A line is found by its bytes without digits and letters of hexadecimal digits, which costs next to nothing, and then
held to the fragments of its kind: `locked` and `blocked` have the same key and are two things.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Generic, TypeVar

from skills.masks import between

T = TypeVar("T")

_VARIES = b"0123456789abcdefABCDEF"
MOST_BEHIND_ONE_KEY = 16
"""Different lines behind one key; what is more varied than this is masked each time."""
_CODE = r"\"?\W{1,4}([45])\d\d\b"
_STATUS = {
    "HTTP/": re.compile(rf"HTTP/\d(?:\.\d)?{_CODE}"),
    "tatus": re.compile(rf"tatus(?:_?[Cc]ode)?{_CODE}"),
    "ode": re.compile(rf"ode{_CODE}"),
    "STATUS": re.compile(rf"STATUS(?:_?CODE)?{_CODE}"),
    "CODE": re.compile(rf"CODE{_CODE}"),
}
"""Where a line tells the status of a request: a 500 is not the same line as a 200. Each begins with its mark, which a
search finds fast; a line of several marks is searched for all of them at once."""
_ANY_STATUS = re.compile(rf"(?:HTTP/\d(?:\.\d)?|(?:tatus|STATUS)(?:_?(?:[Cc]ode|CODE))?|ode|CODE){_CODE}")
_WORD_EDGE = re.compile(r"^\w+|\w+$")


def status_in(text: str) -> re.Pattern[str] | None:
    marks = [pattern for mark, pattern in _STATUS.items() if mark in text]
    return (marks[0] if len(marks) == 1 else _ANY_STATUS) if marks else None


def fragments_of(text: str) -> tuple[str, ...]:
    """The constant parts, without what touches a part that varies: an id may begin or end in letters."""
    pieces = between(text)
    if len(pieces) == 1:
        return (text,)
    last = len(pieces) - 1
    trimmed = [
        _WORD_EDGE.sub("", piece) if 0 < i < last else re.sub(r"^\w+" if i else r"\w+$", "", piece)
        for i, piece in enumerate(pieces)
    ]
    return tuple(sorted({piece for piece in trimmed if len(piece) > 1}, key=len, reverse=True))


def key_of(text: str) -> bytes:
    return text.encode("utf-8", "replace").translate(None, _VARIES)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """Lines that have been seen to read alike, and the node of each: by the first digit of a failed status."""

    fragments: tuple[str, ...]
    """What stands between the parts that vary: all of it is in every line of this kind."""
    status: re.Pattern[str] | None
    nodes: dict[str, T]
