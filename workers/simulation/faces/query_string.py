"""Lucene's query syntax, of query_string and simple_query_string, as predicates."""

from __future__ import annotations

import re
from typing import Any, Protocol

from workers.simulation.faces.searching import NoSuchQuery, Predicate


class Clauses(Protocol):
    """What the DSL does for a clause of a query string."""

    def compile(self, query: Any) -> Predicate: ...

    def searched(self, fields: list[str]) -> list[str]:
        """The fields that a name or pattern means."""

    def words_in(self, name: str, text: str, *, phrase: bool) -> Predicate: ...


class QueryString:
    """Lucene's query syntax: field:value, phrases, AND OR NOT, parentheses, wildcards."""

    _TOKEN = re.compile(
        r'\s*(\(|\)|AND\b|OR\b|NOT\b|&&|\|\||!|[+-](?=[\w"(])|(?:[\w.@*-]+:)?"(?:\\.|[^"])*"|(?:[\w.@*-]+:)\((?:[^)]*)\)|(?:\\.|[^\s()"])+)'
    )

    def __init__(self, dsl: Clauses, text: str, fields: list[str], operator: str, *, lenient: bool = False) -> None:
        """`lenient`: the simple syntax, in which a dash only negates its word: under OR it is one more alternative."""
        self._dsl, self._fields, self._operator, self._lenient = dsl, fields, operator, lenient
        if not lenient and text.count('"') % 2:
            raise NoSuchQuery(f"Failed to parse query [{text}]", "query_shard_exception")
        self._tokens = [t for t in self._TOKEN.findall(text) if t]
        self._i = 0
        self._text = text

    def compiled(self) -> Predicate:
        if not self._tokens:
            return lambda _d: False
        found = self._or()
        if self._i < len(self._tokens):
            raise NoSuchQuery(f"Failed to parse query [{self._text}]", "query_shard_exception")
        return found

    def _peek(self) -> str:
        return self._tokens[self._i] if self._i < len(self._tokens) else ""

    def _or(self) -> Predicate:
        """Clauses joined by OR, AND or the default operator, with AND binding closer."""
        parts = [self._and()]
        while self._peek() and self._peek() != ")":
            if self._peek() in ("OR", "||"):
                self._i += 1
            parts.append(self._and())
        if len(parts) == 1:
            return parts[0]
        if self._operator == "and" and "OR" not in self._tokens and "||" not in self._tokens:
            return lambda d: all(p(d) for p in parts)
        return lambda d: any(p(d) for p in parts)

    def _and(self) -> Predicate:
        parts = [self._clause()]
        while self._peek() in ("AND", "&&") or (self._peek() in ("NOT", "!", "-") and not self._lenient):
            if self._peek() in ("AND", "&&"):
                self._i += 1
            parts.append(self._clause())
        return parts[0] if len(parts) == 1 else (lambda d: all(p(d) for p in parts))

    def _clause(self) -> Predicate:
        token = self._peek()
        self._i += 1
        if token in ("NOT", "!", "-"):
            inner = self._clause()
            return lambda d: not inner(d)
        if token == "+":
            return self._clause()
        if token == "(":
            inner = self._or()
            if self._peek() != ")":
                raise NoSuchQuery(f"Failed to parse query [{self._text}]", "query_shard_exception")
            self._i += 1
            return inner
        if not token or token in (")", "AND", "OR", "&&", "||"):
            raise NoSuchQuery(f"Failed to parse query [{self._text}]", "query_shard_exception")
        return self._leaf(token)

    def _leaf(self, token: str) -> Predicate:
        found = re.match(r"^([\w.@*-]+):(.+)$", token, re.DOTALL)
        fields, text = ([found[1]], found[2]) if found and not token.startswith('"') else (self._fields, token)
        if found and text.startswith("("):
            inner = QueryString(self._dsl, text[1:-1], self._dsl.searched([found[1]]), "or")
            return inner.compiled()
        if fields == ["_exists_"]:
            return self._dsl.compile({"exists": {"field": text}})
        bound = re.match(r"^(>=|<=|>|<)(.+)$", text)
        if bound and found:
            return self._dsl.compile(
                {"range": {fields[0]: {{">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}[bound[1]]: bound[2]}}}
            )
        phrase = text.startswith('"')
        text = re.sub(r"\\(.)", r"\1", text[1:-1] if phrase else text)
        if not phrase and text in ("*", "*:*"):
            return lambda _d: True
        parts = [
            self._dsl.words_in(n, text, phrase=phrase)
            for n in (self._dsl.searched(fields) if fields != self._fields else fields)
        ]
        return lambda d: any(p(d) for p in parts)
