"""Evidence predicates of a truth: what a finding's evidence must show, so that a lucky guess is told from an answer.

A predicate is clauses joined by ` and `, each satisfied by one and the same piece of evidence (its excerpt, its query,
the skill and the tool that brought it), in any order and without regard to case:

    log ~ too many clients already            the words after ~ stand there; * is anything, | parts alternatives
    event.reason = FailedScheduling           the value after = stands as a word of its own
    limits.memory of cart is 128Mi            each word that names something stands: limits.memory, cart, 128Mi
    kube_pod_container_status_restarts_total  the same, with one word

` or ` between clauses gives alternatives (it binds weaker than ` and `). A predicate of ordinary words alone, such as
`orders fall while the cart is full`, names nothing that could be found and is refused as uncheckable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from workers.domain import Evidence

_WORDS = """
    a above after alone all and any are as at back be before below between by callers callee contain contains changed
    down duration durations empty fall falls far fits flat from full grow grows has have high higher in into is it
    its itself job limit line lines low lower many matches matched message missing more name named names newer no not
    of off older on one other others out own over placed pod pods release requests running since stay stays than that
    the their them then they this those to towards under until up uses was were while with without false true
    beyond entry first half metric minute minutes near node nodes partition second seconds set time used wait waits
    whose whole
"""
_PLAIN = frozenset(_WORDS.split())
_SAME = {"failedscheduling": "Unschedulable"}
"""One fact that Kubernetes tells twice: the scheduler's event, and the pod's condition with the same message."""


class Uncheckable(ValueError):
    """The predicate names nothing that could be found in a piece of evidence. Give it a value, a name or a metric."""


@dataclass(frozen=True)
class Clause:
    patterns: tuple[re.Pattern[str], ...]
    """All of them are found in the evidence."""


@cache
def parse(predicate: str) -> tuple[tuple[Clause, ...], ...]:
    """Alternatives of clauses. Raises Uncheckable."""
    return tuple(
        tuple(_clause(part.strip(), predicate) for part in re.split(r"\s+and\s+", alternative))
        for alternative in re.split(r"\s+or\s+", predicate.strip())
    )


def is_checkable(predicate: str) -> bool:
    try:
        parse(predicate)
    except Uncheckable:
        return False
    return True


def satisfied(predicate: str, evidence: Evidence) -> bool:
    """Whether one piece of evidence shows it. Raises Uncheckable."""
    text = "\n".join((evidence.excerpt, evidence.query))
    return any(
        all(pattern.search(text) for clause in clauses for pattern in clause.patterns) for clauses in parse(predicate)
    )


def covered(predicate: str, evidence: Iterable[Evidence]) -> bool:
    """Whether any piece of evidence shows it. Raises Uncheckable."""
    return any(satisfied(predicate, each) for each in evidence)


def _clause(text: str, predicate: str) -> Clause:
    field, tilde, words = text.partition(" ~ ")
    if tilde:
        subject = [] if " " not in field.strip() else _names(field)
        return Clause((_loose(words), *(_word(w) for w in subject)))
    field, equals, value = text.partition(" = ")
    if equals:
        return Clause((_word(value.strip()), *(_word(w) for w in _metrics(field))))
    found = _names(text)
    if not found:
        raise Uncheckable(f"{predicate!r}: {text!r} names nothing that could be found")
    return Clause(tuple(_word(w) for w in found))


def _names(text: str) -> list[str]:
    """The words that name something."""
    words = [w.strip("\"'`,;:()") for w in text.split()]
    return [w for w in words if w and w.casefold() not in _PLAIN]


def _metrics(text: str) -> list[str]:
    """Field paths (event.reason) only say where to look; metric names and objects are part of what must be found."""
    return [w for w in _names(text) if "_" in w or "*" in w]


def _loose(words: str) -> re.Pattern[str]:
    return re.compile("|".join(_glob(choice.strip()) for choice in words.split("|")), re.IGNORECASE)


def _word(word: str) -> re.Pattern[str]:
    either = "|".join(_glob(w) for w in (word, _SAME.get(word.casefold())) if w)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])", re.IGNORECASE)


def _glob(text: str) -> str:
    """Spaces stand for any white space, * for anything but a line's end."""
    escaped = re.escape(text).replace(r"\*", ".*")
    return re.sub(r"(\\ )+", r"\\s+", escaped)
