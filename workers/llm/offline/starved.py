"""Alerts that something became less. Where it is requests, the cause is looked for upstream: with those who no longer
call, or on the way to it, and not in what the alerted thing itself depends on.
"""

from __future__ import annotations

import re

from workers.llm.offline.notes import Notes

_LESS = re.compile(
    r"\b(?:drop(?:ped|s)?|fell|falls?|fewer|less than|decreas\w+|declin\w+|below|low(?:er)?|missing|plunge\w*)\b", re.I
)
_REQUESTS = re.compile(r"\b(?:requests?|traffic|throughput|calls?|hits|rps|qps)\b", re.I)
_SHARE = re.compile(
    r"replica|disk|memory|certificate|quota|hit ra|availab|success|slo\b|budget|latenc"
    r"|error|fail|time[- ]?out|slow|speed|\b[45](?:xx|\d\d)\b|refus",
    re.I,
)
"""What says that it is another thing that is low: a share, a stock, or requests that arrive and fare badly."""


def titles(notes: Notes) -> str:
    """What the alerts are called and titled, in words: `TrafficDropped` as two."""
    words = " ".join(str(a.get(k) or "") for a in notes.alerts for k in ("type", "title", "summary"))
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words)


def is_less(notes: Notes) -> bool:
    return _LESS.search(titles(notes)) is not None


def is_starved(notes: Notes) -> bool:
    """Whether the alert says that fewer requests arrive."""
    said = titles(notes)
    return is_less(notes) and _REQUESTS.search(said) is not None and not _SHARE.search(said)
