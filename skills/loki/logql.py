"""Questions as LogQL: by place, level and words. Pure.

A regular expression is RE2's; strings stand in backticks unless they hold one. What matters for cost: a selector names
indexed labels only, line filters come before label filters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from skills.contract import Window
from skills.loki.labels import GUESSED, Layout

BAD_LEVELS = "(?i)(error|err|eror|fatal|critical|crit|panic|dpanic|severe|emerg|emergency|alert|e|f|ftl|pnc|50|60)"
"""As programs spell them, and as the numbers of pino."""
BAD_WORDS = (
    r"(?i:\b(error|err|fatal|crit|critical|panic|severe|emerg|exception|traceback|fail|failed|failure|refused|denied"
    r"|unauthorized|forbidden|timeout|timed out|unavailable|unreachable|exhausted|killed|oom)\b"
    r"|[a-z](error|exception)\b|level\W{1,4}(50|60)\b)|\b[EF]\d{4} |^goroutine \d+ \["
)
"""Where no label says a level: words, types of exceptions, klog's letter, and dumps of goroutines."""
STRONG_WORDS = (
    r"\b(ERROR|ERR|FATAL|CRITICAL|PANIC|SEVERE)\b|\b[EF]\d{4} |^goroutine \d+ \["
    r"|(?i:\blevel\W{1,4}(error|err|fatal|critical|panic|50|60)\b|panic: |fatal error: |(error|exception): "
    r"|\b(refused|denied|unauthorized|forbidden|traceback|unavailable|unreachable|exhausted|oom|killed)\b"
    r"|no such host|timed out)"
)
"""Beside a level: what says of itself that it is an error, and faults that some programs tell at level info."""


def matcher(label: str, value: str) -> str:
    return f'{label}="{_escaped(value)}"'


def among(label: str, pattern: str) -> str:
    return f"{label}=~{quoted(pattern)}"


def selector(matchers: Sequence[str]) -> str:
    return "{" + ", ".join(matchers) + "}"


def quoted(text: str) -> str:
    return f"`{text}`" if "`" not in text else json.dumps(text)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def place(
    known: Layout, namespace: str, fixed: Mapping[str, str], only: Sequence[str], service: Sequence[str] = ()
) -> str:
    """A stream selector. The server refuses one that could match streams without any of its labels."""
    matchers = [matcher(label, value) for label, value in fixed.items()]
    label = known.selectable("namespace")
    if namespace and label:
        matchers.append(matcher(label, namespace))
    elif only and label:
        matchers.append(among(label, "|".join(literal(name) for name in only)))
    matchers += service
    if not matchers:
        some = next((n for role in ("namespace", "service", "pod", "container") if (n := known.selectable(role))), "")
        matchers.append(among(some or next(iter(known.indexed), "job"), ".+"))
    return selector(matchers)


def of_metadata(known: Layout, role: str, value: str) -> str:
    """A filter for what is structured metadata and no label of the stream; empty when it needs none."""
    if not value or known.selectable(role) or not known.one(role):
        return ""
    return f" | {matcher(known.one(role), value)}"


def errors(known: Layout) -> tuple[str, ...]:
    """Pipelines of lines that complain, each line in one of them at most."""
    if not known.one("level"):
        return (f" |~ {quoted(BAD_WORDS)}",)
    levels = tuple(dict.fromkeys((known.one("level"), *(n for n in known.roles["level"] if n == GUESSED))))
    said = " or ".join(among(name, BAD_LEVELS) for name in levels)
    unsaid = "".join(f" | {name}!~{quoted(BAD_LEVELS)}" for name in levels)
    strong = quoted(STRONG_WORDS)
    pipelines = (f" | {said}", f" |~ {strong}{unsaid}")
    if not known.unlevelled:
        return pipelines
    nothing = "".join(f" | {among(name, '(unknown)?')}" for name in levels)
    return (*pipelines, f" |~ {quoted(BAD_WORDS)} !~ {strong}{nothing}")


_TERM = re.compile(r'(-?)"([^"]*)"|(\S+)')


def has_text(text: str) -> str:
    """What a person typed: all of its words, "a phrase", a | b, -not; without regard to case."""
    groups: list[list[str]] = []
    refused: list[str] = []
    joined = False
    for match in _TERM.finditer(text):
        minus, phrase, word = match[1], match[2], match[3]
        if word == "|":
            joined = bool(groups)
            continue
        term = phrase if phrase is not None else (word or "")
        if phrase is None and len(term) > 1 and term.startswith("-"):
            minus, term = "-", term[1:]
        if not term:
            continue
        if minus:
            refused.append(term)
        elif joined:
            groups[-1].append(term)
        else:
            groups.append([term])
        joined = False
    wanted = "".join(f" |~ {quoted('(?i)' + '|'.join(literal(t) for t in group))}" for group in groups)
    return wanted + "".join(f" !~ {quoted('(?i)' + literal(term))}" for term in refused)


def literal(text: str) -> str:
    """As a regular expression."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def holds(text: str) -> str:
    return f" |= {quoted(text)}"


def count(query: str, window: Window, by: Sequence[str] = ()) -> str:
    """Lines of a window with both of its ends, asked for at its end: a range lacks its first moment."""
    return counted(query, max(1, round(window.seconds * 1000)) + 1, by)


def counted(query: str, milliseconds: int, by: Sequence[str] = ()) -> str:
    grouped = f"sum by ({', '.join(by)}) " if by else "sum"
    return f"{grouped}(count_over_time({query} [{milliseconds}ms]))"
