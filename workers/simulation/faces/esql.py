"""ES|QL over documents: FROM, EVAL of a comparison or a truncated date, STATS COUNT(*) BY, SORT, LIMIT.

Grammar: Elasticsearch reference, "ES|QL commands" and "functions". Everything else is refused as not done here, in the
server's manner. A query without LIMIT gives 1,000 rows, and none more than 10,000.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from workers.simulation import clock
from workers.simulation.faces.searching import Doc, Failure, NoSuchQuery

Value = Callable[[Doc], Any]
_NAME = r"(?:`(?:[^`]|``)+`|[\w@.]+)"
_SPAN = re.compile(rf"DATE_TRUNC\((\d+) (second|minute|hour|day)s?, ({_NAME})\)$", re.IGNORECASE)
_COMPARED = re.compile(rf"({_NAME}) (>=|<=|>|<) TO_DATETIME\((\?\w+|\"[^\"]*\")\)$", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class Table:
    """The rows of a query as it goes from command to command."""

    def __init__(self, mapping: Mapping[str, str], params: Sequence[Mapping[str, Any]], moment: Callable[[Any], float]):
        self._mapping, self._moment = mapping, moment
        self._params = {name: value for each in params for name, value in each.items()}
        self._made: dict[str, tuple[str, Value]] = {}

    def run(self, query: str, docs: Callable[[], Iterable[Doc]]) -> dict[str, Any]:
        """`columns` and `values`; documents are read when the query is understood. Raises Failure and NoSuchQuery."""
        _, *commands = [part.strip() for part in query.split("|")]
        columns: list[tuple[str, str]] = []
        rows: list[list[Any]] = []
        limit = 1000
        for command in commands:
            verb, _, rest = command.partition(" ")
            if verb.upper() == "EVAL" and not columns:
                for assigned in _parts(rest):
                    self._assign(assigned)
            elif verb.upper() == "STATS" and not columns:
                columns, rows = self._stats(rest, docs)
            elif verb.upper() == "SORT" and columns:
                name, _, how = rest.partition(" ")
                place = [c for c, _ in columns].index(name)
                rows.sort(key=lambda row: row[place], reverse=how.upper() == "DESC")
            elif verb.upper() == "LIMIT" and rest.isdigit():
                limit = int(rest)
            else:
                raise NoSuchQuery(f"line 1:1: mismatched input '{verb}'")
        named = [{"name": name, "type": kind} for name, kind in columns]
        return {"took": 4, "is_partial": False, "columns": named, "values": rows[: min(limit, 10_000)]}

    def _assign(self, text: str) -> None:
        name, _, expression = text.partition(" = ")
        self._made[name.strip()] = self._expression(expression.strip())

    def _expression(self, text: str) -> tuple[str, Value]:
        if match := _SPAN.match(text):
            seconds, at = int(match[1]) * _SECONDS[match[2].lower()], self._moment_of(match[3])
            return "date", lambda doc: clock.millis(at(doc) // seconds * seconds)
        if match := _COMPARED.match(text):
            at = self._moment_of(match[1])
            given = match[3]
            limit = self._moment(self._params[given[1:]] if given.startswith("?") else given.strip('"'))
            test = {">=": float.__ge__, "<=": float.__le__, ">": float.__gt__, "<": float.__lt__}[match[2]]
            return "boolean", lambda doc: test(at(doc), float(limit))
        return self._column(text)

    def _moment_of(self, name: str) -> Callable[[Doc], float]:
        field = self._column(name)[1]
        if name.strip("`") == "@timestamp":
            return lambda doc: doc["_read"]
        return lambda doc: float(self._moment(field(doc)))

    def _column(self, text: str) -> tuple[str, Value]:
        name = text.strip("`").replace("``", "`")
        if name in self._made:
            return self._made[name]
        if name not in self._mapping:
            raise Failure(400, "verification_exception", f"Found 1 problem\nline 1:1: Unknown column [{name}]")
        return self._mapping[name], lambda doc: doc.get(name)

    def _stats(self, text: str, docs: Callable[[], Iterable[Doc]]) -> tuple[list[tuple[str, str]], list[list[Any]]]:
        match = re.fullmatch(r"(\w+) = COUNT\(\*\)(?: BY (.+))?", text)
        if match is None:
            raise NoSuchQuery(f"STATS {text}")
        groups: list[tuple[str, str, Value]] = []
        for part in _parts(match[2] or ""):
            name, _, expression = part.rpartition(" = ")
            kind, value = self._expression(expression.strip())
            groups.append((name.strip() or expression.strip("` "), kind, value))
        counted = Counter(tuple(value(doc) for _, _, value in groups) for doc in docs())
        columns = [(match[1], "long"), *((name, kind) for name, kind, _ in groups)]
        return columns, [[count, *key] for key, count in counted.items()]


def _parts(text: str) -> list[str]:
    """Separated by commas that stand outside of parentheses."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]
