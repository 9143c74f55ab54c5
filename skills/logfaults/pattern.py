"""One entry of the table: wordings, and what they say about whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from skills.contract import Role

Culprit = Literal["writer", "store"]
"""writer: the workload that logs it. store: the data store, whether it logs itself or a client complains about it."""


@dataclass(frozen=True)
class Pattern:
    name: str
    faults: tuple[str, ...]
    """Candidates, the likeliest first; for an effect: what would explain it at or before the thing pointed at."""
    role: Role
    specificity: float
    says: str
    """The words of the summary after the writer: `was refused by`; the target, when known, follows."""
    hints: tuple[str, ...]
    """Lower-case substrings, one of which every match contains; they keep the table cheap."""
    wording: str
    """A regular expression, whatever the case.

    May capture `host` and `port` (the dependency), `object` (a user, a table, a flag)."""
    culprit: Culprit = "writer"
    store: str = ""
    """Which kind of data store it speaks of, where the wording tells: postgres, mysql, mongodb, redis ..."""
    unless: str = ""
    twin: str = ""
    """What it must not be confused with, and what tells them apart."""
    steady: bool = False
    """Seen in healthy systems as well: only counts that grow against the baseline make it evidence."""

    def match(self, lowered: str, text: str) -> re.Match[str] | None:
        for hint in self.hints:
            if hint in lowered:
                found = self.pattern.search(text)
                return None if found is None or (self.unless and self._unless.search(text)) else found
        return None

    # Compiled when a hint is met for the first time: the table takes a tenth of a second to compile, and an
    # investigation meets a few of its rows.
    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.wording, re.IGNORECASE)

    @cached_property
    def _unless(self) -> re.Pattern[str]:
        return re.compile(self.unless, re.IGNORECASE)


def entry(
    name: str,
    says: str,
    *wordings: str,
    hints: str,
    faults: str = "",
    role: Role = "cause",
    specificity: float = 0.6,
    culprit: Culprit = "writer",
    store: str = "",
    unless: str = "",
    twin: str = "",
    steady: bool = False,
) -> Pattern:
    """A Pattern from words: `faults` separated by blanks, `hints` by |, wordings joined as alternatives."""
    return Pattern(
        name=name,
        faults=tuple(faults.split()),
        role=role,
        specificity=specificity,
        says=says,
        hints=tuple(hints.lower().split("|")),
        wording="|".join(f"(?:{wording})" for wording in wordings),
        culprit=culprit,
        store=store,
        unless=unless,
        twin=twin,
        steady=steady,
    )
