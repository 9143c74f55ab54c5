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
_SEVERAL = re.compile(r"\b(?:and|or|unless)\b")
_COMPARE: dict[str, Any] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


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
        known += [_COMPARE[m["op"]](float(v["value"]), float(m["limit"])) for v in values for m in limits]
    return any(known) if known else None
