"""What varies from line to line, taken out: the first step from a line to its template."""

from __future__ import annotations

import re

_VARYING = re.compile(
    r"(?=[0-9a-fA-F])(?:"  # asked first: it spares most characters the six questions below
    r"(?P<time>\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z| ?[+-]\d\d:?\d\d)?)"
    r"|(?P<clock>\b\d\d:\d\d:\d\d(?:[.,]\d+)?)"
    r"|(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})"
    r"|(?P<ip>\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b(?::\d+)?)"
    r"|(?P<hex>\b0x[0-9a-fA-F]+|\b(?=[a-fA-F]*\d)[0-9a-fA-F]{7,}\b)"
    r"|(?P<number>\d+))"
)
_STANDS_FOR = {"time": "<time>", "clock": "<time>", "uuid": "<id>", "ip": "<ip>", "hex": "<id>", "number": "<n>"}


def mask(text: str) -> str:
    """The text with times, ids, addresses and numbers replaced by what they are."""
    return _VARYING.sub(_name, text)


def between(text: str) -> list[str]:
    """What stands between the parts that vary."""
    pieces, at = [], 0
    for match in _VARYING.finditer(text):
        pieces.append(text[at : match.start()])
        at = match.end()
    return [*pieces, text[at:]]


def _name(match: re.Match[str]) -> str:
    return _STANDS_FOR[match.lastgroup or "number"]
