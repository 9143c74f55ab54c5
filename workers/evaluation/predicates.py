"""Evidence predicates of a truth: what a finding's evidence must show, so that a lucky guess is told from an answer.

A predicate is clauses joined by ` and `, each satisfied by one and the same piece of evidence (its excerpt, its query,
the skill and the tool that brought it), in any order and without regard to case:

    log ~ too many clients already            the words after ~ stand in the excerpt; * is anything, | parts
                                              alternatives
    log ~ "Name or service not known"         in quotation marks ` or ` and ` and ` are words of the text
    log ~ worker queue full >= 3 times        as often, in one piece (`x12`, `12 times`) or in several
    event.reason = FailedScheduling           the value after = stands as a word of its own
    object ~ ad-*                             a name, by glob
    limits.memory of cart is 128Mi            each word that names something stands: limits.memory, cart, 128Mi
    limits.memory of cart < 256Mi             the figure after that field; for `from -> to` the second one
    metric container_memory_working_set_bytes of cart > 900Mi
                                              the metric stands (mostly in the query), and the first figure in these
                                              units that the excerpt states is above
    metric http_requests_total of pricing > 2x before
                                              against what the excerpt says of the baseline
    peak of pg_locks_count > 3x before        the figure after the word peak: of what is over by now
    metric up of cart = 0 at 14:08            and the excerpt names a moment within three minutes of it (UTC)

Units: % (in a line of a series a ratio from 0 to 1 will do, and bare bytes and seconds), Ki Mi Gi, kB MB GB,
ms s min h d, m (milli), or none. Operators: > >= < <= =.
` or ` between clauses gives alternatives (it binds weaker than ` and `). A predicate of ordinary words alone, such as
`orders fall while the cart is full`, names nothing that could be found and is refused, as is one that any text has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from workers.domain import Evidence
from workers.evaluation.measures import Bound, figure

_WORDS = """
    a above after alone all and any are as at back be before below between by callers callee contain contains changed
    down duration durations empty fall falls far fits flat from full grow grows has have high higher in into is it
    its itself job limit line lines low lower many matches matched message missing more name named names newer no not
    object of off older on one other others out own over placed pod pods release requests running since stay stays
    than that the their them then they this those to towards under until up uses was were while with without false
    true beyond entry first half metric minute minutes near node nodes partition second seconds set time used wait
    waits whose whole log
"""
_PLAIN = frozenset(_WORDS.split())
_SAME = {"failedscheduling": "Unschedulable"}
"""One fact that Kubernetes tells twice: the scheduler's event, and the pod's condition with the same message."""
_COUNTED = re.compile(r"^(?P<clause>.*?),?\s+(?P<operator>>=|>)\s*(?P<least>\d+) times$")
_COMPARED = re.compile(
    r"^(?P<subject>.*?)\s+(?P<operator>>=|<=|>|<|=)\s+(?P<figure>[+-]?[\d.]+\S*|\S*\d\S*)"
    r"(?P<before>\s*x before)?(?:\s+at\s+(?P<moment>\d\d:\d\d(?::\d\d)?))?$"
)
_CLOCK = re.compile(r"(?<!\d)(\d\d):(\d\d)(?::(\d\d))?(?!\d)")
_SAID = re.compile(r"\bx(\d+)\b|\b(\d+) times\b")
_SERIES = re.compile(r": now (?=[-+]?\d|no data)")
"""Where the figures of a series begin: before it stand its labels or its question, behind it no units."""
_OPERATOR = re.compile(r"\s(?:>=|<=|>|<)\s")
NEAR_SECONDS = 180
FEWEST_LETTERS = 3


class Uncheckable(ValueError):
    """The predicate cannot be checked; the text says what in it and what to write instead."""


@dataclass(frozen=True)
class Clause:
    patterns: tuple[re.Pattern[str], ...]
    """All of them are found in the evidence."""
    bound: Bound | None = None
    field: re.Pattern[str] | None = None
    """Where the figure follows, if it stands in the excerpt."""
    moment: int | None = None
    """Seconds since midnight that the excerpt must name."""
    least: int = 1
    """How often."""
    metrics: tuple[str, ...] = ()
    text: str = ""
    """Words after a ~, as they were written."""
    words: re.Pattern[str] | None = None
    """They stand in the excerpt: a question that names them is no answer."""

    def met_by(self, evidence: Evidence) -> bool:
        """Whether the piece shows it, once at least."""
        text = f"{evidence.excerpt}\n{evidence.query}"
        return (
            all(pattern.search(text) for pattern in self.patterns)
            and (self.words is None or self.words.search(evidence.excerpt) is not None)
            and (self.bound is None or self._within(self.bound, evidence.excerpt))
            and (self.moment is None or any(_near(self.moment, said) for said in _moments(evidence.excerpt)))
        )

    def times(self, evidence: Evidence) -> int:
        """How often one piece that shows it says that it happened."""
        return max([1, *(int(m[1] or m[2]) for m in _SAID.finditer(evidence.excerpt))])

    def _within(self, bound: Bound, excerpt: str) -> bool:
        series = _SERIES.search(excerpt)
        return bound.holds(self._after_field(excerpt[series.end() :] if series else excerpt), series is not None)

    def _after_field(self, excerpt: str) -> str:
        found = self.field.search(excerpt) if self.field else None
        return excerpt[found.end() :].partition("\n")[0] if found else excerpt


@cache
def parse(predicate: str) -> tuple[tuple[Clause, ...], ...]:
    """Alternatives of clauses. Raises Uncheckable."""
    return tuple(
        tuple(_clause(part.strip(), predicate) for part in _split(alternative, "and"))
        for alternative in _split(predicate.strip(), "or")
    )


def is_checkable(predicate: str) -> bool:
    try:
        parse(predicate)
    except Uncheckable:
        return False
    return True


def satisfied(predicate: str, evidence: Evidence) -> bool:
    """Whether one piece of evidence shows it, or its part of what must be seen several times. Raises Uncheckable."""
    return any(all(clause.met_by(evidence) for clause in clauses) for clauses in parse(predicate))


def covered(predicate: str, evidence: Iterable[Evidence]) -> bool:
    """Whether any piece of evidence shows it, or enough of them do. Raises Uncheckable."""
    pieces = {(e.query, e.excerpt): e for e in evidence}.values()
    return any(_often_enough(clauses, pieces) for clauses in parse(predicate))


def metrics(predicate: str) -> Iterator[str]:
    """The metrics that it speaks of. Raises Uncheckable."""
    for clauses in parse(predicate):
        for clause in clauses:
            yield from clause.metrics


def texts(predicate: str) -> Iterator[str]:
    """For each ~ the longest run of words without a wildcard: what to search for. Raises Uncheckable."""
    for clauses in parse(predicate):
        for clause in clauses:
            for choice in _choices(clause.text) if clause.text else ():
                yield max(choice.split("*"), key=len).strip()


def _often_enough(clauses: tuple[Clause, ...], pieces: Iterable[Evidence]) -> bool:
    least = max(clause.least for clause in clauses)
    seen = 0
    for piece in pieces:
        if all(clause.met_by(piece) for clause in clauses):
            seen += max(clause.times(piece) for clause in clauses if clause.least == least) if least > 1 else 1
            if seen >= least:
                return True
    return False


def _split(text: str, word: str) -> list[str]:
    """At the word, where it is not within quotation marks."""
    return re.split(rf'\s+{word}\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', text)


def _clause(text: str, predicate: str) -> Clause:
    if counted := _COUNTED.match(text):
        inner = _clause(counted["clause"], predicate)
        least = int(counted["least"]) + (counted["operator"] == ">")
        return Clause(
            inner.patterns, inner.bound, inner.field, inner.moment, least, inner.metrics, inner.text, inner.words
        )
    field, tilde, words = text.partition(" ~ ")
    if tilde:
        subject = [] if " " not in field.strip() else _names(field)
        return Clause(tuple(_word(w) for w in subject), text=words, words=_loose(words, predicate))
    if compared := _COMPARED.match(text):
        if (clause := _comparison(compared, text, predicate)) is not None:
            return clause
    elif _OPERATOR.search(text):
        raise Uncheckable(f"{predicate!r}: after the operator stands no figure such as 50%, 128Mi or 2x before")
    field, equals, value = text.partition(" = ")
    if equals:
        return Clause((_word(value.strip()), *(_word(w) for w in _metrics(field))), metrics=tuple(_metrics(text)))
    found = _names(text)
    if not found:
        raise Uncheckable(f"{predicate!r}: {text!r} names nothing that could be found")
    return Clause(tuple(_word(w) for w in found), metrics=tuple(w for w in found if _is_metric(w)))


def _comparison(match: re.Match[str], text: str, predicate: str) -> Clause | None:
    """None for `field = word`, which is no comparison of figures."""
    given = match["figure"]
    than = figure(given)
    if than is None:
        if match["operator"] == "=":
            return None
        raise Uncheckable(f"{predicate!r}: {given!r} is no figure such as 50%, 128Mi, 2.5s, 300 or 2x before")
    subject = _names(match["subject"])
    if not subject:
        raise Uncheckable(f"{predicate!r}: {text!r} does not say of what the figure is: name a metric or a field")
    fields = [w for w in subject if not _is_metric(w)]
    moment = _seconds(match["moment"]) if match["moment"] else None
    return Clause(
        tuple(_word(w) for w in subject),
        Bound(match["operator"], than, bool(match["before"])),
        _word(fields[0]) if fields and fields[0] == subject[0] else None,
        moment,
        metrics=tuple(w for w in subject if _is_metric(w)),
    )


def _names(text: str) -> list[str]:
    """The words that name something."""
    words = [w.strip("\"'`,;:()") for w in text.split()]
    return [w for w in words if w and w.casefold() not in _PLAIN]


def _metrics(text: str) -> list[str]:
    """Field paths (event.reason) only say where to look; metric names and objects are part of what must be found."""
    return [w for w in _names(text) if "_" in w or "*" in w]


def _is_metric(word: str) -> bool:
    return bool(re.fullmatch(r"[a-z]\w*_\w+", word))


def _loose(words: str, predicate: str) -> re.Pattern[str]:
    choices = _choices(words)
    for choice in choices:
        if sum(c.isalnum() for c in choice) < FEWEST_LETTERS:
            raise Uncheckable(f"{predicate!r}: after ~ stands {choice!r}, which any text has")
    return re.compile("|".join(_glob(choice) for choice in choices), re.IGNORECASE)


def _choices(words: str) -> list[str]:
    found = (choice.strip() for choice in words.split("|"))
    return [c[1:-1] if len(c) > 1 and c[0] == c[-1] == '"' else c for c in found]


def _word(word: str) -> re.Pattern[str]:
    either = "|".join(_glob(w) for w in (word, _SAME.get(word.casefold())) if w)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])", re.IGNORECASE)


def _glob(text: str) -> str:
    """Spaces stand for any white space, * for anything but a line's end."""
    escaped = re.escape(text).replace(r"\*", ".*")
    return re.sub(r"(\\ )+", r"\\s+", escaped)


def _moments(text: str) -> Iterator[int]:
    for match in _CLOCK.finditer(text):
        yield _seconds(match[0])


def _seconds(clock: str) -> int:
    hours, minutes, *rest = (int(part) for part in clock.split(":"))
    return hours * 3600 + minutes * 60 + sum(rest)


def _near(one: int, other: int) -> bool:
    return min(abs(one - other), 86400 - abs(one - other)) <= NEAR_SECONDS
