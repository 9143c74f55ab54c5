"""One event as a system told it, before it is joined with what other systems say of the same change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from skills.contract import Entity, Excerpt

_VERSION = re.compile(r"(?<![\w.])v?(\d+\.\d+(?:\.\d+)*(?:[-+.][0-9A-Za-z.]+)?)(?![\w])")
_SHA = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{7,40}(?![0-9a-zA-Z])")
SHORT_SHA = 7


@dataclass(frozen=True)
class Happening:
    id: str
    at: datetime
    kind: str
    """deployment, release, merge, sync, flag"""
    summary: str
    """In a few words, without the time: `PR #482 "Trim memory" by mara`"""
    services: tuple[str, ...]
    """Names of what it touched, where the system names no objects."""
    evidence: tuple[Excerpt, ...]
    author: str | None = None
    touches: tuple[Entity, ...] = ()
    """Objects that it touched, where the system names them."""
    revisions: frozenset[str] = frozenset()
    """Commits, cut to seven digits, and version numbers without v: what it shares with others of the same change."""
    repository: str = ""
    manages: frozenset[Entity] = frozenset()
    """Every object that it may have written, whether or not it did: the resources of an application."""

    @property
    def names(self) -> frozenset[str]:
        return frozenset((*self.services, *(e.name for e in self.touches)))


def revisions_in(*texts: str) -> frozenset[str]:
    """Version numbers and commit ids that stand in words such as tags, image names and refs."""
    found: set[str] = set()
    for text in texts:
        found.update(m[1] for m in _VERSION.finditer(text.replace("/", " ").replace("@", " ").replace(":", " ")))
        found.update(m[0][:SHORT_SHA] for m in _SHA.finditer(text) if not m[0].isdigit())
    return frozenset(found)
