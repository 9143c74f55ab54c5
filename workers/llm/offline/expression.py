"""Whether the alert's own expression still holds, as far as the conversation says: the rule and the value that it sees.

A firing alert whose expression holds is not false, whatever looks well besides it; one whose expression holds no more
tells of something that is over.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from typing import Any

_RULE = re.compile(r"(?P<type>\S+) fires on `(?P<expression>[^`]+)`")
_THRESHOLD = re.compile(r"(?P<op>>=|<=|==|!=|>|<)\s*(?P<limit>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*$")
_VALUE = r"^(?:\[E\d+\] )?{type}: \{{.*\}} is (?P<value>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?=,|$)"
_NO_MORE = r"^(?:\[E\d+\] )?{type}: \{{.*\}} was .* until .* and is no more$"
"""What the alert measured is gone although its source is still scraped: a pod that was replaced."""
_SEVERAL = re.compile(r"\b(?:and|or|unless)\b")
_COMPARE: dict[str, Any] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


_ABOUT_SCRAPING = re.compile(r"\bup\b\s*(?:\{[^}]*\})?\s*==\s*0|^\s*absent(?:_over_time)?\s*\(")
_LEVELS = (
    r"^\[(?P<id>E\d+)\] {type}: \{{.*\}} is (?P<value>-?\d+(?:\.\d+)?)(?:, (?P<before>-?\d+(?:\.\d+)?) before .*)?$"
)


def about_scraping(texts: Iterable[str], types: Iterable[str]) -> bool:
    """Whether the alert's rule measures only that a target was scraped, not what the target does."""
    everything = "\n".join(texts)
    named = set(types)
    rules = [m["expression"] for m in _RULE.finditer(everything) if any(m["type"].endswith(n) for n in named)]
    return bool(rules) and all(_ABOUT_SCRAPING.search(r) for r in rules)


def unchanged(texts: Iterable[str], types: Iterable[str]) -> str | None:
    """The number of the line that shows the alert's measure at the level at which it was all along; None where it
    changed or was not shown. What is compared with another series is there only while it fires, and shows no past."""
    everything = "\n".join(texts)
    compared = {m["type"] for m in _RULE.finditer(everything) if not _THRESHOLD.search(m["expression"])}
    found = [
        m for name in dict.fromkeys(types)
        if not any(rule.endswith(name) for rule in compared)
        for m in re.finditer(_LEVELS.format(type=re.escape(name)), everything, re.MULTILINE)
    ]  # fmt: skip
    same = [
        m for m in found if abs(float(m["before"] or m["value"]) - float(m["value"])) <= SAME * abs(float(m["value"]))
    ]
    return same[0]["id"] if same and len(same) == len(found) else None


SAME = 0.05
"""Share of a level within which it is the same."""


def holds(texts: Iterable[str], types: Iterable[str]) -> bool | None:
    """True or False where rule, threshold and present value of an alert were shown; None where they were not.

    Shapes: "HighErrorRate fires on `rate(x[5m]) > 0.05` for 120 s", "HighErrorRate: {service=cart} is 0.31, 0 before".
    """
    everything = "\n".join(texts)
    known: list[bool] = []
    for name in dict.fromkeys(types):
        rules = {m["expression"] for m in _RULE.finditer(everything) if m["type"].endswith(name)}
        limits = [m for r in rules if (m := _THRESHOLD.search(r)) and not _SEVERAL.search(r)]
        values = re.finditer(_VALUE.format(type=re.escape(name)), everything, re.MULTILINE)
        known += [False for _ in re.finditer(_NO_MORE.format(type=re.escape(name)), everything, re.MULTILINE)]
        known += [_COMPARE[m["op"]](float(v["value"]), float(m["limit"])) for v in values for m in limits]
    return any(known) if known else None
